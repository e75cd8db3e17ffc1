"""Settings as they were written (names, texts, places) → the validated model, with a message for every fault.

`exam.yaml`, the 设置 sheet and the answered 待确认 sheet all become a tree of entries first; this is the only
place where their texts are understood, so that all three accept the same words and speak the same sentences.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from jiaoheng.exams import settings_checks, settings_scalars
from jiaoheng.exams.settings import ExamSettings, Model
from jiaoheng.exams.settings_words import canonical_subject, clean, field_name, field_words, nearest, value_words
from jiaoheng.sheets.places import Place, Problem, Severity

Path = tuple[str, ...]

# maps whose keys are names of subjects, by field
_SUBJECT_KEYED = frozenset({"subjects", "subject_thresholds", "subject_lines"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One value as written: where it stands, and a text (None: left blank), a map or a list of entries."""

    place: Place
    value: str | dict[str, Entry] | list[Entry] | None


class SettingsError(ValueError):
    """Settings or answers that cannot be used. `problems` says where and why."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


@dataclass(slots=True)
class Interpretation:
    """Collects the problems and the place of every value while a tree is read."""

    problems: list[Problem] = field(default_factory=list)
    places: dict[Path, Place] = field(default_factory=dict)

    def error(self, code: str, place: Place, message: str, remedy: str = "") -> None:
        """Note an error of the settings."""
        self.problems.append(Problem(code, Severity.ERROR, place, message, remedy))


def interpret(root: Entry) -> tuple[ExamSettings, list[Problem]]:
    """Read a whole tree: the settings that could be understood, and every fault with its place.

    Faulty values are left out, so that all faults are told at once; with an error among the problems the
    settings must not be used for a report.
    """
    state = Interpretation()
    raw = _model(ExamSettings, root, (), state)
    try:
        settings = ExamSettings.model_validate(raw)
    except ValidationError as error:  # a rule of the model that no single value shows
        for fault in error.errors():
            path = tuple(str(part) for part in fault["loc"])
            state.error("settings-value", state.places.get(path, root.place), _label(path) + "的内容不能用")
        return ExamSettings(), state.problems
    state.problems.extend(settings_checks.check(settings, state.places, root.place))
    return settings, state.problems


def _label(path: Path) -> str:
    return f"“{' › '.join(path)}”" if path else "设置"


def _model(model: type[Model], entry: Entry, path: Path, state: Interpretation) -> dict[str, Any]:
    """A map of fields. Unknown and doubled names are errors that suggest the nearest known name."""
    if entry.value is None:
        return {}
    if not isinstance(entry.value, dict):
        state.error(
            "settings-wrong-type",
            entry.place,
            f"{_label(path)}应是下级设置，现在是{_shown(entry.value)}",
            "请在下一行缩进两格后写“名称: 内容”，冒号用半角并在后面空一格",
        )
        return {}
    words = field_words(model.__name__)
    result: dict[str, Any] = {}
    first_seen: dict[str, str] = {}
    for key, child in entry.value.items():
        name = words.get(clean(key)) or words.get(clean(key).lower())
        if name is None:
            _unknown_key(key, child.place, model.__name__, path, state)
            continue
        if name in first_seen:
            message = f"“{key}”与“{first_seen[name]}”是同一项设置，写了两次"
            state.error("settings-double-key", child.place, message, "请只留一处")
            continue
        first_seen[name] = key
        annotation = _annotation(model, name)
        state.places[(*path, name)] = child.place
        value = _value(annotation, name, child, (*path, name), state)
        if value is not None:
            result[name] = value
    return result


def _unknown_key(key: str, place: Place, model: str, path: Path, state: Interpretation) -> None:
    near = nearest(key, field_words(model))
    where = f"{_label(path)}中" if path else ""
    if near is not None:
        name = field_words(model)[near]
        remedy = f"是否应为“{field_name(model, name)}”（{name}）"
    else:
        names = [field_name(model, name) for name in dict.fromkeys(field_words(model).values())]
        remedy = f"这里可以写：{'、'.join(names[:12])}{'……' if len(names) > 12 else ''}"
    state.error("settings-unknown-key", place, f"{where}没有名为“{key}”的设置", remedy)


def _annotation(model: type[Model], name: str) -> Any:
    for key, info in model.model_fields.items():
        if name in (info.alias, key):
            metadata = tuple(info.metadata)
            return typing.Annotated[(info.annotation, *metadata)] if metadata else info.annotation
    raise KeyError(name)


def _unwrap(annotation: Any) -> Any:
    """`Annotated[X | None, …]` → X, where X tells how to walk on; a scalar keeps its bounds."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        inner = typing.get_args(annotation)[0]
        return _unwrap(inner) if _walkable(inner) else annotation
    if origin in (typing.Union, types.UnionType):
        members = [item for item in typing.get_args(annotation) if item is not type(None)]
        return _unwrap(members[0]) if len(members) == 1 else annotation
    return annotation


def _walkable(annotation: Any) -> bool:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return any(_walkable(item) for item in typing.get_args(annotation))
    return typing.get_origin(annotation) in (dict, tuple) or (
        isinstance(annotation, type) and issubclass(annotation, Model)
    )


def _value(annotation: Any, name: str, entry: Entry, path: Path, state: Interpretation) -> Any:
    kind = _unwrap(annotation)
    origin = typing.get_origin(kind)
    if isinstance(kind, type) and issubclass(kind, Model):
        return _model(kind, entry, path, state)
    if origin is dict:
        return _map(typing.get_args(kind)[1], name, entry, path, state)
    if origin is tuple:
        return _list(typing.get_args(kind)[0], name, entry, path, state)
    return _scalar(kind, name, entry, path, state)


def _map(item: Any, name: str, entry: Entry, path: Path, state: Interpretation) -> dict[str, Any] | None:
    if entry.value is None:
        return None
    if not isinstance(entry.value, dict):
        state.error(
            "settings-wrong-type",
            entry.place,
            f"{_label(path)}应逐行写“名称: 内容”，现在是{_shown(entry.value)}",
            "请在下一行缩进两格后逐项填写",
        )
        return None
    result: dict[str, Any] = {}
    for key, child in entry.value.items():
        stored = _map_key(name, key, child.place, state)
        if stored is None:
            continue
        if stored in result:
            message = f"{_label(path)}中“{key}”与“{stored}”是同一项，写了两次"
            state.error("settings-double-key", child.place, message, "请只留一处")
            continue
        state.places[(*path, stored)] = child.place
        value = _value(item, name, child, (*path, stored), state)
        if value is not None:
            result[stored] = value
    return result


def _map_key(name: str, key: str, place: Place, state: Interpretation) -> str | None:
    if name in _SUBJECT_KEYED:
        return canonical_subject(key)
    if name != "weights":
        return key.strip()
    words = value_words("weights")
    stored = words.get(clean(key).lower())
    if stored is None:
        message = f"综合评价权重中没有名为“{key}”的项"
        state.error("settings-unknown-key", place, message, "可以写：平均分、优秀率、良好率、及格率、低分率")
    return stored


def _list(item: Any, name: str, entry: Entry, path: Path, state: Interpretation) -> tuple[Any, ...] | None:
    """A list; one text with 、 , ; or blanks between its parts is a list too (as typed into one cell)."""
    value = entry.value
    if value is None:
        return None
    if isinstance(value, str):
        value = [Entry(entry.place, part) for part in settings_scalars.split(value, path[:1] == ("prior",))]
    if isinstance(value, dict):
        state.error(
            "settings-wrong-type",
            entry.place,
            f"{_label(path)}应是一个列表，现在是下级设置",
            "请每项一行，以“- ”开头",
        )
        return None
    result: list[Any] = []
    for number, child in enumerate(value):
        state.places[(*path, str(number))] = child.place
        read = _value(item, name, child, (*path, str(number)), state)
        if read is not None:
            result.append(canonical_subject(read) if path == ("scaling", "subjects") else read)
    return tuple(result)


def _scalar(kind: Any, name: str, entry: Entry, path: Path, state: Interpretation) -> Any:
    if entry.value is None:
        return None
    if not isinstance(entry.value, str):
        state.error(
            "settings-wrong-type",
            entry.place,
            f"{_label(path)}应是一个值，现在是{_shown(entry.value)}",
            "请在冒号后面直接写内容",
        )
        return None
    if not entry.value.strip():
        return None
    try:
        return settings_scalars.read(kind, name, entry.value, path)
    except settings_scalars.ScalarError as error:
        state.error(
            "settings-value", entry.place, f"{_label(path)}的内容是“{entry.value}”，{error.right}", error.remedy
        )
        return None


def _shown(value: str | Mapping[str, Entry] | Sequence[Entry]) -> str:
    if isinstance(value, str):
        text = value if len(value) <= 40 else value[:40] + "…"
        return f"“{text}”"
    return "下级设置" if isinstance(value, Mapping) else "一个列表"

"""Settings of an exam from the user's files, joined from several sources, and written back as exam.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jiaoheng.exams import settings_yaml
from jiaoheng.exams.settings import ExamSettings
from jiaoheng.exams.settings_dump import dump_settings
from jiaoheng.exams.settings_sheet import ANSWER_HEADER, ANSWER_KEY, Answers, answers_from_sheet, settings_from_sheet
from jiaoheng.exams.settings_tree import Entry, SettingsError, interpret
from jiaoheng.sheets.places import Place, Problem, Severity

__all__ = [
    "ANSWER_HEADER",
    "ANSWER_KEY",
    "SETTINGS_SHEETS",
    "Answers",
    "SettingsError",
    "answers_from_sheet",
    "apply_answers",
    "dump_settings",
    "load_settings",
    "merge",
    "settings_from_sheet",
    "settings_from_text",
]

SETTINGS_SHEETS = ("设置", "考试设置")
_WORKBOOK_STARTS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


def load_settings(path: Path) -> tuple[ExamSettings, list[Problem]]:
    """Settings of `exam.yaml`, or of the 设置 sheet of a workbook (told apart by content).

    Every fault is a Problem that names file, line or cell, field, what is there and what is right; with an error
    among them the settings must not be used. An empty file is valid and declares nothing.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(4)
    except OSError as error:
        reason = "没有这个文件" if isinstance(error, FileNotFoundError) else (error.strerror or "读取失败")
        message = f"打不开考试设置（{reason}）"
        problem = Problem("settings-missing", Severity.ERROR, Place(file=str(path)), message, "请检查路径和权限")
        return ExamSettings(), [problem]
    if start in _WORKBOOK_STARTS:
        return _from_workbook(path)
    try:
        return interpret(settings_yaml.read(path))
    except SettingsError as error:
        return ExamSettings(), list(error.problems)


def settings_from_text(text: str, file: str) -> tuple[ExamSettings, list[Problem]]:
    """Settings of the text of an exam.yaml; `file` names it in the messages. Faults as in `load_settings`."""
    try:
        return interpret(settings_yaml.tree(text, file))
    except SettingsError as error:
        return ExamSettings(), list(error.problems)


def _from_workbook(path: Path) -> tuple[ExamSettings, list[Problem]]:
    from jiaoheng.sheets.reading import read_file  # the child process machinery is heavy; YAML does not need it

    source = read_file(path)
    problems = [problem for problem in source.problems if problem.severity is Severity.ERROR]
    for sheet in source.sheets:
        if sheet.name.strip() in SETTINGS_SHEETS:
            settings, found = settings_from_sheet(sheet)
            return settings, problems + found
    if not problems:
        names = "、".join(sheet.name for sheet in source.sheets)
        message = f"没有名为“设置”的工作表，只有：{names}"
        remedy = "请用 jiaoheng exam template 得到带“设置”工作表的模板"
        problems = [Problem("settings-sheet", Severity.ERROR, Place(file=path.name), message, remedy)]
    return ExamSettings(), problems


def merge(base: ExamSettings, override: ExamSettings) -> ExamSettings:
    """`base` with everything that `override` declares. Maps are joined by key; a blank never erases."""
    joined = _join(_declared(base), _declared(override))
    return ExamSettings.model_validate(joined)


def _declared(settings: ExamSettings) -> dict[str, Any]:
    return settings.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)


def _join(base: dict[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in override.items():
        if isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = _join(dict(result[key]), value)
        elif value is not None and value != ():
            result[key] = value
    return result


def apply_answers(
    settings: ExamSettings,
    answers: Mapping[tuple[str, ...], str],
    places: Mapping[tuple[str, ...], Place] | None = None,
) -> ExamSettings:
    """The settings with answers set at their key paths, e.g. ("marks", "/") → "未选".

    An answer replaces what was declared there. `places` says where each answer was written, for the messages.
    Raises SettingsError with one problem per answer that its field does not allow or that contradicts the rest.
    """
    root: dict[str, Entry] = {}
    where = places or {}
    for key, text in answers.items():
        place = where.get(key, Place(file="答复"))
        _put(root, key, Entry(place, text), place)
    partial, problems = interpret(Entry(Place(file="答复"), root))
    bad = [problem for problem in problems if problem.code not in _WHOLE_ONLY]
    if bad:
        raise SettingsError(bad)
    joined = merge(settings, partial)
    from jiaoheng.exams.settings_checks import check

    after = check(joined, dict(where), Place(file="答复"))
    before = {problem.message for problem in check(settings, {}, Place())}
    new = [problem for problem in after if problem.message not in before]
    if new:
        raise SettingsError(new)
    return joined


# contradictions that a few answers alone cannot show: they are checked again on the joined settings
_WHOLE_ONLY = frozenset(
    {
        "settings-weights",
        "settings-threshold-order",
        "settings-step",
        "settings-levels",
        "settings-grade",
        "settings-line",
        "settings-cohort",
    }
)


def _put(root: dict[str, Entry], key: tuple[str, ...], entry: Entry, place: Place) -> None:
    level = root
    for part in key[:-1]:
        child = level.setdefault(part, Entry(place, {}))
        if not isinstance(child.value, dict):
            message = f"“{' › '.join(key)}”与另一个答复互相矛盾"
            raise SettingsError([Problem("answers-double", Severity.ERROR, place, message, "请只留一个答复")])
        level = child.value
    if not key:
        raise SettingsError([Problem("answers-key", Severity.ERROR, place, "答复没有编号", "请恢复编号")])
    level[key[-1]] = entry

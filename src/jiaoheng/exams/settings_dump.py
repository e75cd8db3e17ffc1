"""Settings written as a commented exam.yaml that reads back to the same settings."""

from __future__ import annotations

import datetime as dt
import json
import re
import typing
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from jiaoheng.exams.settings import ExamSettings, Model
from jiaoheng.exams.settings_words import field_help, field_name

_SAFE = re.compile(r"[一-鿿][一-鿿A-Za-z0-9_+（）·]*\Z")  # what no YAML reader takes for anything else
_NESTED = {"subjects": "SubjectSettings", "thresholds": "Thresholds", "subject_thresholds": "Thresholds"}
_NESTED |= {"denominator": "Denominator", "missing": "Missing", "composite": "Composite", "lines": "Lines"}
_NESTED |= {"scaling": "Scaling", "levels": "Levels", "pupils": "PupilLists", "prior": "Prior"}
_BY_SUBJECT = frozenset({"subjects", "subject_thresholds"})


def dump_settings(settings: ExamSettings, undeclared: bool = False) -> str:
    """`exam.yaml` of the settings, each field with its Chinese name and explanation as a comment.

    With `undeclared`, fields that nobody declared appear too, as commented lines to fill in (the template).
    `load_settings` of the text gives equal settings.
    """
    declared = settings.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)
    lines = [
        "# 考试设置。名称后用半角冒号加一个空格；下级设置缩进两格；“#”后面是说明。",
        "# 名称可以写英文，也可以写“#”后的中文名。没有填写的项目采用默认值，报告会列出采用了什么。",
        "",
    ]
    for name in ExamSettings.model_fields:
        lines.extend(_field("ExamSettings", name, declared.get(name), "", undeclared, ExamSettings))
    return "\n".join(lines) + "\n"


def _field(
    model: str, name: str, value: Any, indent: str, undeclared: bool, owner: type[Model] | None = None
) -> Iterator[str]:
    comment = f"  # {field_name(model, name)}：{field_help(model, name)}".rstrip("：")
    nested = _NESTED.get(name) if model == "ExamSettings" else None
    if nested and (value or undeclared):
        mark = "" if value or name not in _BY_SUBJECT else "# "
        yield f"{indent}{mark}{name}:{comment}"
        if name in _BY_SUBJECT:
            for subject, fields in (value or {}).items():
                yield f"{indent}  {scalar(subject)}:" if fields else f"{indent}  {scalar(subject)}: {{}}"
                yield from _fields(nested, fields, indent + "    ", undeclared=False)
            if not value:
                yield f"{indent}#   语文: {{{_example(nested)}}}"
        else:
            yield from _fields(nested, value or {}, indent + "  ", undeclared)
    elif value not in (None, (), {}):
        yield from _plain(name, value, indent, comment)
    elif undeclared:
        yield f"{indent}# {name}: {comment}"


def _fields(model: str, values: Mapping[str, Any], indent: str, undeclared: bool) -> Iterator[str]:
    from jiaoheng.packs import load

    for name in load("settings_words")["fields"][model]:
        yield from _field(model, name, values.get(name), indent, undeclared)


def _example(model: str) -> str:
    return "full: 120, step: 0.5" if model == "SubjectSettings" else "excellent: 0.80"


def _plain(name: str, value: Any, indent: str, comment: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield f"{indent}{name}:{comment}"
        for key, item in value.items():
            yield f"{indent}  {scalar(key)}: {scalar(item)}"
    elif isinstance(value, (list, tuple)) and value and isinstance(value[0], Mapping):
        yield f"{indent}{name}:{comment}"
        for item in value:
            yield f"{indent}  - {_flow(item)}"
    elif isinstance(value, (list, tuple)):
        yield f"{indent}{name}: [{', '.join(scalar(item) for item in value)}]{comment}"
    else:
        yield f"{indent}{name}: {scalar(value)}{comment}"


def _flow(item: Mapping[str, Any]) -> str:
    parts = []
    for key, value in item.items():
        if value is None:
            continue
        parts.append(f"{scalar(key)}: {_flow(value) if isinstance(value, Mapping) else scalar(value)}")
    return "{" + ", ".join(parts) + "}"


def scalar(value: Any) -> str:
    """One YAML scalar; texts are quoted as soon as YAML could read them as anything else."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (int, dt.date)):
        return str(value)
    text = typing.cast(str, value)
    return text if _SAFE.match(text) else json.dumps(text, ensure_ascii=False)

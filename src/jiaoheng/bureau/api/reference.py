"""The published schema as plain data for a page: operations in groups, shapes with their members."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

GROUPS = {
    "office": "本人、单位、期次、代码、任务、记录",
    "registers": "台账和整表",
    "records": "记录",
    "rounds": "采集和填报",
    "files": "文件",
}
_TYPES = {
    "string": "文字",
    "integer": "整数",
    "number": "数值",
    "boolean": "true/false",
    "object": "对象",
    "array": "列表",
}


@dataclass(frozen=True, slots=True)
class Member:
    """A parameter or a shape's member. `link`: the shape that it holds."""

    name: str
    where: str
    kind: str
    link: str
    needed: bool
    words: str


@dataclass(frozen=True, slots=True)
class OperationLine:
    """One operation."""

    id: str
    method: str
    path: str
    title: str
    words: str
    members: tuple[Member, ...]
    body: str
    answers: tuple[tuple[str, str, str], ...]  # status, words, shape


@dataclass(frozen=True, slots=True)
class GroupLines:
    """Operations of one subject."""

    title: str
    operations: tuple[OperationLine, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape of the schema."""

    name: str
    words: str
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """The page."""

    words: str
    groups: tuple[GroupLines, ...]
    shapes: tuple[Shape, ...]


@lru_cache(maxsize=1)
def reference() -> Reference:
    """Everything that the schema says."""
    from jiaoheng.bureau.api.app import api

    schema = api.get_openapi_schema()
    found: dict[str, list[OperationLine]] = {name: [] for name in GROUPS}
    for path, methods in schema["paths"].items():
        for method, details in methods.items():
            found.setdefault(details["tags"][0], []).append(_operation(path, method, details))
    groups = tuple(GroupLines(GROUPS.get(name, name), tuple(lines)) for name, lines in found.items())
    shapes = tuple(_shape(name, one) for name, one in sorted(schema["components"]["schemas"].items()))
    return Reference(schema["info"]["description"], groups, shapes)


def _operation(path: str, method: str, details: Mapping[str, Any]) -> OperationLine:
    members = tuple(
        _member(one["name"], one["in"], one["schema"], bool(one.get("required"))) for one in details["parameters"]
    )
    content = details.get("requestBody", {}).get("content", {})
    body = next((_link(one["schema"]) or kind for kind, one in content.items()), "")
    answers = tuple(
        (str(status), str(one.get("description", "")), _answer(one)) for status, one in details["responses"].items()
    )
    return OperationLine(
        details["operationId"],
        method.upper(),
        path,
        details["summary"],
        details.get("description", ""),
        members,
        body,
        answers,
    )


def _answer(one: Mapping[str, Any]) -> str:
    content = one.get("content", {})
    return "、".join(_link(each.get("schema", {})) or kind for kind, each in content.items())


def _shape(name: str, one: Mapping[str, Any]) -> Shape:
    needed = one.get("required", ())
    members = tuple(_member(each, "", details, each in needed) for each, details in one.get("properties", {}).items())
    return Shape(name, one.get("description", ""), members)


def _member(name: str, where: str, schema: Mapping[str, Any], needed: bool) -> Member:
    words = str(schema.get("description", ""))
    choices = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    for one in choices:
        words = words or str(one.get("description", ""))
    return Member(name, where, _kind(schema), _link(schema), needed, words)


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " / ".join(str(one) or "（空）" for one in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if "anyOf" in schema:
        return " 或 ".join(dict.fromkeys(_kind(one) for one in schema["anyOf"] if one.get("type") != "null"))
    if "$ref" in schema:
        return _link(schema)
    if schema.get("type") == "array":
        return f"列表（{_kind(schema.get('items', {}))}）"
    if schema.get("format") in ("date", "date-time"):
        return {"date": "日期", "date-time": "时刻"}[schema["format"]]
    return _TYPES.get(str(schema.get("type", "")), "任意")


def _link(schema: Mapping[str, Any]) -> str:
    """The name of the shape in a schema, "" where it is none of ours."""
    for one in (schema, schema.get("items", {}), *schema.get("anyOf", ())):
        if "$ref" in one:
            return str(one["$ref"]).rsplit("/", 1)[-1]
    return ""

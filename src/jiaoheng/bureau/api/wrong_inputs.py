"""What is wrong with a request's parameters or content, in Chinese, by place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_WORDS = {
    "missing": "缺少这一项，请补上",
    "extra_forbidden": "没有这一项，请删去",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "int_from_float": "应为整数",
    "int_parsing_size": "数值太大",
    "string_type": "应为文字",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "list_type": "应为列表",
    "dict_type": "应为对象",
    "model_attributes_type": "应为对象",
    "model_type": "应为对象",
    "string_pattern_mismatch": "写法不对，请对照接口说明",
    "value_error": "超出可用的范围",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "不能小于 {}"),
    "less_than_equal": ("le", "不能大于 {}"),
    "string_too_long": ("max_length", "最多 {} 个字"),
    "string_too_short": ("min_length", "至少 {} 个字"),
    "too_long": ("max_length", "最多 {} 项"),
    "too_short": ("min_length", "至少 {} 项"),
    "literal_error": ("expected", "只能是 {}"),
}
_SOURCES = {"query", "path", "header", "body", "form", "file"}
_MOST = 50


def places_of(errors: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Place → sentence: of each place the first one, fifty at most. What was sent is not repeated."""
    found: dict[str, str] = {}
    for one in errors:
        if len(found) >= _MOST:
            break
        found.setdefault(_place(one.get("loc", ())), _sentence(one))
    return found


def _place(loc: Iterable[Any]) -> str:
    parts = [str(part) for part in loc]
    source = parts.pop(0) if parts and parts[0] in _SOURCES else ""
    if source == "body" and len(parts) > 1:
        parts.pop(0)  # the view's own name for the content
    return ".".join(parts)[:100] or source or "body"


def _sentence(one: Mapping[str, Any]) -> str:
    kind = str(one.get("type", ""))
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return words.format(str(one.get("ctx", {}).get(name, "")).replace(" or ", " 或 "))
    if kind in _WORDS:
        return _WORDS[kind]
    if kind.startswith(("date", "time")):
        return "应为日期（2025-09-01）或带时区的时刻"
    return "写法不对，请对照接口说明"

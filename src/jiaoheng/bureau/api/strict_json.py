"""JSON of a request, read once and strictly: what two readers could read differently is refused."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any, NoReturn

from jiaoheng.bureau.api.problems import ApiProblem

MOST_BYTES = 2_000_000
MOST_DEPTH = 20
MOST_MEMBERS = 5_000  # names and list items together
_MOST_DIGITS = 40
_MOST_EXPONENT = 30
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)


def read_json(raw: bytes) -> Any:
    """The content; numbers with a point as exact decimals. Raises ApiProblem (413, 400) naming what is wrong."""
    if len(raw) > MOST_BYTES:
        raise ApiProblem(413, "body-too-large", f"发来 {len(raw):,} 字节，一次最多 {MOST_BYTES:,} 字节，请分开再发")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _wrong(f"内容不是 UTF-8（第 {error.start + 1} 个字节），请按 UTF-8 发送") from None
    _check_depth(text)
    try:
        found = json.loads(
            text, object_pairs_hook=_once, parse_float=_decimal, parse_int=_whole, parse_constant=_constant
        )
    except json.JSONDecodeError as error:
        raise _wrong(f"内容不是 JSON：第 {error.lineno} 行第 {error.colno} 个字符处无法识别，请改正") from None
    _check_texts(found, [0])
    return found


def is_clean(text: str) -> bool:
    """Whether a text holds no NUL and no lone surrogate: neither can be stored by both databases."""
    return "\x00" not in text and not any("\ud800" <= one <= "\udfff" for one in text)


def _wrong(message: str) -> ApiProblem:
    return ApiProblem(400, "json-wrong", message)


def _check_depth(text: str) -> None:
    depth = 0
    for one in _STRINGS.sub("", text):
        if one in "[{":
            depth += 1
            if depth > MOST_DEPTH:
                raise _wrong(f"内容嵌套超过 {MOST_DEPTH} 层，请对照接口说明改正")
        elif one in "]}":
            depth -= 1


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _wrong(f"“{name[:40]}”写了两次，请只留一个")
        found[name] = value
    return found


def _decimal(text: str) -> Decimal:
    found = Decimal(text)
    if len(text) > _MOST_DIGITS or abs(found.adjusted()) > _MOST_EXPONENT:
        raise _wrong(f"数值“{text[:20]}…”太长，请改正")
    return found


def _whole(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise _wrong(f"数值“{text[:20]}…”太长，请改正")
    return int(text)


def _constant(text: str) -> NoReturn:
    raise _wrong(f"“{text}”不是数值，请改正")


def _check_texts(found: Any, seen: list[int]) -> None:
    if isinstance(found, str):
        if not is_clean(found):
            raise _wrong("内容里有不能存的字符（U+0000 或半个字符），请删去")
        return
    items = [*found, *found.values()] if isinstance(found, dict) else found if isinstance(found, list) else ()
    seen[0] += len(items)
    if seen[0] > MOST_MEMBERS:
        raise _wrong(f"内容超过 {MOST_MEMBERS:,} 项，请分开再发")
    for one in items:
        _check_texts(one, seen)

"""How protected values are shown to people without the right to see them, and how such a text is recognised again.

Source: standards §10 (masking by default): name 张*, identity number first 6 and last 4, phone 138****0000, address
down to the village; special columns are not shown at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from jiaoheng.registers.model import Field, FieldType, Sensitive, Value
from jiaoheng.registers.sealed import Sealed

STAR = "*"
HIDDEN = "******"
_ENDS = {Sensitive.ID_NUMBER: (6, 4), Sensitive.PHONE: (3, 4), Sensitive.BANK: (4, 4)}  # characters shown at each end
_STARS = re.compile(r"[*＊]")
_PLACES = (re.compile(r"^(.*(?:村|社区|居委会))"), re.compile(r"^(.*?(?:街道|镇|乡|小区|区|县))"))  # as far as is shown
_COMPOUND = frozenset(
    {"欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐", "夏侯", "长孙", "司徒", "宇文"}
)


def mask(value: Value, kind: Sensitive) -> str:
    """A protected value as it is shown. An empty kind shows the value as it is; a sealed value has its mask with it."""
    if isinstance(value, Sealed):
        return str(value)
    text = "、".join(value) if isinstance(value, list) else str(value)
    if kind is Sensitive.NONE or not text:
        return text
    if kind in _ENDS:
        return _ends(text, *_ENDS[kind])
    if kind is Sensitive.NAME:
        return _name(text)
    return _address(text) if kind is Sensitive.ADDRESS else HIDDEN


def mask_field(value: Value | None, one: Field) -> str:
    """The masked text of a field's value; "" where there is none; files count only."""
    if value is None:
        return ""
    if one.type is FieldType.FILE:
        return HIDDEN
    return mask(value, one.sensitive)


def masker(one: Field) -> Callable[[Value], str]:
    """`mask_field` for the plain values of one field: numbers have a short way, a roster has as many of them as rows."""
    if one.sensitive in _ENDS and one.type is not FieldType.FILE:
        first, last = _ENDS[one.sensitive]
        enough = first + last + 3

        def ends(value: Value) -> str:
            if type(value) is str and (length := len(value)) >= enough:
                return f"{value[:first]}{STAR * (length - first - last)}{value[-last:]}"
            return mask_field(value, one)

        return ends
    return lambda value: mask_field(value, one)


def looks_masked(text: str) -> bool:
    """Whether a text is a masked value: it holds stars, which no name, number or address has."""
    return _STARS.search(text) is not None


def _name(text: str) -> str:
    family = 2 if text[:2] in _COMPOUND and len(text) > 2 else 1
    return text[:family] + STAR  # one star: the length of a name is a hint too


def _ends(text: str, first: int, last: int) -> str:
    """First and last characters; a text too short for both shows at most a third at each end."""
    if len(text) < first + last + 3:
        first, last = min(first, len(text) // 4), min(last, len(text) // 4)
    tail = text[len(text) - last :]
    return text[:first] + STAR * max(3, len(text) - first - last) + tail


def _address(text: str) -> str:
    match = next((found for pattern in _PLACES if (found := pattern.match(text))), None)
    shown = match[1] if match else text[: max(1, len(text) // 3)]
    return shown + HIDDEN if shown != text else shown[: max(1, len(shown) // 2)] + HIDDEN

"""Folding and cleaning of cell texts: one way to compare words, one way to show them."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache

from jiaoheng.sheets.workbook import Cell

# letters and digits that no folding changes; most names, classes and ids match and need no further work
_PLAIN = re.compile(r"[0-9A-Za-z\u4e00-\u9fff]+")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\u202a\u202c\u202d\u202e"))
_SPACES = re.compile(r"\s+")
_HAN = re.compile(r"[\u3007\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff·]+")
_DOTS = str.maketrans(dict.fromkeys("•・‧∙⋅．●﹒･", "·"))
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xA0: 0x20}


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """The form in which words are compared: NFKC, no white space, nothing invisible, lower case."""
    return _SPACES.sub("", unicodedata.normalize("NFKC", text).translate(_INVISIBLE)).lower()


def clean(text: str) -> str | None:
    """A text as it is shown: trimmed, full-width letters and digits halved, nothing invisible; None where nothing is left.

    Chinese characters stay as written (NFKC would replace rare compatibility characters of names).
    A leading apostrophe, which Excel uses to force text, and the csv form ="007" are taken off.
    """
    if _PLAIN.fullmatch(text):
        return text
    out = _SPACES.sub(" ", text.translate(_FULL_WIDTH).translate(_INVISIBLE)).strip()
    if out.startswith('="') and out.endswith('"'):
        out = out[2:-1]
    out = out.lstrip("'’‘`").strip()
    return out or None


def name_key(text: str) -> str:
    """A pupil's name for comparing and joining: 王　某 → 王某; dots of one kind; Latin names keep single spaces."""
    cleaned = (clean(text) or "").translate(_DOTS)
    tight = cleaned.replace(" ", "")
    return tight if _HAN.fullmatch(tight) else cleaned


def number_text(value: float | int) -> str:
    """A number as the person who typed it sees it: 12.0 → 12, 9.1 → 9.1, never an exponent."""
    if isinstance(value, int):
        return str(value)
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    return str(int(value)) if value == int(value) else format(Decimal(repr(value)), "f")


def shown(cell: Cell) -> str:
    """Any cell as text for a message."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, (int, float)):
        return number_text(cell)
    return str(cell)


def cell_text(cell: Cell) -> str | None:
    """A label cell as cleaned text, numbers as typed; None where blank."""
    if isinstance(cell, str):
        return clean(cell)
    return None if cell is None else shown(cell)


def is_blank(cell: Cell) -> bool:
    """Nothing a person could see."""
    return cell is None or (isinstance(cell, str) and not cell.translate(_INVISIBLE).strip())

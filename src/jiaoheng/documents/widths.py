"""How wide texts and the columns of tables are, in half-width characters."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable
from fractions import Fraction
from functools import cache

from jiaoheng.documents.model import Kind, TableColumn, Value
from jiaoheng.documents.printing import printed
from jiaoheng.documents.safe_text import one_line

_FIXED_DIGITS = frozenset({Kind.NUMBER, Kind.PERCENT, Kind.SIGNED, Kind.SIGNED_PERCENT})


def text_width(text: str) -> int:
    """Width in half-width characters: a Chinese character takes two."""
    return len(text) if text.isascii() else sum(map(_character_width, text))


@cache
def _character_width(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def widest(column: TableColumn, values: Iterable[Value]) -> int:
    """The widest of the values as they are printed in this column; 0 where there are none.

    Of numbers with fixed decimals only the largest and the smallest are printed: none between them is wider.
    """
    texts: set[str] = set()
    numbers: list[int | float | Fraction] = []
    others: list[Value] = []
    for value in values:
        if isinstance(value, str):
            texts.add(value)
        elif isinstance(value, (Fraction, int)) or (isinstance(value, float) and math.isfinite(value)):
            numbers.append(value)
        else:
            others.append(value)
    if column.kind in _FIXED_DIGITS and numbers:
        numbers = [max(numbers, key=float), min(numbers, key=float)]
    found = [text_width(one_line(text)) for text in texts]
    found += [text_width(printed(value, column).text) for value in (*numbers, *others)]
    return max(found, default=0)

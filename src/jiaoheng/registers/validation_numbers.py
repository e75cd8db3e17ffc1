"""Columns of plain number cells → stored values, all at once; a column with anything odd in it is left to the `Reader`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from jiaoheng.registers.model import Field, FieldType, Value
from jiaoheng.sheets.workbook import Cell

_FEW = 64  # cells: fewer are read one by one as quickly
_SAFE = 10**15
_NEAR_ZERO = 1e-3  # smaller ones Python may write with an exponent
_MOST_DECIMALS = 6
_SHORT = 10**9  # with _MOST_DECIMALS behind it 15 digits, which a cell holds exactly
_SPREAD = 65_536
_NUMBERS = (FieldType.INTEGER, FieldType.NUMBER)
_PLAIN = ({float}, {float, type(None)})


def number_column(cells: Sequence[Cell], one: Field) -> tuple[list[Value | None], set[Value]] | None:
    """The stored values of a column whose cells are all numbers that the field takes, or blank.

    With them the different values that are at the field's bounds or beyond: those must be judged exactly. None where
    the column is not of this kind.
    """
    if one.type not in _NUMBERS or one.codes or len(cells) < _FEW or set(map(type, cells)) not in _PLAIN:
        return None
    blanks = None in cells
    numbers: Any = [cell for cell in cells if cell is not None] if blanks else cells
    array = np.array(numbers, dtype=np.float64)
    if not bool(np.isfinite(array).all()) or float(np.abs(array).max()) >= _SAFE:
        return None
    values = _integers(array) if one.type is FieldType.INTEGER else _decimals(array, numbers, one.decimals)
    if values is None:
        return None
    low, high = inside(one)
    near = {values[at] for at in np.flatnonzero(~((array > low) & (array < high))).tolist()}
    if not blanks:
        return values, near
    coming = iter(values)
    return [None if cell is None else next(coming) for cell in cells], near


def inside(one: Field) -> tuple[float, float]:
    """Between these two a number is surely within the field's bounds."""
    low = float(one.minimum) if isinstance(one.minimum, Decimal) else -math.inf
    high = float(one.maximum) if isinstance(one.maximum, Decimal) else math.inf
    margin = 1e-9 * max((1.0, *(abs(bound) for bound in (low, high) if math.isfinite(bound))))
    return low + margin, high - margin


def _integers(array: npt.NDArray[np.float64]) -> list[Any] | None:
    whole = array.astype(np.int64)
    made: list[Any]
    if not bool((whole == array).all()):
        return None
    least, most = int(whole.min()), int(whole.max())
    if most - least > _SPREAD:
        made = whole.tolist()
        return made
    shared = list(range(least, most + 1))  # one object a number: there are far more cells than numbers
    return list(map(shared.__getitem__, (whole - least).tolist()))


def _decimals(array: npt.NDArray[np.float64], numbers: Sequence[float], limit: int | None) -> list[Any] | None:
    """Texts with at most `limit` decimals: the number nearest to such a text is written as that text."""
    if limit is None or limit > _MOST_DECIMALS:
        return None
    size = np.abs(array)
    if float(size.max()) >= _SHORT or bool(((size < _NEAR_ZERO) & (size > 0)).any()):
        return None
    scale = 10.0**limit
    if not bool((np.rint(array * scale) / scale == array).all()):
        return None
    texts = list(map(repr, numbers))
    for at in np.flatnonzero(array == np.floor(array)).tolist():
        texts[at] = str(int(numbers[at]))
    return texts

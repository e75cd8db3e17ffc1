"""Columns of any maker (NumPy, lists, Polars, Arrow) as the arrays that the value-added methods compute with."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from jiaoheng.methods.effects_errors import EffectsDataError
from jiaoheng.methods.effects_model import FloatArray, IntArray


def floats(values: Any, what: str) -> FloatArray:
    """A float64 array of a column of numbers, a null as NaN.

    Raises EffectsDataError `not-numbers` where it holds anything else; `what` names the column in the message.
    """
    try:
        if isinstance(values, pl.Series):
            values = values.cast(pl.Float64).to_numpy()
        return np.ascontiguousarray(np.asarray(values), dtype=np.float64)
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise EffectsDataError("not-numbers", f"“{what}”一列有不是数字的内容：应全为数字，请改正后再算") from error


def finite(values: FloatArray, what: str) -> None:
    """Raises EffectsDataError `not-finite` with the first row (from 1) that is NaN or infinite."""
    flat = values if values.ndim == 1 else values.sum(axis=1)
    bad = ~np.isfinite(flat)
    if bad.any():
        raise EffectsDataError(
            "not-finite",
            f"“{what}”第 {int(bad.argmax()) + 1} 行起共 {int(bad.sum())} 行是空值或无穷大："
            "应为有限的数字，请补上或删去这些行",
        )


def series(values: Any) -> pl.Series:
    """A Polars series of keys; NaN counts as null."""
    if isinstance(values, pl.Series):
        return values
    try:
        made = pl.Series(values)
    except (TypeError, ValueError, pl.exceptions.PolarsError):
        made = pl.Series([None if one is None else str(one) for one in values])
    if made.dtype == pl.Object:
        made = pl.Series([None if one is None else str(one) for one in values])
    return made.fill_nan(None) if made.dtype.is_float() else made


def keyed(values: Any, what: str) -> tuple[list[str], IntArray]:
    """The distinct keys in their natural order as text, and the position of each row's key among them, (n,).

    Raises EffectsDataError `key-missing` with the first row (from 1) without a key.
    """
    column = series(values)
    if column.null_count():
        first = int(column.is_null().arg_max() or 0) + 1
        raise EffectsDataError(
            "key-missing", f"“{what}”第 {first} 行起共 {column.null_count()} 行是空的：应填明归属，请补上或删去这些行"
        )
    if column.dtype == pl.Categorical or isinstance(column.dtype, pl.Enum):
        column = column.cast(pl.String)
    distinct = column.unique().sort()
    codes = distinct.search_sorted(column).to_numpy().astype(np.int64)
    return [text(one) for one in distinct.to_list()], codes


def once(what: str, **keys: Any) -> None:
    """Raises EffectsDataError `duplicate-rows` where two rows have the same keys, columns (n,) by their names.

    `what` names a row in the message (a pupil's result, say).
    """
    coded = [keyed(values, name) for name, values in keys.items()]
    code = np.zeros(len(coded[0][1]), dtype=np.int64)
    for names, one in coded:
        code = np.unique(code * len(names) + one, return_inverse=True)[1].astype(np.int64)
    order = np.argsort(code, kind="stable")
    again = np.flatnonzero(np.diff(code[order]) == 0)
    if len(again):
        first, second = sorted(order[again[0] : again[0] + 2].tolist())
        where = "，".join(f"{name} {names[one[first]]}" for name, (names, one) in zip(keys, coded, strict=True))
        raise EffectsDataError(
            "duplicate-rows",
            f"{what}重复：第 {first + 1} 行和第 {second + 1} 行都是{where}（共多出 {len(again)} 行），每人每次应只有一行，请删去多余的",
        )


def text(key: Any) -> str:
    """A key as a person writes it: whole numbers without a point."""
    return str(int(key)) if isinstance(key, float) and key.is_integer() else str(key)

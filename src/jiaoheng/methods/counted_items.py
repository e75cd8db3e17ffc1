"""Item sums and cross products from what a database returned (see `engine.item_counting`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from jiaoheng.engine.item_counting import INCOMPLETE, ITEM, MEASURES, PUPILS, UNIT
from jiaoheng.methods.crossproducts import CrossProducts, IntArray, ItemSums


def item_sums_of(counts: pl.DataFrame, pupils: pl.DataFrame, n_units: int, items: int) -> ItemSums:
    """From the rows of `item_counts` and `item_pupils`; units are numbers 0 … n_units − 1. Repeated rows add.

    Raises ValueError for a unit or item out of range.
    """
    unit = _numbers(counts[UNIT])
    item = _numbers(counts[ITEM].str.strip_prefix("i").cast(pl.Int64))
    own = _numbers(pupils[UNIT])
    for name, values, limit in (("unit", unit, n_units), ("item", item, items), ("unit", own, n_units)):
        if values.size and not 0 <= values.min() <= values.max() < limit:
            raise ValueError(f"{name} numbers must lie between 0 and {limit - 1}")
    parts: list[IntArray] = []
    for measure in MEASURES:
        part = np.zeros((n_units, items), np.int64)
        np.add.at(part, (unit, item), _numbers(counts[measure]))
        parts.append(part)
    people = np.zeros(n_units, np.int64)
    np.add.at(people, own, _numbers(pupils[PUPILS]))
    return ItemSums(people, *parts)


def cross_products_of(row: dict[str, Any], items: Sequence[str]) -> CrossProducts:
    """From the one row of `item_products`."""
    size = len(items)
    sums = np.array([int(row[f"s{i}"]) for i in range(size)], np.int64)
    products = np.zeros((size, size), np.int64)
    for i in range(size):
        for j in range(i, size):
            products[i, j] = products[j, i] = int(row[f"p{i}_{j}"])
    return CrossProducts(int(row[PUPILS]), int(row[INCOMPLETE]), sums, products)


def _numbers(column: pl.Series) -> IntArray:
    found: IntArray = column.cast(pl.Int64).to_numpy()
    return found

"""Item scores as sums that add up: by unit and item, and the cross products of all items, one GROUP BY each.

Item scores are integers in the subject's steps, one column an item; null is no score (and not zero). Everything that
comes back is an exact integer, whatever the engine and however the rows are split.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

UNIT, ITEM = "unit", "item"
PUPILS, INCOMPLETE = "pupils", "incomplete"
MEASURES = ("count", "sum", "square", "zeros", "fulls", "total", "total_square", "cross")


def item_counts(table: Any, unit: str, full: Mapping[str, int], total: str | None = None) -> Any:
    """An Ibis expression with one row per (unit, item): the sums of `methods.crossproducts.ItemSums`.

    `full`: the items (column names) with their full marks in steps. A pupil's total is the sum of the pupil's items,
    or the column `total` where it is given. Raises ValueError for columns that are missing or no integers.
    """
    import ibis
    import ibis.selectors as s

    items = tuple(full)
    _check(table, unit, (*items, *([total] if total else [])))
    scores = {f"i{at}": table[name].cast("int64") for at, name in enumerate(items)}
    whole = table[total].cast("int64") if total else _sum([score.fill_null(0) for score in scores.values()])
    wide = table.select(**{UNIT: table[unit]}, t=whole, **scores)
    if total:
        wide = wide.filter(wide.t >= 0)
    long = wide.pivot_longer(s.cols(*scores), names_to=ITEM, values_to="x")
    long = long.filter(long.x.notnull())
    best = ibis.cases(*[(long[ITEM] == f"i{at}", mark) for at, mark in enumerate(full.values())])
    rows = long.mutate(best=best.cast("int64"))
    return rows.group_by([UNIT, ITEM]).agg(
        count=rows.count(),
        sum=rows.x.sum(),
        square=(rows.x * rows.x).sum(),
        zeros=(rows.x == 0).cast("int64").sum(),
        fulls=(rows.x == rows.best).cast("int64").sum(),
        total=rows.t.sum(),
        total_square=(rows.t * rows.t).sum(),
        cross=(rows.x * rows.t).sum(),
    )


def item_pupils(table: Any, unit: str, items: Sequence[str], total: str | None = None) -> Any:
    """An Ibis expression with one row per unit: pupils with at least one item (and a total, where it is given)."""
    _check(table, unit, (*items, *([total] if total else [])))
    some = table.filter(_any([table[name].notnull() for name in items]))
    if total:
        some = some.filter(some[total] >= 0)
    rows = some.select(**{UNIT: some[unit]})
    return rows.group_by(UNIT).agg(**{PUPILS: rows.count()})


def item_products(table: Any, items: Sequence[str]) -> Any:
    """An Ibis expression of one row: `pupils` with every item, `incomplete` ones, Σxᵢ as `s{i}`, Σxᵢxⱼ as `p{i}_{j}`, i ≤ j.

    Raises ValueError for columns that are missing or no integers.
    """
    _check(table, items[0], items)
    rows = table.select(**{f"i{at}": table[name].cast("int64") for at, name in enumerate(items)})
    columns = [f"i{at}" for at in range(len(items))]
    have = _sum([rows[name].notnull().cast("int64") for name in columns])
    rows = rows.mutate(have=have)
    rows = rows.filter(rows.have > 0)
    whole = rows.have == len(items)
    found = {
        PUPILS: whole.cast("int64").sum().fill_null(0),
        INCOMPLETE: (~whole).cast("int64").sum().fill_null(0),
    }
    for i, one in enumerate(columns):
        found[f"s{i}"] = rows[one].sum(where=whole).fill_null(0)
        for j, other in enumerate(columns[i:], i):
            found[f"p{i}_{j}"] = (rows[one] * rows[other]).sum(where=whole).fill_null(0)
    return rows.agg(**found)


def _check(table: Any, unit: str, columns: Sequence[str]) -> None:
    schema = table.schema()
    for name in (unit, *columns):
        if name not in schema:
            raise ValueError(f"表中没有“{name}”列，现有：{'、'.join(schema.names)}")
    loose = [name for name in columns if not schema[name].is_integer()]
    if loose:
        raise ValueError(f"“{'、'.join(loose)}”列不是整数。小题得分应换算成最小计分单位的整数")


def _sum(values: Sequence[Any]) -> Any:
    """A balanced sum: a chain of 150 additions is a tree too deep for some parsers."""
    if len(values) == 1:
        return values[0]
    middle = len(values) // 2
    return _sum(values[:middle]) + _sum(values[middle:])


def _any(values: Sequence[Any]) -> Any:
    if len(values) == 1:
        return values[0]
    middle = len(values) // 2
    return _any(values[:middle]) | _any(values[middle:])

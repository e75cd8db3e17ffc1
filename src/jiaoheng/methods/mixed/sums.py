"""Group sums from rows: as one GROUP BY in an Ibis expression (DuckDB, Spark), or from NumPy arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from jiaoheng.engine.numbers import is_nan, without_nan
from jiaoheng.engine.pieces import pieces
from jiaoheng.methods.mixed.group_sums import INTERCEPT, GroupSums, Pair, held_pairs, pairs_of
from jiaoheng.methods.mixed.taking_in import taken_in, wholes_of

_SAMPLE = 10_000  # rows that give the constants to subtract; any constant is right, a near one keeps digits


def sums_expression(
    table: Any,
    *,
    outcome: str,
    predictors: Sequence[str],
    groups: Sequence[str],
    priors: Sequence[str] = (),
    weight: str | None = None,
    shifts: Mapping[str, float] | None = None,
    keep_unknown: bool = False,
    pairs: Sequence[Pair] | None = None,
) -> Any:
    """An Ibis expression with one row per (groups…, pattern): n and the sums of products `p0`, `p1` …, in any order.

    `table`: an Ibis table, one row per pupil. `priors`: those of the predictors that may be unknown; a row without any
    known prior is left out unless `keep_unknown`. A row without outcome, group or another predictor, or with a weight
    that is not positive, is left out. NaN is unknown. pairs: the products to sum (None: all of `pairs_of`); without
    groups they are those of all pupils. Raises ValueError for a column the table has not.
    """
    names = [*predictors, outcome]
    rows, keys = _rows(table, names, groups, priors, weight, shifts or {}, keep_unknown=keep_unknown)
    by = [*keys, *(["pattern"] if priors else [])]
    wanted = pairs_of(len(names) + 1) if pairs is None else pairs
    found = _sums(rows, wanted, weight)
    if not by:
        return rows.agg(**found)
    summed = rows.group_by(by).agg(**found)
    # grouped by what the keys are, told by how they are written
    return summed.mutate(**{name: summed[name].cast("string") for name in keys})


def _rows(
    table: Any,
    names: Sequence[str],
    groups: Sequence[str],
    priors: Sequence[str],
    weight: str | None,
    shifts: Mapping[str, float],
    *,
    keep_unknown: bool,
) -> tuple[Any, list[str]]:
    """The usable rows with columns g0… (keys), v1… (values, unknown priors 0), w and pattern; the names of the keys."""
    import ibis

    schema = table.schema()
    for name in (*names, *groups, *([weight] if weight else [])):
        if name not in schema:
            raise ValueError(f"表中没有“{name}”列，现有：{'、'.join(schema.names)}")
    values = {
        f"v{at}": without_nan(table[name]).cast("float64") - float(shifts.get(name, 0.0))
        for at, name in enumerate(names, 1)
    }
    keys = {f"g{at}": table[name] for at, name in enumerate(groups)}
    own = {"w": table[weight].cast("float64")} if weight else {}
    rows = table.select(**keys, **values, **own)
    maybe = {f"v{at}": bit for bit, prior in enumerate(priors) for at, name in enumerate(names, 1) if name == prior}
    sure = [f"v{at}" for at in range(1, len(names) + 1) if f"v{at}" not in maybe]
    rows = rows.filter([rows[name].notnull() for name in (*keys, *sure, *own)])
    if weight:
        rows = rows.filter(rows.w > 0)
    pattern = ibis.literal(0, type="int64")
    for name, bit in maybe.items():
        pattern = pattern + rows[name].notnull().cast("int64") * (1 << bit)
    if maybe:
        rows = rows.mutate(pattern=pattern, **{name: rows[name].fill_null(0.0) for name in maybe})
        if not keep_unknown:
            rows = rows.filter(rows.pattern > 0)
    return rows, list(keys)


def _sums(rows: Any, pairs: Sequence[Pair], weight: str | None) -> dict[str, Any]:
    """The aggregates by name."""
    found: dict[str, Any] = {"n": rows.count()}
    for at, (i, j) in enumerate(pairs):
        if j == 0:
            found[f"p{at}"] = rows.w.sum() if weight else rows.count().cast("float64")
            continue
        value = rows[f"v{j}"] if i == 0 else rows[f"v{i}"] * rows[f"v{j}"]
        found[f"p{at}"] = (rows.w * value if weight else value).sum()
    if weight:
        found["lw"] = rows.w.ln().sum()
        found["w2"] = (rows.w * rows.w).sum()
    return found


def near_means(table: Any, names: Sequence[str]) -> dict[str, float]:
    """Constants near the means of the columns, from the first rows the engine gives."""
    import ibis

    head = table.select(*names).limit(_SAMPLE)
    finite = {}
    for name in names:
        value = head[name].cast("float64")
        usable = value.notnull() & ~is_nan(value) & ~value.isinf()
        finite[name] = ibis.ifelse(usable, value, None).mean()
    row = head.agg(**finite).to_pyarrow().to_pylist()[0]
    return {name: float(row[name]) if row[name] is not None else 0.0 for name in names}


def group_sums(
    table: Any,
    *,
    outcome: str,
    predictors: Sequence[str],
    groups: Sequence[str],
    priors: Sequence[str] = (),
    weight: str | None = None,
    keep_unknown: bool = False,
    slopes: Sequence[str] | None = (),
) -> GroupSums:
    """Run `sums_expression` on the table's engine and take in what comes back.

    slopes: the predictors whose slope may vary among units; the sums are light then: products of other columns come from
    a second expression over all pupils. None: every product by cell.
    """
    columns = (INTERCEPT, *predictors, outcome)
    shifts = near_means(table, columns[1:])
    asked: dict[str, Any] = {
        "outcome": outcome,
        "predictors": predictors,
        "priors": priors,
        "weight": weight,
        "shifts": shifts,
        "keep_unknown": keep_unknown,
    }
    places = None if slopes is None else tuple(columns.index(name) for name in slopes)
    held = held_pairs(len(columns), places)[0]
    by_cell = sums_expression(table, groups=groups, pairs=held, **asked)
    sums = taken_in(pieces(by_cell), columns, tuple(priors), tuple(groups), shifts, places)
    if places is None or not sums.cells:
        return replace(sums, slopes=None)
    # a row without a group is in no cell; it must not be in the products either
    grouped = table.filter([table[name].notnull() for name in groups])
    whole = sums_expression(grouped, groups=(), **asked).to_pyarrow()
    masks, wholes = wholes_of(whole, len(columns), len(priors))
    return replace(sums, masks=masks, wholes=wholes)


def sums_of_arrays(
    outcome: npt.ArrayLike,
    predictors: Mapping[str, npt.ArrayLike],
    groups: Mapping[str, npt.ArrayLike],
    *,
    outcome_name: str = "y",
    priors: Sequence[str] = (),
    weight: npt.ArrayLike | None = None,
    keep_unknown: bool = False,
) -> GroupSums:
    """The same sums from arrays in memory: one entry a pupil; NaN is unknown; `groups` outermost first."""
    y = np.asarray(outcome, dtype=np.float64)
    x = {name: np.asarray(values, dtype=np.float64) for name, values in predictors.items()}
    w = None if weight is None else np.asarray(weight, dtype=np.float64)
    pattern = np.zeros(y.size, np.int64)
    for bit, prior in enumerate(priors):
        pattern |= np.where(np.isnan(x[prior]), 0, 1 << bit)
    keep = ~np.isnan(y)
    for name, values in x.items():
        if name not in priors:
            keep &= ~np.isnan(values)
    if priors and not keep_unknown:
        keep &= pattern > 0
    if w is not None:
        keep &= w > 0
    names = [np.asarray(values)[keep].astype(str) for values in groups.values()]
    found = [np.unique(name, return_inverse=True) for name in names]
    codes = [code for _, code in found]
    pattern = pattern[keep]
    order = np.lexsort((pattern, *codes[::-1]))
    sorted_codes = [code[order] for code in (*codes, pattern)]
    new = np.ones(order.size, np.bool_)
    new[1:] = np.any([code[1:] != code[:-1] for code in sorted_codes], axis=0)
    starts = np.flatnonzero(new)
    shifts, columns = [0.0], [np.ones(order.size)]
    for value in (*x.values(), y):
        own = value[keep][order]
        shift = float(np.nanmean(own[:_SAMPLE])) if own.size and not np.isnan(own[:_SAMPLE]).all() else 0.0
        shifts.append(shift)
        columns.append(np.nan_to_num(own - shift, nan=0.0, posinf=np.inf, neginf=-np.inf))
    own_weight = np.ones(order.size) if w is None else w[keep][order]
    products = np.array(
        [np.add.reduceat(own_weight * columns[i] * columns[j], starts) for i, j in pairs_of(len(columns))]
    ).reshape(len(pairs_of(len(columns))), starts.size)
    head = order[starts]
    return GroupSums(
        columns=(INTERCEPT, *x, outcome_name),
        priors=tuple(priors),
        levels=tuple(groups),
        keys=tuple(words[code[head]].tolist() for words, code in found),
        pattern=pattern[head] if priors else np.zeros(starts.size, np.int64),
        n=np.diff(np.append(starts, order.size)),
        products=products,
        shifts=np.array(shifts),
        log_weights=None if w is None else np.add.reduceat(np.log(own_weight), starts),
        square_weights=None if w is None else np.add.reduceat(own_weight**2, starts),
    )

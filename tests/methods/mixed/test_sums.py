"""Summaries add up, whichever way they are made; nothing depends on the order of rows or the scale of scores."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiaoheng.engine.connection import connect
from jiaoheng.methods.mixed.columns import chosen, unit_mean
from jiaoheng.methods.mixed.group_sums import GroupSums, merged, reshifted, with_constant
from jiaoheng.methods.mixed.nested import fit_nested
from jiaoheng.methods.mixed.sums import group_sums, sums_of_arrays

N = 900


def _rows(seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    school, klass = rng.integers(0, 12, N), rng.integers(0, 3, N)
    a, b = rng.normal(300, 25, N), rng.normal(60, 9, N)
    y = 20 + 0.2 * a + 0.5 * b + rng.normal(0, 3, 12)[school] + rng.normal(0, 6, N)
    a, b = np.where(rng.random(N) < 0.25, np.nan, a), np.where(rng.random(N) < 0.2, np.nan, b)
    w = rng.uniform(0.5, 2, N)
    return pl.DataFrame(
        {"school": school.astype(str), "class": klass, "a": a, "b": b, "y": y, "w": w, "c": rng.integers(0, 2, N)}
    )


ASKED = {"outcome": "y", "predictors": ["a", "b", "c"], "groups": ["school", "class"], "priors": ["a", "b"]}


def _engine(rows: pl.DataFrame, slopes: list[str] | None, **more: object) -> GroupSums:
    backend = connect("duckdb")
    backend.con.register("rows", rows.to_arrow())
    return group_sums(backend.table("rows"), slopes=slopes, **{**ASKED, **more})  # type: ignore[arg-type]


def _arrays(rows: pl.DataFrame, weight: bool = False) -> GroupSums:
    return sums_of_arrays(
        rows["y"].to_numpy(),
        {name: rows[name].to_numpy() for name in ("a", "b", "c")},
        {"school": rows["school"].to_numpy(), "class": rows["class"].to_numpy()},
        priors=["a", "b"],
        weight=rows["w"].to_numpy() if weight else None,
    )


def _same(one: GroupSums, other: GroupSums) -> None:
    zero = np.zeros(len(one.columns))
    one, other = reshifted(one, zero), reshifted(other, zero)
    assert [list(keys) for keys in one.keys] == [list(keys) for keys in other.keys]
    assert one.pattern.tolist() == other.pattern.tolist()
    assert one.n.tolist() == other.n.tolist()
    np.testing.assert_allclose(one.sums, other.sums, rtol=1e-9, atol=1e-6)
    for mask in {*one.pattern.tolist()}:
        np.testing.assert_allclose(one.total([mask]), other.total([mask]), rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("weight", [False, True])
def test_group_by_and_arrays_give_the_same(weight: bool) -> None:
    rows = _rows(1)
    more = {"weight": "w"} if weight else {}
    _same(_engine(rows, None, **more), _arrays(rows, weight))
    _same(_engine(rows, [], **more), _arrays(rows, weight))


@pytest.mark.parametrize("slope", [None, "c"])
def test_light_sums_give_the_same_fit(slope: str | None) -> None:
    rows = _rows(2)
    slopes = {"school": [slope]} if slope else None
    full = fit_nested(_engine(rows, None), slopes=slopes).fit
    light = fit_nested(_engine(rows, [slope] if slope else []), slopes=slopes).fit
    assert light.criterion == pytest.approx(full.criterion, rel=1e-11)
    np.testing.assert_allclose(light.effects[0].estimate, full.effects[0].estimate, atol=1e-7)


def test_light_sums_do_not_hold_the_products_of_a_cell() -> None:
    light = _engine(_rows(2), [])
    with pytest.raises(KeyError):
        light.product(1, 2)
    assert light.products.shape[0] == 5


def test_columns_made_and_chosen_are_alike_in_light_and_full_sums() -> None:
    rows = _rows(3)
    made = []
    for slopes in (None, []):
        sums = _engine(rows, slopes)
        made.append(with_constant(sums, "mean", unit_mean(sums, "school", "a")))
    _same(*made)
    _same(*(chosen(one, ["b", "mean"]) for one in made))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.lists(st.integers(1, N - 1), min_size=1, max_size=4, unique=True))
def test_parts_add_up(seed: int, cuts: list[int]) -> None:
    rows = _rows(seed)
    ends = [0, *sorted(cuts), N]
    parts = [_arrays(rows[a:b]) for a, b in pairwise(ends) if rows[a:b].height > 5]
    kept = pl.concat([rows[a:b] for a, b in pairwise(ends) if rows[a:b].height > 5])
    _same(merged(parts), _arrays(kept))


def test_parts_of_light_sums_add_up() -> None:
    rows = _rows(5)
    _same(merged([_engine(rows[:400], []), _engine(rows[400:], [])]), _arrays(rows))


def test_unlike_parts_are_refused() -> None:
    one = _arrays(_rows(1))
    with pytest.raises(ValueError, match="the same columns"):
        merged([one, replace(one, columns=("(Intercept)", "a", "b", "d", "y"))])


@settings(max_examples=10, deadline=None)
@given(
    st.integers(0, 500),
    st.floats(0.01, 500),
    st.floats(-1e4, 1e4),
    st.floats(0.01, 100),
    st.floats(-1e4, 1e4),
)
def test_affine_changes_of_scores_scale_the_effects(
    seed: int, scale: float, shift: float, own: float, off: float
) -> None:
    rows = _rows(seed)
    changed = rows.with_columns(pl.col("y") * scale + shift, pl.col("a") * own + off)
    one, other = fit_nested(_arrays(rows)).fit, fit_nested(_arrays(changed)).fit
    tolerance = 1e-4 * max(1e-9, float(np.abs(one.effects[0].estimate).max())) * scale
    np.testing.assert_allclose(other.effects[0].estimate, one.effects[0].estimate * scale, rtol=1e-4, atol=tolerance)
    assert other.icc == pytest.approx(one.icc, rel=1e-3, abs=1e-6)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 500))
def test_the_order_of_rows_and_names_changes_nothing(seed: int) -> None:
    rows = _rows(seed)
    mixed = rows.sample(fraction=1, shuffle=True, seed=seed)
    renamed = mixed.with_columns(
        (pl.lit("校") + (20 - pl.col("school").cast(pl.Int64)).cast(pl.String)).alias("school")
    )
    one, other = fit_nested(_arrays(rows)).fit, fit_nested(_arrays(renamed)).fit
    assert other.criterion == pytest.approx(one.criterion, rel=1e-10)
    place = {unit[0]: at for at, unit in enumerate(other.effects[0].units)}
    theirs = [other.effects[0].estimate[place[f"校{20 - int(unit[0])}"]] for unit in one.effects[0].units]
    np.testing.assert_allclose(theirs, one.effects[0].estimate, atol=1e-6)

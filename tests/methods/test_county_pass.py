"""The county pass against pandas: every figure and rank, however units, pupils and threads are arranged."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiaoheng.methods.county_pass import ColumnResult, PassColumn, UnitTree, county_pass, total_column
from jiaoheng.methods.grouping import group, stable_order
from jiaoheng.methods.moments import medians, variances

LEVELS = ("class", "school", "county")
FIELDS = ("n", "sums", "squares", "twice_median", "lowest", "highest")
HALF = Fraction(1, 2)


def exam(seed: int, pupils: int, classes: int, schools: int, absent: float) -> tuple[dict[str, PassColumn], UnitTree]:
    rng = np.random.default_rng(seed)
    tree = UnitTree(
        LEVELS,
        rng.integers(0, classes, pupils).astype(np.int32),
        (rng.integers(0, schools, classes), np.zeros(schools, np.int32)),
    )
    cuts = {"pass": Fraction(73, 3), "low": Fraction(-2)}
    columns = {
        "a": PassColumn(rng.integers(-5, 101, pupils).astype(np.int16), rng.random(pupils) >= absent, HALF, cuts),
        "b": PassColumn(rng.integers(0, 7, pupils).astype(np.uint8), None, HALF, cuts),
    }
    columns["total"] = total_column(list(columns.values()), cuts=cuts)
    return columns, tree


def check(columns: dict[str, PassColumn], tree: UnitTree, results: dict[str, ColumnResult]) -> None:
    for name, column in columns.items():
        mask = np.ones(column.values.size, bool) if column.mask is None else column.mask
        marks = pd.Series(column.values.astype(float)).where(mask)
        for level, size, units in zip(LEVELS, tree.sizes(), tree.units(), strict=True):
            stats, by = results[name].stats[level], marks.groupby(units)
            full = range(size)
            assert stats.n.tolist() == by.count().reindex(full, fill_value=0).tolist()
            assert stats.sums.tolist() == by.sum().reindex(full, fill_value=0).tolist()
            np.testing.assert_allclose(stats.mean_floats(), by.mean().reindex(full) / 2)
            np.testing.assert_allclose(stats.sd_floats(), by.std(ddof=0).reindex(full) / 2, atol=1e-6)
            np.testing.assert_allclose(stats.median_floats(), by.median().reindex(full) / 2)
            for cut, mark in column.cuts.items():
                reached = (marks / 2 >= float(mark)).groupby(units).sum().reindex(full, fill_value=0)
                assert stats.reached[cut].tolist() == reached.tolist()
            ranks = by.rank(method="min", ascending=False).fillna(0).astype(int)
            assert results[name].ranks[level].tolist() == ranks.tolist()
            some = stats.n > 0
            assert stats.lowest[some].tolist() == by.min().dropna().tolist()
            assert stats.highest[some].tolist() == by.max().dropna().tolist()
            assert not stats.lowest[~some].any()
            assert not stats.highest[~some].any()


@given(st.integers(0, 9999), st.integers(1, 120), st.integers(1, 30), st.integers(1, 5), st.sampled_from([0, 0.2, 1]))
def test_every_way_of_counting_equals_pandas(seed: int, pupils: int, classes: int, schools: int, absent: float) -> None:
    columns, tree = exam(seed, pupils, classes, schools, absent)
    check(columns, tree, county_pass(columns, tree, threads=1, method="sort"))
    check(columns, tree, county_pass(columns, tree, threads=2, method="dense"))


def test_a_larger_county_mixes_both_ways_and_any_number_of_threads() -> None:
    """20,000 pupils in 900 classes: classes are sorted, schools and county counted; the bits never differ."""
    columns, tree = exam(5, 20_000, 900, 30, 0.03)
    one = county_pass(columns, tree, threads=1)
    two = county_pass(columns, tree, threads=3)
    check(columns, tree, one)
    assert set(one["total"].histograms) == {"school", "county"}
    for name in columns:
        for level in LEVELS:
            assert one[name].ranks[level].tobytes() == two[name].ranks[level].tobytes()
            for field in FIELDS:
                left, right = (getattr(r[name].stats[level], field) for r in (one, two))
                assert left.tobytes() == right.tobytes()


@given(st.integers(0, 9999), st.lists(st.integers(0, 3), min_size=80, max_size=80))
def test_figures_do_not_depend_on_row_order_or_splitting(seed: int, parts: list[int]) -> None:
    """Pupils in any order, or in parts whose histograms are added, give the same figures."""
    columns, tree = exam(seed, 80, 9, 3, 0.1)
    order = np.argsort(parts, kind="stable")
    moved = {
        name: PassColumn(c.values[order], None if c.mask is None else c.mask[order], c.step, c.cuts)
        for name, c in columns.items()
    }
    moved_tree = UnitTree(LEVELS, tree.leaf[order], tree.parents)
    whole, other = county_pass(columns, tree), county_pass(moved, moved_tree)
    for name in columns:
        for level in LEVELS:
            assert whole[name].ranks[level][order].tolist() == other[name].ranks[level].tolist()
            for field in FIELDS:
                assert (
                    getattr(whole[name].stats[level], field).tolist()
                    == getattr(other[name].stats[level], field).tolist()
                )
        pieces = None
        for part in set(parts):
            there = np.array(parts) == part
            piece = {
                name: PassColumn(
                    columns[name].values[there],
                    None if columns[name].mask is None else columns[name].mask[there],  # type: ignore[index]
                    HALF,
                )
            }
            added = county_pass(piece, UnitTree(LEVELS, tree.leaf[there], tree.parents))[name].histograms["school"]
            pieces = added if pieces is None else pieces + added
        assert pieces is not None
        assert pieces.sums.tolist() == whole[name].stats["school"].sums.tolist()
        assert list(medians(pieces)) == [whole[name].stats["school"].median(u) for u in range(3)]
        assert list(variances(pieces)) == [whole[name].stats["school"].variance(u) for u in range(3)]


def test_exact_values_and_rates() -> None:
    columns = {"a": PassColumn(np.array([119, 120, 0]), np.array([True, True, False]), HALF, {"pass": Fraction(60)})}
    tree = UnitTree(("school", "county"), np.array([0, 0, 1]), (np.array([0, 0]),))
    stats = county_pass(columns, tree)["a"].stats["school"]
    assert stats.mean().fractions() == (Fraction(239, 4), None)
    assert stats.median(0) == Fraction(239, 4)
    assert stats.median(1) is None
    assert stats.variance(0) == Fraction(1, 16)
    assert stats.variance(1) is None
    assert stats.rate("pass").fractions() == (Fraction(1, 2), None)
    assert stats.rate_below("pass").fractions() == (Fraction(1, 2), None)
    assert stats.rate_floats("pass")[0] == stats.rate_floats_below("pass")[0] == 0.5


def test_wide_scores_and_large_units_need_more_than_32_bits() -> None:
    """Hundredths of a mark in one class of 3,000: the sorted key and Σx² pass 2³¹."""
    rng = np.random.default_rng(3)
    values = rng.integers(0, 10_000_000, 3000)
    tree = UnitTree(("class", "county"), np.zeros(3000, np.int32), (np.zeros(1, np.int32),))
    result = county_pass({"a": PassColumn(values, None, Fraction(1, 100))}, tree, method="sort")["a"]
    assert result.stats["class"].squares.tolist() == [int((values.astype(object) ** 2).sum())]
    assert result.ranks["class"].tolist() == pd.Series(values).rank(method="min", ascending=False).tolist()
    exact = float(result.stats["county"].variance(0) or 0) ** 0.5
    assert result.stats["county"].sd_floats()[0] == pytest.approx(exact, rel=1e-12)


def test_nobody_counts() -> None:
    columns = {"a": PassColumn(np.array([5, 6]), np.zeros(2, bool), cuts={"pass": Fraction(60)})}
    tree = UnitTree(("class", "county"), np.zeros(2, np.int32), (np.zeros(1, np.int32),))
    for method in ("dense", "sort"):
        result = county_pass(columns, tree, method=method)["a"]  # type: ignore[arg-type]
        assert result.ranks["county"].tolist() == [0, 0]
        assert result.stats["class"].n.tolist() == [0]
        assert result.stats["class"].reached["pass"].tolist() == [0]
        assert np.isnan(result.stats["class"].mean_floats()[0])


def test_no_pupils_at_all() -> None:
    nobody = np.zeros(0, np.int32)
    tree = UnitTree(("class", "county"), nobody, (np.zeros(2, np.int32),))
    for method in ("auto", "dense", "sort"):
        result = county_pass({"a": PassColumn(nobody)}, tree, method=method)["a"]  # type: ignore[arg-type]
        assert result.stats["class"].n.tolist() == [0, 0]
        assert result.ranks["county"].size == 0


def test_scores_of_pupils_who_do_not_count_may_be_anything() -> None:
    values, mask = np.array([5, 1 << 40, 7, -(1 << 40)]), np.array([True, False, True, False])
    tree = UnitTree(("class", "county"), np.zeros(4, np.int32), (np.zeros(1, np.int32),))
    for method in ("dense", "sort"):
        result = county_pass({"a": PassColumn(values, mask)}, tree, method=method)["a"]  # type: ignore[arg-type]
        assert result.ranks["class"].tolist() == [2, 0, 1, 0]
        assert result.stats["class"].sums.tolist() == [12]


def test_ranks_are_made_only_when_asked_for() -> None:
    columns, tree = exam(1, 50, 5, 2, 0)
    assert county_pass(columns, tree, ranks=False)["a"].ranks == {}


def test_wrong_lengths_and_units_are_refused() -> None:
    tree = UnitTree(("class", "county"), np.array([0, 1]), (np.zeros(2, np.int32),))
    with pytest.raises(ValueError, match="column a has 3 scores for 2 pupils"):
        county_pass({"a": PassColumn(np.zeros(3, np.int32))}, tree)
    bad = UnitTree(("class", "county"), np.array([0, -1]), (np.zeros(2, np.int32),))
    with pytest.raises(ValueError, match="between 0 and 1"):
        county_pass({"a": PassColumn(np.zeros(2, np.int32))}, bad)
    with pytest.raises(ValueError, match="2 levels need 1 parent lists"):
        UnitTree(("class", "county"), np.zeros(1), ())
    with pytest.raises(ValueError, match="between 0 and 1"):
        group(np.array([0, 2]), 2)


def test_totals_of_missing_subjects() -> None:
    a = PassColumn(np.array([1, 2, 3, 4]), np.array([True, True, False, False]), HALF)
    b = PassColumn(np.array([10, 20, 30, 40]), np.array([True, False, True, False]), HALF)
    strict, zero = total_column([a, b]), total_column([a, b], missing_is_zero=True)
    assert strict.mask is not None
    assert strict.mask.tolist() == [True, False, False, False]
    assert zero.mask is not None
    assert zero.mask.tolist() == [True, True, True, False]
    assert zero.values.tolist() == [11, 2, 30, 0]
    with pytest.raises(ValueError, match="columns of one step"):
        total_column([a, PassColumn(np.array([1, 2, 3, 4]))])
    with pytest.raises(ValueError, match="at least one column"):
        total_column([])


@given(st.lists(st.integers(0, 200_000), max_size=50), st.sampled_from([1 << 18, 1 << 33]))
def test_stable_order_of_many_codes(codes: list[int], n_codes: int) -> None:
    """Radix passes equal NumPy's stable sort also past 16 bits."""
    array: Any = np.array(codes, np.int64)
    assert stable_order(array, n_codes).tolist() == np.argsort(array, kind="stable").tolist()

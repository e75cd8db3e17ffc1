"""The histogram counts what a Counter counts, and adds however the pupils are split."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiaoheng.methods.histogram import ScoreHistogram

UNITS = 5
PUPIL = st.tuples(st.integers(0, UNITS - 1), st.integers(-6, 40), st.booleans())
PUPILS = st.lists(PUPIL, max_size=60)


def build(pupils: list[tuple[int, int, bool]], step: Fraction = Fraction(1, 2)) -> ScoreHistogram:
    units = np.array([p[0] for p in pupils], np.int32)
    values = np.array([p[1] for p in pupils], np.int32)
    return ScoreHistogram.build(values, units, UNITS, np.array([p[2] for p in pupils], bool), step)


def cells(histogram: ScoreHistogram) -> dict[tuple[int, int], int]:
    units, scores, counts = histogram.pairs()
    return {(int(u), int(s)): int(c) for u, s, c in zip(units, scores, counts, strict=True)}


@given(PUPILS)
def test_counts_equal_a_counter(pupils: list[tuple[int, int, bool]]) -> None:
    expected = Counter((unit, score) for unit, score, counts in pupils if counts)
    assert cells(build(pupils)) == dict(expected)


@given(PUPILS, st.randoms(use_true_random=False))
def test_any_split_adds_to_the_whole(pupils: list[tuple[int, int, bool]], random: object) -> None:
    """Imports in any number of parts and any order give the exam's histogram."""
    parts: list[list[tuple[int, int, bool]]] = [[], [], []]
    for pupil in pupils:
        parts[random.randrange(3)].append(pupil)  # type: ignore[attr-defined]
    added = build(parts[2]) + build(parts[0]) + build(parts[1])
    whole = build(pupils)
    assert cells(added) == cells(whole)
    assert added.n.tolist() == whole.n.tolist()
    assert added.sums.tolist() == whole.sums.tolist()
    assert added.squares.tolist() == whole.squares.tolist()


@given(PUPILS, st.lists(st.integers(0, 2), min_size=UNITS, max_size=UNITS))
def test_merging_units_equals_counting_the_parents(pupils: list[tuple[int, int, bool]], parents: list[int]) -> None:
    merged = build(pupils).merge(np.array(parents), 3)
    expected = Counter((parents[unit], score) for unit, score, counts in pupils if counts)
    assert cells(merged) == dict(expected)
    assert merged.n_units == 3


@given(PUPILS)
def test_sparse_rows_come_back(pupils: list[tuple[int, int, bool]]) -> None:
    histogram = build(pupils)
    units, scores, counts = histogram.pairs()
    again = ScoreHistogram.from_pairs(
        np.r_[units, units], np.r_[scores, scores], np.r_[counts, counts], UNITS, histogram.step
    )
    assert cells(again) == {cell: 2 * count for cell, count in cells(histogram).items()}


@given(PUPILS, st.integers(-20, 60))
def test_at_least_and_below_are_complements(pupils: list[tuple[int, int, bool]], thirds: int) -> None:
    """A mark between two steps is not rounded to either of them."""
    mark = Fraction(thirds, 3)
    histogram = build(pupils)
    expected = [sum(1 for u, s, c in pupils if c and u == unit and Fraction(s, 2) >= mark) for unit in range(UNITS)]
    assert histogram.at_least(mark).tolist() == expected
    assert (histogram.at_least(mark) + histogram.below(mark) == histogram.n).all()


@given(PUPILS)
def test_rest_and_unit_make_the_county(pupils: list[tuple[int, int, bool]]) -> None:
    histogram = build(pupils)
    county = histogram.whole().counts
    assert ((histogram.rest().counts + histogram.counts) == county).all()


def test_select_keeps_the_order_asked_for() -> None:
    histogram = ScoreHistogram(np.array([[1, 0], [0, 2], [3, 3]]), 7, Fraction(1))
    assert histogram.select(np.array([2, 0])).counts.tolist() == [[3, 3], [1, 0]]


def test_aligned_refuses_to_lose_a_score() -> None:
    histogram = ScoreHistogram(np.array([[0, 1, 0, 2]]), 10, Fraction(1))
    assert histogram.aligned(11, 3).counts.tolist() == [[1, 0, 2]]
    with pytest.raises(ValueError, match="scores 11 … 13 do not fit"):
        histogram.aligned(12, 5)


def test_different_steps_do_not_add() -> None:
    halves = ScoreHistogram(np.ones((1, 1), np.int64), 0, Fraction(1, 2))
    ones = ScoreHistogram(np.ones((1, 1), np.int64), 0, Fraction(1))
    with pytest.raises(ValueError, match="different steps do not add: 1/2 and 1"):
        halves + ones
    with pytest.raises(ValueError, match="different units do not add: 1 and 2"):
        ones + ScoreHistogram(np.ones((2, 1), np.int64), 0, Fraction(1))


def test_wrong_shapes_are_refused() -> None:
    one = np.zeros(1, np.int32)
    with pytest.raises(ValueError, match="2 scores but 1 unit numbers"):
        ScoreHistogram.build(np.zeros(2, np.int32), one, 1)
    with pytest.raises(ValueError, match="between 0 and 0"):
        ScoreHistogram.build(one, one + 1, 1)
    with pytest.raises(ValueError, match="same length"):
        ScoreHistogram.from_pairs(one, one, np.zeros(2, np.int64), 1)
    with pytest.raises(ValueError, match="step must be positive"):
        ScoreHistogram(np.zeros((1, 1), np.int64), 0, Fraction(0))
    with pytest.raises(ValueError, match="2 parent numbers for 1 units"):
        ScoreHistogram.build(one, one, 1).merge(np.array([0, 0]))
    with pytest.raises(ValueError, match="dimensions"):
        ScoreHistogram(np.zeros(3, np.int64), 0, Fraction(1))


def test_a_step_far_too_small_says_so_and_takes_no_memory() -> None:
    values, units = np.array([0, 750_000_000]), np.array([0, 399])
    with pytest.raises(ValueError, match=r"从 0 到 750000 分、最小计分单位 0\.001 分、400 个单位，计数表过大。请核对"):
        ScoreHistogram.build(values, units, 400, step=Fraction(1, 1000))
    with pytest.raises(ValueError, match="计数表过大"):
        ScoreHistogram.from_pairs(units, values, units + 1, 400, Fraction(1, 1000))


def test_a_subject_nobody_sat_is_empty_not_wrong() -> None:
    nobody = ScoreHistogram.build(np.zeros(0, np.int32), np.zeros(0, np.int32), 2)
    assert nobody.n.tolist() == [0, 0]
    assert nobody.at_least(Fraction(0)).tolist() == [0, 0]
    assert nobody.merge(np.array([0, 0])).n.tolist() == [0]
    some = ScoreHistogram(np.array([[1], [0]]), 3, Fraction(1))
    assert (nobody + some).counts.tolist() == [[1], [0]]
    assert (some + nobody).low == 3

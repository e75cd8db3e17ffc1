"""Ranks, rank bands, score bands and levels against pandas and plain counting (case C08, standards §0, §1.5)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiaoheng.methods.bands import band_edges, levels_by_score_rate, levels_by_share, score_bands
from jiaoheng.methods.histogram import ScoreHistogram
from jiaoheng.methods.ranks import competition_ranks, pupil_ranks, rank_bands

PUPILS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30), st.booleans()), min_size=1, max_size=60)


def arrays(pupils: list[tuple[int, int, bool]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    units, values, mask = zip(*pupils, strict=True)
    return np.array(values, np.int32), np.array(units, np.int32), np.array(mask, bool)


def of(values: list[int]) -> ScoreHistogram:
    return ScoreHistogram.build(np.array(values, np.int32), np.zeros(len(values), np.int32), 1)


def test_vector_of_the_standard() -> None:
    values = np.array([60, 70, 70, 80, 90, 100], np.int32)
    units = np.zeros(6, np.int32)
    assert pupil_ranks(of(values.tolist()), values, units).tolist() == [6, 4, 4, 3, 2, 1]


def test_case_c08() -> None:
    """300, 210.6, 210.6, 150 in tenths of a mark: 1, 2, 2, 4; who was absent in everything is unranked."""
    parts = [(1000, 1000, 1000), (601, 702, 803), (702, 803, 601), (500, 500, 500), (0, 0, 0)]
    totals = np.array([sum(part) for part in parts], np.int32)
    there = np.array([True] * 4 + [False])
    units = np.zeros(5, np.int32)
    histogram = ScoreHistogram.build(totals, units, 1, there, Fraction(1, 10))
    assert histogram.n.tolist() == [4]
    assert pupil_ranks(histogram, totals, units, there).tolist() == [1, 2, 2, 4, 0]


@given(PUPILS)
def test_pupil_ranks_equal_pandas(pupils: list[tuple[int, int, bool]]) -> None:
    values, units, mask = arrays(pupils)
    ranks = pupil_ranks(ScoreHistogram.build(values, units, 4, mask), values, units, mask)
    series = pd.Series(np.where(mask, values.astype(float), np.nan))
    expected = series.groupby(units).rank(method="min", ascending=False).fillna(0)
    assert ranks.tolist() == expected.astype(int).tolist()


def test_ranking_a_score_that_was_not_counted_is_refused() -> None:
    with pytest.raises(ValueError, match="outside the histogram"):
        pupil_ranks(of([5]), np.array([6], np.int32), np.zeros(1, np.int32))


@given(st.lists(st.one_of(st.none(), st.fractions(-9, 9, max_denominator=6)), max_size=30), st.booleans())
def test_unit_ranks_equal_counting(values: list[Fraction | None], largest: bool) -> None:
    ranks = competition_ranks(values, largest)
    for value, rank in zip(values, ranks, strict=True):
        if value is None:
            assert rank is None
        else:
            better = [v for v in values if v is not None and (v > value if largest else v < value)]
            assert rank == 1 + len(better)


def test_unit_ranks_compare_unrounded() -> None:
    """78.335 and 78.334 print alike (78.33) only for the second; they never tie."""
    assert competition_ranks([Fraction(78335, 1000), Fraction(78334, 1000)]) == (1, 2)
    assert competition_ranks([Fraction(1, 3), Fraction(1, 3), Fraction(1, 4)]) == (1, 1, 3)


@given(PUPILS, st.lists(st.integers(1, 70), min_size=1, max_size=3))
def test_rank_bands_hold_everybody_ranked_so_high(pupils: list[tuple[int, int, bool]], tops: list[int]) -> None:
    values, units, mask = arrays(pupils)
    county = pd.Series(values[mask]).rank(method="min", ascending=False).to_numpy()
    bands = rank_bands(ScoreHistogram.build(values, units, 4, mask), tops)
    if not mask.any():
        assert bands == ()
        return
    for band, top in zip(bands, tops, strict=True):
        inside = county <= top
        assert band.counts.tolist() == np.bincount(units[mask][inside], minlength=4).tolist()
        assert band.total == inside.sum()
        assert band.tied == max(band.total - top, 0)
        assert band.line == min(values[mask][inside])


def test_rank_band_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="不小于 1 的整数"):
        rank_bands(of([1]), [0])


def test_bands_are_closed_left_and_the_top_holds_the_full_mark() -> None:
    bands = score_bands(of([100, 90, 89, 80, 0, 9]), band_edges(Fraction(100), Fraction(10)), Fraction(100))
    assert bands.labels[0] == "[90,100]"
    assert bands.labels[1] == "[80,90)"
    assert bands.counts[0].tolist() == [2, 2, 0, 0, 0, 0, 0, 0, 0, 2]
    assert bands.cumulative[0].tolist() == [2, 4, 4, 4, 4, 4, 4, 4, 4, 6]
    assert bands.share(1, cumulative=True).fraction(0) == Fraction(2, 3)
    assert bands.share(0).fraction(0) == Fraction(1, 3)


def test_edges_of_a_full_mark_that_is_no_multiple() -> None:
    assert band_edges(Fraction(120), Fraction(50)) == (100, 50, 0)
    assert score_bands(of([120, 100, 99]), (100, 50, 0), Fraction(120)).labels[0] == "[100,120]"
    with pytest.raises(ValueError, match="宽度应大于 0"):
        band_edges(Fraction(100), Fraction(0))
    with pytest.raises(ValueError, match="从高到低"):
        score_bands(of([1]), (Fraction(10), Fraction(20)), Fraction(100))


@given(st.lists(st.integers(0, 200), min_size=1, max_size=60), st.integers(1, 60))
def test_bands_hold_everybody_once(values: list[int], width: int) -> None:
    histogram = ScoreHistogram.build(
        np.array(values, np.int32), np.zeros(len(values), np.int32), 1, step=Fraction(1, 2)
    )
    bands = score_bands(histogram, band_edges(Fraction(100), Fraction(width)), Fraction(100))
    for low, high, count in zip(bands.lows, bands.highs, bands.counts[0], strict=True):
        last = high == 100
        assert count == sum(low <= Fraction(v, 2) and (last or Fraction(v, 2) < high) for v in values)
    assert bands.counts.sum() == len(values)


def test_levels_by_score_rate() -> None:
    rates = (Fraction(85, 100), Fraction(70, 100), Fraction(60, 100))
    levels = levels_by_score_rate(of([60, 59, 42, 41, 100]), Fraction(70), ("优", "良", "合格", "待合格"), rates)
    # 59.5 begins 优 of 70 marks: 60 and 100; 49 begins 良: 59; 42 begins 合格
    assert levels.counts[0].tolist() == [2, 1, 1, 1]
    assert levels.cuts[0] == Fraction(119, 2)
    assert levels.share(0).fraction(0) == Fraction(2, 5)
    with pytest.raises(ValueError, match="个数与等级相同或少一个"):
        levels_by_score_rate(of([1]), Fraction(70), ("优", "良"), rates)


@pytest.mark.parametrize(("ties", "expected"), [("up", [4, 2]), ("down", [1, 5]), ("near", [4, 2])])
def test_levels_by_share_keep_ties_together(ties: str, expected: list[int]) -> None:
    """Half of 6 pupils is 3; scores 9, 8, 8, 8, 7, 7: the three 8s go together, the nearer end is 4."""
    shares = (Fraction(1, 2), Fraction(1))
    levels = levels_by_share(of([9, 8, 8, 8, 7, 7]), ("A", "B"), shares, ties)  # type: ignore[arg-type]
    assert levels.counts[0].tolist() == expected


def test_levels_at_equal_distance_go_up() -> None:
    levels = levels_by_share(of([9, 8, 8, 7]), ("A", "B"), (Fraction(1, 2), Fraction(1)), "near")
    assert levels.counts[0].tolist() == [3, 1]
    assert levels.cuts == (8, 7)


LEVELS = (Fraction(15, 100), Fraction(50, 100), Fraction(85, 100), Fraction(98, 100), Fraction(1))


@given(PUPILS, st.sampled_from(["near", "up", "down"]))
def test_share_levels_hold_everybody_and_keep_scores_whole(pupils: list[tuple[int, int, bool]], ties: str) -> None:
    values, units, mask = arrays(pupils)
    histogram = ScoreHistogram.build(values, units, 4, mask)
    levels = levels_by_share(histogram, tuple("ABCDE"), LEVELS, ties)  # type: ignore[arg-type]
    assert (levels.counts.sum(axis=1) == histogram.n).all()
    assert (levels.counts >= 0).all()
    n = int(mask.sum())
    reached = levels.counts.sum(axis=0).cumsum()
    for share, count, cut in zip(LEVELS[:-1], reached, levels.cuts, strict=False):
        if ties == "up":
            assert count >= share * n
        if ties == "down":
            assert count <= share * n
        if cut is not None:
            assert count == (values[mask] >= cut).sum()


def test_shares_that_do_not_end_at_one_are_refused() -> None:
    with pytest.raises(ValueError, match="最后一级为 100%"):
        levels_by_share(of([1]), ("A", "B"), (Fraction(1, 2), Fraction(9, 10)))

"""Z, T, percentile ranks: vectors of standards §1.4 and slow references."""

from __future__ import annotations

import math
import statistics
from decimal import ROUND_HALF_UP, Decimal, getcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from jiaoheng.methods.histogram import ScoreHistogram
from jiaoheng.methods.numbers import text
from jiaoheng.methods.standard_scores import (
    Reference,
    Standard,
    college_score,
    normalised_t,
    percentile_ranks,
    reference,
    t_of,
    weighted_z,
    z_of_scores,
)

SCORES = st.lists(st.integers(0, 150), min_size=1, max_size=40)


def of(values: list[int], step: Fraction = Fraction(1)) -> ScoreHistogram:
    return ScoreHistogram.build(np.array(values, np.int32), np.zeros(len(values), np.int32), 1, step=step)


def test_vectors_of_the_standard() -> None:
    """Z(90) = 0.8682, T = 58.68, PR(70) = 33.33."""
    histogram = of([60, 70, 70, 80, 90, 100])
    group = reference(histogram)
    assert group is not None
    standard = group.standard(Fraction(90))
    assert standard.rounded(4) == Decimal("0.8682")
    assert standard.rounded(2, 50, 10) == Decimal("58.68")
    assert standard.rounded(0, 500, 100) == Decimal(587)
    ranks = percentile_ranks(histogram)
    assert text(ranks.fraction(70 - histogram.low) or 0, 2) == "33.33"


def test_no_spread_gives_z_zero() -> None:
    histogram = of([80, 80])
    group = reference(histogram)
    assert group is not None
    assert float(group.standard(Fraction(80))) == 0.0
    assert float(group.standard(Fraction(90))) == 0.0
    assert group.standard(Fraction(80)).rounded(2, 50, 10) == 50
    assert z_of_scores(histogram).tolist() == [0.0]


def test_nobody_has_no_reference() -> None:
    assert reference(ScoreHistogram(np.zeros((2, 0), np.int64), 0, Fraction(1))) is None


@given(SCORES)
def test_z_equals_the_statistics_module(values: list[int]) -> None:
    histogram = of(values, Fraction(1, 2))
    spread = statistics.pstdev(values)
    expected = [0.0 if spread == 0 else (s - statistics.fmean(values)) / spread for s in histogram.scores.tolist()]
    assert z_of_scores(histogram) == pytest.approx(expected, abs=1e-9)
    group = reference(histogram)
    assert group is not None
    exact = [float(group.standard(Fraction(int(s), 2))) for s in histogram.scores]
    assert exact == pytest.approx(expected, abs=1e-9)


@given(
    st.fractions(-9, 9, max_denominator=50),
    st.fractions(0, 30, max_denominator=50),
    st.integers(0, 4),
    st.sampled_from([(0, 1), (50, 10), (500, 100), (-3, 7)]),
)
def test_rounding_is_half_away_from_zero(
    deviation: Fraction, variance: Fraction, digits: int, form: tuple[int, int]
) -> None:
    """Against 60-digit decimals; exact halves by a rational root."""
    shift, scale = form
    standard = Reference(Fraction(0), variance).standard(deviation)
    getcontext().prec = 60
    root = Decimal(standard.square.numerator).sqrt() / Decimal(standard.square.denominator).sqrt()
    numerator, denominator = math.isqrt(standard.square.numerator), math.isqrt(standard.square.denominator)
    if Fraction(numerator, denominator) ** 2 == standard.square:
        root = Decimal(numerator) / Decimal(denominator)
    value = shift + scale * (root if standard.deviation >= 0 else -root)
    assert standard.rounded(digits, shift, scale) == value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


@pytest.mark.parametrize(
    ("deviation", "printed"), [(Fraction(1, 8), "0.13"), (Fraction(-1, 8), "-0.13"), (Fraction(-1, 200), "-0.01")]
)
def test_exact_halves_go_away_from_zero(deviation: Fraction, printed: str) -> None:
    assert Standard(deviation, deviation**2).rounded(2) == Decimal(printed)


@given(SCORES)
def test_percentile_rank_equals_scipy(values: list[int]) -> None:
    """ "mid": below + half of the equal ones."""
    histogram = of(values)
    ranks = percentile_ranks(histogram)
    for score in set(values):
        expected = stats.percentileofscore(values, score, kind="mean")
        assert float(ranks.fraction(score - histogram.low) or 0) == pytest.approx(expected, abs=1e-9)


@given(SCORES)
def test_normalised_t_rises_with_the_score(values: list[int]) -> None:
    histogram = of(values)
    t = normalised_t(histogram)
    for score in set(values):
        share = stats.percentileofscore(values, score, kind="mean") / 100
        assert t[score - histogram.low] == pytest.approx(50 + 10 * stats.norm.ppf(share), abs=1e-6)


def test_weighted_z_and_scales() -> None:
    assert weighted_z({"语文": 1.0, "数学": -0.5}, {"语文": 2.0, "数学": 1.0}) == 1.5
    assert t_of(0.8682) == pytest.approx(58.682)
    assert college_score(-1.0) == 400.0
    with pytest.raises(ValueError, match="not negative"):
        Standard(Fraction(1), Fraction(1)).rounded(1, 0, -1)

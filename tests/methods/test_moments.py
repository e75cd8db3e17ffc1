"""Means, spread and quantiles against the statistics module, and vectors of standards §1.4 and case C07."""

from __future__ import annotations

import statistics
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiaoheng.methods.histogram import ScoreHistogram
from jiaoheng.methods.moments import extremes, mean, medians, modes, quantiles, sd_text, sds, variances
from jiaoheng.methods.numbers import text
from jiaoheng.methods.participation import discounted_base
from jiaoheng.methods.ratios import Ratio

SCORES = st.lists(st.integers(-5, 200), min_size=1, max_size=40)
STEP = Fraction(1, 2)


def of(values: list[int], step: Fraction = Fraction(1)) -> ScoreHistogram:
    return ScoreHistogram.build(np.array(values, np.int32), np.zeros(len(values), np.int32), 1, step=step)


def test_vectors_of_the_standard() -> None:
    """[60,70,70,80,90,100]: mean 78.3333, SD 13.4371."""
    histogram = of([60, 70, 70, 80, 90, 100])
    assert text(mean(histogram).fraction(0), 4) == "78.3333"
    assert sd_text(variances(histogram)[0], 4) == Decimal("13.4371")
    assert medians(histogram)[0] == 75
    assert modes(histogram)[0] == (70,)
    assert extremes(histogram)[0] == (60, 100)


def test_mean_of_59_and_60_prints_60_and_does_not_pass() -> None:
    """Case C07: 59.5 is shown as 60, but a pass line of 60 is tested on 59.5."""
    value = mean(of([59, 60])).fraction(0)
    assert value == Fraction(119, 2)
    assert text(value, 0) == "60"
    assert value < 60


@given(SCORES)
def test_mean_and_variance_equal_the_statistics_module(values: list[int]) -> None:
    marks = [value * STEP for value in values]
    histogram = of(values, STEP)
    assert mean(histogram).fraction(0) == sum(marks) / len(marks)
    assert variances(histogram)[0] == statistics.pvariance(marks)
    assert sds(histogram)[0] == pytest.approx(statistics.pstdev([float(m) for m in marks]), abs=1e-9)


@given(SCORES, st.integers(0, 6))
def test_sd_is_rounded_from_the_exact_root(values: list[int], digits: int) -> None:
    """|printed − σ| ≤ half a unit, tested by squares of exact fractions; on a half it goes up."""
    variance = variances(of(values))[0]
    assert variance is not None
    printed = sd_text(variance, digits)
    assert printed is not None
    half = Fraction(1, 2 * 10**digits)
    low, high = Fraction(printed) - half, Fraction(printed) + half
    assert low <= 0 or low * low <= variance
    assert variance < high * high


@given(SCORES)
def test_median_equals_the_statistics_module(values: list[int]) -> None:
    assert medians(of(values, STEP))[0] == statistics.median([value * STEP for value in values])


@given(SCORES, st.fractions(0, 1, max_denominator=40))
def test_quantiles_are_type_two(values: list[int], share: Fraction) -> None:
    """Against the definition: smallest x with #(≤ x) ≥ share·n, averaged with the next where share·n is whole."""
    ordered = sorted(values)
    position = share * len(ordered)
    if position.denominator == 1 and 0 < position < len(ordered):
        expected = Fraction(ordered[int(position) - 1] + ordered[int(position)], 2)
    else:
        expected = Fraction(ordered[min(max(-(-position.numerator // position.denominator), 1), len(ordered)) - 1])
    assert quantiles(of(values), share)[0] == expected


@given(SCORES)
def test_modes_and_extremes(values: list[int]) -> None:
    histogram = of(values)
    assert modes(histogram)[0] == tuple(sorted(statistics.multimode(values)))
    assert extremes(histogram)[0] == (min(values), max(values))


def test_units_without_pupils_have_no_data() -> None:
    histogram = ScoreHistogram.build(np.array([4], np.int32), np.array([1]), 3)
    assert mean(histogram).fractions() == (None, 4, None)
    assert variances(histogram) == (None, 0, None)
    assert medians(histogram) == (None, 4, None)
    assert extremes(histogram) == (None, (4, 4), None)
    assert modes(histogram) == ((), (4,), ())
    assert sd_text(None) is None
    assert np.isnan(mean(histogram).floats()).tolist() == [True, False, True]


def test_a_quantile_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1, not 3/2"):
        quantiles(of([1]), Fraction(3, 2))


def test_sums_beyond_64_bits_stay_exact() -> None:
    """n·Σx² of a million high totals in hundredths needs more than 64 bits."""
    counts = np.array([[500_000, 500_001]])
    histogram = ScoreHistogram(counts, 105_000, Fraction(1, 100))
    n = 1_000_001
    assert variances(histogram)[0] == Fraction(500_000 * 500_001, n * n) / 10_000


def test_mean_over_a_discounted_base() -> None:
    """B3: 97 sat with 80 each of 100 enrolled: 97 × 80 ÷ 97 = 80; 90 of 100 enrolled: 7200 ÷ 97."""
    histogram = ScoreHistogram(np.array([[97], [90]]), 80, Fraction(1))
    assert mean(histogram, discounted_base(np.array([100, 100]))).fractions() == (80, Fraction(7200, 97))


def test_ratios_roll_up_and_refuse_other_scales() -> None:
    """Case C10: 17.27 %, 75 %, 32.67 %; a 0/0 school is no data and not 0 %."""
    schools = Ratio(np.array([9, 10, 0, 30]), np.array([10, 100, 0, 40]))
    towns = schools.merge(np.array([0, 0, 1, 1]), 2)
    assert schools.fraction(2) is None
    assert [text(value * 100, 2) for value in towns.fractions() if value is not None] == ["17.27", "75.00"]
    assert text(towns.whole().fraction(0) * 100, 2) == "32.67"  # type: ignore[operator]
    assert (schools + schools).fractions() == schools.fractions()
    assert schools.select(np.array([3])).fractions() == (Fraction(3, 4),)
    with pytest.raises(ValueError, match="different scales"):
        schools + schools.times(Fraction(2))
    with pytest.raises(ValueError, match="1 numerators but 2 denominators"):
        Ratio(np.array([1]), np.array([1, 2]))


def test_skewness_is_that_of_scipy() -> None:
    """Moment skewness of a lopsided set; none without spread."""
    from scipy.stats import skew

    from jiaoheng.methods.moments import skewness

    values = np.array([10, 55, 60, 60, 62, 70, 71, 71, 75, 80])
    histogram = ScoreHistogram.build(values, np.zeros(10, np.int64), 2)
    found = skewness(histogram)
    assert found[0] == pytest.approx(float(skew(values)), rel=1e-12)
    assert found[1] is None

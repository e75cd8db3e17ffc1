"""Intervals and verdicts against SciPy and published values; coverage of rank intervals."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from jiaoheng.methods.comparison import deviation, mean_ratio, over_mean
from jiaoheng.methods.histogram import ScoreHistogram
from jiaoheng.methods.intervals import (
    COMPARISON_LEVEL,
    Spread,
    cluster_sums,
    mean_intervals,
    rate_intervals,
    spread,
    wilson,
)
from jiaoheng.methods.ratios import Ratio
from jiaoheng.methods.verdicts import (
    RankInterval,
    Standing,
    clustered_verdicts,
    mean_verdicts,
    rank_intervals,
    rate_verdicts,
    shared_level,
)

HALF = Fraction(1, 2)
SAMPLE = st.lists(st.integers(0, 60), min_size=2, max_size=30)


def of(groups: list[list[int]], step: Fraction = HALF) -> ScoreHistogram:
    values = np.array([v for group in groups for v in group], np.int32)
    units = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    return ScoreHistogram.build(values, units, len(groups), step=step)


@given(SAMPLE)
def test_mean_interval_equals_scipy(values: list[int]) -> None:
    interval = mean_intervals(spread(of([values])))[0]
    assert interval is not None
    marks = np.array(values) / 2
    if len(set(values)) == 1:
        assert interval.low == interval.high == marks[0]
        return
    low, high = stats.t.interval(0.95, len(values) - 1, marks.mean(), stats.sem(marks))
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-9)


def test_one_pupil_has_no_interval() -> None:
    assert mean_intervals(spread(of([[5], []]))) == (None, None)


def test_a_sample_of_everybody_has_no_sampling_error() -> None:
    histogram = of([[1, 2, 3], [1, 2, 3]])
    whole, half = mean_intervals(spread(histogram, np.array([3, 6])))
    plain = mean_intervals(spread(histogram))[0]
    assert whole is not None
    assert half is not None
    assert plain is not None
    assert whole.low == whole.high == 1.0
    assert half.high - half.low == pytest.approx((plain.high - plain.low) * 0.5**0.5)
    with pytest.raises(ValueError, match="cannot hold more pupils"):
        spread(histogram, np.array([2, 6]))


@given(st.integers(0, 40), st.integers(1, 40))
def test_wilson_equals_scipy(successes: int, n: int) -> None:
    successes = min(successes, n)
    interval = wilson(successes, n)
    expected = stats.binomtest(successes, n).proportion_ci(0.95, "wilson")
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert 0 <= interval.low <= successes / n <= interval.high <= 1


def test_wilson_of_nobody_and_of_nonsense() -> None:
    assert wilson(0, 0) is None
    with pytest.raises(ValueError, match="3 successes of 2"):
        wilson(3, 2)
    with pytest.raises(ValueError, match="plain rate"):
        rate_intervals(Ratio(np.array([1]), np.array([2]), HALF))
    assert rate_intervals(Ratio(np.array([0, 1]), np.array([0, 1])))[0] is None


def test_intervals_of_84_percent_that_just_touch_differ_at_five_percent() -> None:
    """For equal standard errors the 84 % intervals touch at 1.99 standard errors of the difference."""
    touch = 2 * stats.norm.ppf((1 + COMPARISON_LEVEL) / 2) / 2**0.5
    assert 2 * stats.norm.sf(touch) == pytest.approx(0.047, abs=0.001)


@given(st.lists(st.lists(st.integers(0, 60), min_size=10, max_size=20), min_size=2, max_size=4))
def test_mean_verdict_equals_welch_against_the_rest(groups: list[list[int]]) -> None:
    for unit, verdict in enumerate(mean_verdicts(of(groups))):
        own = np.array(groups[unit]) / 2
        rest = np.concatenate([np.array(g) / 2 for k, g in enumerate(groups) if k != unit])
        assert verdict.difference == pytest.approx(own.mean() - rest.mean(), abs=1e-9)
        if own.std() == 0 and rest.std() == 0:
            continue
        expected = stats.ttest_ind(own, rest, equal_var=False).confidence_interval(0.95)
        assert verdict.interval is not None
        assert (verdict.interval.low, verdict.interval.high) == pytest.approx((expected.low, expected.high), abs=1e-7)
        if abs(expected.low) > 1e-6 and abs(expected.high) > 1e-6:
            standing = "高于" if expected.low > 0 else "低于" if expected.high < 0 else "相当"
            assert verdict.standing == standing


def test_sixty_schools_may_share_their_error() -> None:
    """200 counties of 60 equal schools: at a shared level at most about 5 % of counties name anybody."""
    rng = np.random.default_rng(6)
    named_plain, named_shared = 0, 0
    for _ in range(200):
        counts = rng.multinomial(40, [0.1, 0.2, 0.4, 0.2, 0.1], size=60)
        histogram = ScoreHistogram(counts, 10, HALF)
        for level, shared in ((0.95, False), (shared_level(60), True)):
            named = any(v.standing is not Standing.AS_EXPECTED for v in mean_verdicts(histogram, level))
            named_shared += named and shared
            named_plain += named and not shared
    assert named_shared <= 200 * 0.05 + 4 * (200 * 0.05 * 0.95) ** 0.5
    assert named_plain > 150


def test_small_units_are_shown_but_not_judged() -> None:
    """n < 10 has a difference and no verdict; so has a county of one school."""
    verdicts = mean_verdicts(of([[60] * 5 + [58] * 4, [10, 20] * 20, [11, 22] * 20]))
    assert verdicts[0].standing is Standing.NOT_JUDGED
    assert verdicts[0].difference is not None
    assert verdicts[0].interval is None
    assert verdicts[1].standing is not Standing.NOT_JUDGED
    assert mean_verdicts(of([[1, 2] * 20]))[0].standing is Standing.NOT_JUDGED


def test_no_spread_at_all_is_judged_by_the_difference() -> None:
    verdicts = mean_verdicts(of([[50] * 12, [40] * 12]))
    assert [v.standing for v in verdicts] == [Standing.ABOVE, Standing.BELOW]
    same = mean_verdicts(of([[50] * 12, [50] * 12]))
    assert [v.standing for v in same] == [Standing.AS_EXPECTED] * 2


def test_rate_verdict_of_a_published_example() -> None:
    """Newcombe 1998, method 10: 56/70 − 48/80 = 0.20, interval 0.0524 to 0.3339."""
    verdict = rate_verdicts(Ratio(np.array([56, 48]), np.array([70, 80])))[0]
    assert verdict.interval is not None
    assert (verdict.interval.low, verdict.interval.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert verdict.standing is Standing.ABOVE
    few = rate_verdicts(Ratio(np.array([9, 48, 0]), np.array([9, 80, 0])))
    assert [v.standing for v in few] == [Standing.NOT_JUDGED] * 3
    assert few[2].difference is None
    with pytest.raises(ValueError, match="plain rate"):
        rate_verdicts(Ratio(np.array([1]), np.array([2]), HALF))


def test_classes_as_the_sampled_thing_are_more_careful() -> None:
    """Two schools of 4 classes, pupils of a class all alike: pupils say different, classes do not."""
    classes = [[40] * 30, [60] * 30, [44] * 30, [58] * 30, [38] * 30, [52] * 30, [47] * 30, [55] * 30]
    parents = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    histogram = of(classes)
    by_pupil = mean_verdicts(histogram.merge(parents, 2))
    sums = cluster_sums(histogram, parents, 2, centre=24.0)
    by_class = clustered_verdicts(sums)
    assert by_pupil[0].standing is Standing.ABOVE
    assert by_class[0].standing is Standing.AS_EXPECTED
    assert by_class[0].difference == pytest.approx(by_pupil[0].difference)
    # of equal classes, the clustered variance is that of the class means
    means = np.array([20, 30, 22, 29])
    assert sums.spread().variance[0] == pytest.approx(means.var(ddof=1) / 4)
    one_class = cluster_sums(of([[1] * 20, [2] * 20]), np.array([0, 1]), 2, 0.0)
    assert clustered_verdicts(one_class)[0].standing is Standing.NOT_JUDGED


def test_rank_intervals_by_hand() -> None:
    """Two clearly apart groups of two: nobody knows who of a pair is first, but the pairs are apart."""
    units = Spread(np.full(4, 100), np.array([80.0, 79.9, 50.0, 50.1]), np.ones(4), np.full(4, 99.0))
    assert rank_intervals(units) == (
        RankInterval(1, 2, 4), RankInterval(1, 2, 4), RankInterval(3, 4, 4), RankInterval(3, 4, 4)
    )  # fmt: skip


def test_small_units_take_no_part_in_rank_intervals() -> None:
    units = Spread(np.array([100, 5, 100]), np.array([80.0, 99.0, 50.0]), np.ones(3), np.array([99.0, 4.0, 99.0]))
    assert rank_intervals(units) == (RankInterval(1, 1, 2), None, RankInterval(2, 2, 2))


def test_equal_units_may_hold_any_rank() -> None:
    assert rank_intervals(spread(of([[10, 20] * 20] * 3))) == (RankInterval(1, 3, 3),) * 3


def test_rank_intervals_hold_the_true_rank() -> None:
    """Known true means, 200 draws: each unit's interval holds its true rank in at least 95 % (4 σ of luck allowed)."""
    rng = np.random.default_rng(2)
    true = np.array([70.0, 70.5, 72.0, 75.0, 75.2, 78.0])
    rank = (true[None, :] > true[:, None]).sum(axis=1) + 1
    held = np.zeros(true.size)
    draws = 200
    for _ in range(draws):
        sample = true + rng.normal(0, 1, true.size)
        units = Spread(np.full(true.size, 100), sample, np.ones(true.size), np.full(true.size, 1e6))
        intervals = rank_intervals(units)
        held += [i is not None and i.best <= r <= i.worst for i, r in zip(intervals, rank, strict=True)]
    assert (held / draws >= 0.95 - 4 * (0.95 * 0.05 / draws) ** 0.5).all()


@pytest.mark.parametrize(
    ("unit", "county", "over", "ratio", "gap"),
    [
        (Fraction(84), Fraction(80), Fraction(1, 20), Fraction(21, 20), Fraction(4)),
        (Fraction(76), Fraction(80), Fraction(-1, 20), Fraction(19, 20), Fraction(-4)),
        (Fraction(5), Fraction(0), None, None, Fraction(5)),
        (None, Fraction(80), None, None, None),
        (Fraction(5), None, None, None, None),
    ],
)
def test_comparison_rates(
    unit: Fraction | None,
    county: Fraction | None,
    over: Fraction | None,
    ratio: Fraction | None,
    gap: Fraction | None,
) -> None:
    assert over_mean(unit, county) == over
    assert mean_ratio(unit, county) == ratio
    assert deviation(unit, county) == gap

"""Movement between two exams, conversion of a locked list, and the conversion that regression alone would give."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

from jiaoheng.methods.conversion import Outcome, expected_success, normal_correlation, outcome
from jiaoheng.methods.histogram import ScoreHistogram
from jiaoheng.methods.movement import Movement, align, by_unit, movement, standing, swings, unsteady
from jiaoheng.methods.pupil_lists import cut_of_share

NAN = float("nan")
YES = np.ones


class TestStanding:
    def test_vector(self) -> None:
        """Standards §1.4."""
        found = standing([60, 70, 70, 80, 90, 100], YES(6, bool))
        assert found.rank.tolist() == [6, 4, 4, 3, 2, 1]
        assert found.percentile[1] == pytest.approx(33.33, abs=0.005)
        assert found.z[4] == pytest.approx(0.8682, abs=0.00005)

    def test_absent_pupils_have_no_standing(self) -> None:
        found = standing([60, 0, 70], [True, False, True])
        assert found.rank.tolist() == [2, 0, 1]
        assert np.isnan(found.percentile[1])
        assert np.isnan(found.z[1])

    def test_nobody(self) -> None:
        assert standing([0, 0], [False, False]).rank.tolist() == [0, 0]


class TestAlign:
    def test_positions(self) -> None:
        assert align(["c", "x", None, "a"], ["a", "b", "c", None]).tolist() == [2, -1, -1, 0]

    def test_an_id_twice(self) -> None:
        with pytest.raises(ValueError, match="前次考试中学号 a 出现两次"):
            align(["a"], ["a", "b", "a"])
        with pytest.raises(ValueError, match="本次考试中学号 a 出现两次"):
            align(["a", "a"], ["a"])


class TestMovement:
    def test_changes(self) -> None:
        """Before 1st to 4th; the last becomes first, the second was absent now."""
        moved = movement([80, 0, 70, 90], [True, False, True, True], [100, 90, 80, 70], YES(4, bool))
        assert moved.both.tolist() == [True, False, True, True]
        assert moved.rank_change.tolist() == [1 - 2, 0, 3 - 3, 4 - 1]
        assert moved.percentile_change[0] == pytest.approx(50 - 87.5)
        assert np.isnan(moved.percentile_change[1])

    def test_matched_only(self) -> None:
        """Among the three who sat both the third was third and is third of three."""
        moved = movement([80, 0, 70, 90], [True, False, True, True], [100, 90, 80, 70], YES(4, bool), "matched")
        assert moved.before.rank.tolist() == [1, 0, 2, 3]
        assert moved.rank_change.tolist() == [-1, 0, -1, 2]

    def test_the_mean_change_of_all_is_zero_when_all_sat_both(self) -> None:
        rng = np.random.default_rng(1)
        moved = movement(rng.integers(0, 700, 500), YES(500, bool), rng.integers(0, 600, 500), YES(500, bool))
        assert abs(moved.z_change.mean()) < 1e-12
        assert abs(moved.percentile_change.mean()) < 1e-10

    def test_units(self) -> None:
        rng = np.random.default_rng(2)
        now, before = rng.integers(0, 700, 300), rng.integers(0, 700, 300)
        sat_now, sat_before = rng.random(300) < 0.95, rng.random(300) < 0.9
        units = rng.integers(0, 3, 300)
        moved = movement(now, sat_now, before, sat_before)
        found = by_unit(moved, units, 4, 30, Fraction(80, 100))
        for unit in range(3):
            mine = [i for i in range(300) if units[i] == unit and sat_now[i] and sat_before[i]]
            changes = [float(moved.z_change[i]) for i in mine]
            mean = sum(changes) / len(changes)
            spread = math.sqrt(sum((one - mean) ** 2 for one in changes) / (len(changes) - 1))
            assert found.matched[unit] == len(mine)
            assert found.mean_z_change[unit] == pytest.approx(mean)
            assert found.half_width[unit] == pytest.approx(1.96 * spread / math.sqrt(len(changes)))
            assert found.forward[unit] == sum(moved.percentile_change[i] >= 10 for i in mine)
            assert found.back[unit] == sum(moved.percentile_change[i] <= -10 for i in mine)
            assert found.mark(unit) == ""
        assert found.mark(3) == "样本不足"
        assert np.isnan(found.mean_z_change[3])
        assert found.matched_rate.fraction(3) is None

    @pytest.mark.parametrize(
        ("matched", "pupils", "enough"), [(40, 50, True), (39, 50, False), (30, 30, True), (29, 29, False)]
    )
    def test_enough(self, matched: int, pupils: int, enough: bool) -> None:
        """At least 30 and at least 80 %: 40 of 50 is just enough."""
        before = np.zeros(pupils, bool)
        before[:matched] = True
        moved = movement(np.arange(pupils), YES(pupils, bool), np.arange(pupils), before)
        assert bool(by_unit(moved, np.zeros(pupils, int), 1, 30, Fraction("0.80")).enough[0]) is enough


class TestUnsteady:
    def test_swing(self) -> None:
        points = [[80, 50, NAN], [80, 51, 60], [NAN, NAN, 10], [NAN, NAN, NAN]]
        assert swings(points)[:2].tolist() == [30, 29]
        assert np.isnan(swings(points)[2:]).all()
        assert unsteady(points, 30).tolist() == [True, False, False, False]

    def test_a_limit_met_exactly(self) -> None:
        assert unsteady([[0.1 + 0.2, 30.3]], 30).tolist() == [True]

    def test_more_exams_may_be_asked(self) -> None:
        assert unsteady([[80, 20, NAN]], 30, 3).tolist() == [False]


def simple(now: list[int], before: list[int], sat_now: list[bool] | None = None) -> Movement:
    return movement(now, YES(len(now), bool) if sat_now is None else sat_now, before, YES(len(before), bool))


class TestConversion:
    """Ten pupils; the last three of the start are listed: 7, 8, 9."""

    BEFORE = (90, 80, 70, 60, 50, 40, 30, 20, 10, 5)
    LOCKED = np.arange(10) >= 7

    def result(self, **options: object) -> Outcome:
        """Now pupil 7 is out, 8 is in, 9 absent, and 0 has fallen in."""
        now = (5, 80, 70, 60, 50, 40, 30, 65, 6, 0)
        sat = [True] * 9 + [False]
        moved = simple(list(now), list(self.BEFORE), sat)
        inside = np.array([True] + [False] * 7 + [True, False])
        return outcome(moved, self.LOCKED, inside, "lowest", np.zeros(10, int), 1, **options)  # type: ignore[arg-type]

    def test_absent_pupils_stay_in_the_denominator(self) -> None:
        found = self.result()
        assert (found.locked[0], found.success[0], found.absent[0], found.denominator[0]) == (3, 1, 1, 3)
        assert found.rate.fraction(0) == Fraction(1, 3)

    def test_new_ones_are_apart(self) -> None:
        assert self.result().new[0] == 1

    def test_who_left_is_out_of_the_denominator(self) -> None:
        found = self.result(left=np.arange(10) == 9)
        assert (found.left[0], found.absent[0], found.denominator[0]) == (1, 0, 2)
        assert found.rate.fraction(0) == Fraction(1, 2)

    def test_of_those_present(self) -> None:
        assert self.result(denominator="present").rate.fraction(0) == Fraction(1, 2)

    def test_improvement_may_count(self) -> None:
        """Pupil 8 went from the 15th percentile to the 16.7th: enough for 1 point, not for 5."""
        assert self.result(improved=1.0).success[0] == 2
        assert self.result(improved=5.0).success[0] == 1
        assert np.isnan(self.result(improved=5.0).expected[0])

    def test_top_pupils_kept(self) -> None:
        now = [80, 90, 10, 60, 50, 40, 30, 20, 15, 5]
        moved = simple(now, list(self.BEFORE))
        listed = np.arange(10) < 3
        inside = np.array([one >= 60 for one in now])
        found = outcome(moved, listed, inside, "highest", np.zeros(10, int), 1)
        assert found.rate.fraction(0) == Fraction(2, 3)
        assert found.new[0] == 1

    def test_nobody_listed(self) -> None:
        moved = simple(list(self.BEFORE), list(self.BEFORE))
        found = outcome(moved, np.zeros(10, bool), self.LOCKED, "lowest", np.zeros(10, int), 1)
        assert found.rate.fraction(0) is None
        assert found.verdict(0, 5) == "样本不足"


def exams(pupils: int, r: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two exams of correlated pupils, in tenths of a mark so that ties are few."""
    rng = np.random.default_rng(seed)
    first = rng.normal(size=pupils)
    last = r * first + math.sqrt(1 - r * r) * rng.normal(size=pupils)
    return np.rint(4000 + 900 * first).astype(int), np.rint(4000 + 900 * last).astype(int)


def lowest(values: np.ndarray) -> np.ndarray:
    histogram = ScoreHistogram.build(values, np.zeros(len(values), np.int64), 1)
    return cut_of_share(histogram, Fraction(1, 5), "lowest").members(values, YES(len(values), bool))


class TestExpectation:
    @pytest.mark.parametrize("r", [0.3, 0.6, 0.85])
    def test_nobody_did_anything(self, r: float) -> None:
        """Simulated without any effect: conversion is as the bivariate normal says, and the verdict says so."""
        before, now = exams(20_000, r, 5)
        moved = simple(now.tolist(), before.tolist())
        found = outcome(moved, lowest(before), lowest(now), "lowest", np.zeros(20_000, int), 1)
        cut = norm.ppf(0.2)
        theory = 1 - multivariate_normal.cdf([cut, cut], cov=[[1, r], [r, 1]]) / 0.2
        assert normal_correlation(moved) == pytest.approx(r, abs=0.02)
        assert found.expected_rate[0] == pytest.approx(theory, abs=0.015)
        assert float(found.rate.fraction(0) or 0) == pytest.approx(theory, abs=0.03)
        assert found.verdict(0, 30) == "与预期相当"

    def test_a_school_that_lifts_its_pupils(self) -> None:
        """One of two schools adds half a standard deviation: above expectation there, not in the other."""
        before, now = exams(8000, 0.8, 6)
        units = np.arange(8000) % 20
        now = now + np.where(units == 0, 700, 0)
        moved = simple(now.tolist(), before.tolist())
        found = outcome(moved, lowest(before), lowest(now), "lowest", units, 20)
        assert found.verdict(0, 30) == "高于预期"
        assert [found.verdict(unit, 30) for unit in range(1, 20)].count("高于预期") <= 2

    def test_deeper_pupils_are_expected_to_convert_less(self) -> None:
        before, now = exams(5000, 0.8, 7)
        moved = simple(now.tolist(), before.tolist())
        chance = expected_success(moved, lowest(now), "lowest")
        order = np.argsort(before, kind="stable")
        assert (np.diff(chance[order]) >= -1e-12).all()
        stay = expected_success(moved, ~lowest(now), "highest")
        assert np.allclose(stay, chance)  # to leave the last fifth is to be in the first four fifths

    def test_excess_over_the_expectation(self) -> None:
        before, now = exams(8000, 0.8, 6)
        units = np.arange(8000) % 20
        moved = simple((now + np.where(units == 0, 700, 0)).tolist(), before.tolist())
        found = outcome(moved, lowest(before), lowest(now + np.where(units == 0, 700, 0)), "lowest", units, 20)
        first, other = found.excess(0), found.excess(7)
        assert first is not None
        assert other is not None
        assert first[1] > 0
        assert other[1] < 0 < other[2]
        assert first[0] == pytest.approx(float(found.rate.fraction(0) or 0) - float(found.expected_rate[0]))
        nobody = outcome(moved, np.zeros(8000, bool), lowest(now), "lowest", units, 20)
        assert nobody.excess(0) is None

    def test_a_retest_s_correlation_gives_its_own_expectation(self) -> None:
        before, now = exams(5000, 0.8, 7)
        moved = simple(now.tolist(), before.tolist())
        own = expected_success(moved, lowest(now), "lowest")[lowest(before)].mean()
        steady = expected_success(moved, lowest(now), "lowest", 0.95)[lowest(before)].mean()
        assert steady < own

    def test_without_spread_nothing_is_expected(self) -> None:
        moved = simple([50] * 10, list(range(10)))
        assert normal_correlation(moved) is None
        assert np.isnan(expected_success(moved, np.arange(10) < 2, "lowest")).all()

    def test_the_same_exam_twice(self) -> None:
        """r = 1: nobody is expected to leave."""
        values = list(range(100))
        moved = simple(values, values)
        inside = np.arange(100) < 20
        found = outcome(moved, inside, inside, "lowest", np.zeros(100, int), 1)
        assert found.expected[0] == pytest.approx(0, abs=0.01)
        assert found.success[0] == 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 20), st.booleans(), st.integers(0, 20), st.booleans()), min_size=1, max_size=40)
)
def test_standing_against_a_slow_reference(pupils: list[tuple[int, bool, int, bool]]) -> None:
    now, sat_now, before, sat_before = (list(one) for one in zip(*pupils, strict=True))
    moved = movement(now, sat_now, before, sat_before)
    pool_now = [value for value, sat in zip(now, sat_now, strict=True) if sat]
    pool_before = [value for value, sat in zip(before, sat_before, strict=True) if sat]
    for place, (value, sat, earlier, sat_earlier) in enumerate(pupils):
        if not (sat and sat_earlier):
            assert moved.rank_change[place] == 0
            assert np.isnan(moved.z_change[place])
            continue
        ranks = [1 + sum(other > mine for other in pool) for mine, pool in ((earlier, pool_before), (value, pool_now))]
        points = [
            100 * (sum(other < mine for other in pool) + 0.5 * pool.count(mine)) / len(pool)
            for mine, pool in ((earlier, pool_before), (value, pool_now))
        ]
        assert moved.rank_change[place] == ranks[0] - ranks[1]
        assert moved.percentile_change[place] == pytest.approx(points[1] - points[0])

"""Pairs, stability, sorting, power, missing pupils."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from jiaoheng.methods.effects_model import Effects
from jiaoheng.methods.judging.missing import attrition
from jiaoheng.methods.judging.pairs import differences, pairwise_z, with_pairwise
from jiaoheng.methods.judging.power import multiplier, pupils_needed, smallest_effect
from jiaoheng.methods.judging.sorting import sorting_check
from jiaoheng.methods.judging.stability import stability
from jiaoheng.methods.mixed.columns import unit_mean, unit_size
from jiaoheng.methods.mixed.nested import fit_nested
from jiaoheng.methods.mixed.sums import sums_of_arrays


def _effects(estimate: list[float], se: list[float], n: float = 50, least: float = 0) -> Effects:
    size = len(estimate)
    units = [(str(at),) for at in range(size)]
    return Effects("school", units, np.full(size, n), np.array(estimate), np.array(se), np.ones(size), least=least)


class TestPairs:
    def test_equal_errors_give_83_4_percent(self) -> None:
        assert pairwise_z(np.full(30, 0.2)) == pytest.approx(1.96 / 2**0.5, abs=1e-4)
        assert 2 * stats.norm.cdf(pairwise_z(np.full(30, 0.2))) - 1 == pytest.approx(0.834, abs=0.001)

    def test_unequal_errors_need_wider_intervals(self) -> None:
        assert pairwise_z(np.array([0.1, 0.1, 1.0])) > pairwise_z(np.full(3, 0.1))

    def test_many_units_as_all_pairs(self) -> None:
        se = np.random.default_rng(1).uniform(0.1, 0.5, 1500)
        i, j = np.triu_indices(1500, 1)
        exact = 1.959964 * float((np.hypot(se[i], se[j]) / (se[i] + se[j])).mean())
        assert pairwise_z(se) == pytest.approx(exact, rel=1e-4)

    def test_counts_are_those_of_all_pairs(self) -> None:
        rng = np.random.default_rng(3)
        effects = with_pairwise(_effects(rng.normal(0, 1, 40).tolist(), rng.uniform(0.2, 0.6, 40).tolist()))
        found = differences(effects)
        low, high = effects.low84, effects.high84
        assert found.below.tolist() == [(high < low[i]).sum() for i in range(40)]
        assert found.above.tolist() == [(low > high[i]).sum() for i in range(40)]
        assert found.share == pytest.approx(found.below.sum() / 780)

    def test_equals_are_told_apart_in_5_percent_of_pairs(self) -> None:
        rng = np.random.default_rng(5)
        shares = []
        for _ in range(200):
            se = rng.uniform(0.5, 1.5, 30)
            shares.append(differences(with_pairwise(_effects(rng.normal(0, se).tolist(), se.tolist()))).share)
        assert np.mean(shares) == pytest.approx(0.05, abs=0.01)

    def test_units_without_a_word_take_no_part(self) -> None:
        effects = _effects([-5, 0, 5], [0.1, 0.1, 0.1], n=3, least=10)
        assert differences(effects).below.sum() == 0


def _years(lasting: float, yearly: float, seed: int = 2) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    school, year = np.repeat(np.arange(80), 90), np.tile(np.repeat(np.arange(3), 30), 80)
    x = rng.normal(60, 10, school.size)
    own = rng.normal(0, lasting, 80)
    change = rng.normal(0, yearly, (80, 3))
    y = 0.6 * x + own[school] + change[school, year] + 5.0 * (year == 2) + rng.normal(0, 5, school.size)
    return y, x, school, year, own


class TestStability:
    def test_the_truth_comes_back(self) -> None:
        y, x, school, year, own = _years(2.0, 1.5)
        found = stability(sums_of_arrays(y, {"x": x}, {"school": school, "year": year}), "year")
        assert found.years == ("0", "1", "2")
        assert found.share == pytest.approx(4 / (4 + 2.25), abs=0.15)
        names = {one.name: one.estimate for one in found.nested.fit.fixed}
        assert names["year=2"] == pytest.approx(5, abs=1)
        units = [int(unit[0]) for unit in found.pooled.units]
        assert np.corrcoef(found.pooled.estimate, own[units])[0, 1] > 0.8
        assert len(found.by_year) == 240

    def test_nothing_lasts(self) -> None:
        y, x, school, year, _ = _years(0.0, 2.0)
        found = stability(sums_of_arrays(y, {"x": x}, {"school": school, "year": year}), "year")
        assert found.share is not None
        assert found.share < 0.15

    def test_one_year_tells_nothing(self) -> None:
        y, x, school, year, _ = _years(2.0, 1.0)
        one = year == 0
        sums = sums_of_arrays(y[one], {"x": x[one]}, {"school": school[one], "year": year[one]})
        assert stability(sums, "year").share is None


class TestSorting:
    def _data(self, by_intake: float):  # type: ignore[no-untyped-def]
        rng = np.random.default_rng(6)
        school = np.repeat(np.arange(100), 40)
        intake = rng.normal(0, 4, 100)
        x = 60 + intake[school] + rng.normal(0, 8, school.size)
        y = 0.5 * x + (by_intake * intake + rng.normal(0, 2, 100))[school] + rng.normal(0, 5, school.size)
        sums = sums_of_arrays(y, {"x": x}, {"school": school})
        return sums, fit_nested(sums)

    def test_effects_that_go_with_the_intake_are_found(self) -> None:
        sums, nested = self._data(0.5)
        found = sorting_check(sums, nested, "school", "intake", unit_mean(sums, "school", "x"))
        assert found is not None
        assert found.found
        assert found.slope == pytest.approx(0.5 * 4, rel=0.3)
        assert found.explained > 0.2

    def test_and_not_where_they_do_not(self) -> None:
        sums, nested = self._data(0.0)
        found = sorting_check(sums, nested, "school", "intake", unit_mean(sums, "school", "x"))
        assert found is not None
        assert not found.found

    def test_what_does_not_vary_is_no_check(self) -> None:
        sums, nested = self._data(0.0)
        assert sorting_check(sums, nested, "school", "size", unit_size(sums, "school")) is None


class TestPower:
    def test_textbook(self) -> None:
        assert multiplier() == pytest.approx(2.8016, abs=1e-4)
        assert smallest_effect([100], 100.0)[0] == pytest.approx(2.8016, abs=1e-4)
        assert smallest_effect([100], 100.0, [(4.0, [2])])[0] == pytest.approx(2.8016 * 3**0.5, abs=1e-3)
        assert pupils_needed(2.8016, 100.0) == pytest.approx(100, abs=0.01)

    def test_by_simulation(self) -> None:
        rng = np.random.default_rng(1)
        effect = smallest_effect([40], 36.0)[0]
        means = effect + rng.normal(0, 6, (4000, 40)).mean(axis=1)
        assert (np.abs(means) > 1.96 * 6 / 40**0.5).mean() == pytest.approx(0.8, abs=0.02)


class TestMissing:
    def test_bounds_hold_whatever_the_missing_were(self) -> None:
        one = attrition(
            np.array([80.0, 0.0]),
            np.array([15.0, 0.0]),
            np.array([5.0, 10.0]),
            np.array([2.0, np.nan]),
            5.0,
            np.zeros(2),
        )
        assert one.matched.tolist() == [0.8, 0.0]
        assert (one.low[0], one.high[0]) == pytest.approx(((160 - 100) / 100, (160 + 100) / 100))
        assert (one.low[1], one.high[1]) == pytest.approx((-5, 5))

    def test_nobody_missing(self) -> None:
        one = attrition(np.array([30.0]), np.zeros(1), np.zeros(1), np.array([1.5]), 5.0, np.zeros(1))
        assert one.low[0] == one.high[0] == 1.5

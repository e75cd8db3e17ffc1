"""Residuals, score differences, and the families side by side."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from jiaoheng.methods.effects_model import Effects, Reading
from jiaoheng.methods.mixed.nested import fit_nested
from jiaoheng.methods.mixed.sums import sums_of_arrays
from jiaoheng.methods.plain.families import side_by_side
from jiaoheng.methods.plain.residuals import SHRUNKEN, fit_residuals
from jiaoheng.methods.plain.score_differences import percentile_difference, standard_difference, unit_means

RNG = np.random.default_rng(4)
SCHOOL = RNG.integers(0, 25, 1500)
CLASS = RNG.integers(0, 3, 1500)
X = RNG.normal(60, 10, 1500)
Y = 8 + 0.7 * X + RNG.normal(0, 3, 25)[SCHOOL] + RNG.normal(0, 6, 1500)


class TestResiduals:
    def test_against_the_rows(self) -> None:
        fit = fit_residuals(sums_of_arrays(Y, {"x": X}, {"school": SCHOOL, "class": CLASS}))
        line = stats.linregress(X, Y)
        assert [one.estimate for one in fit.fixed] == pytest.approx([line.intercept, line.slope])
        assert [one.se for one in fit.fixed] == pytest.approx([line.intercept_stderr, line.stderr])
        assert fit.fixed[1].p == pytest.approx(line.pvalue, abs=1e-12)
        residual = Y - line.intercept - line.slope * X
        effects = fit.of("school")
        for at, unit in enumerate(effects.units):
            own = residual[int(unit[0]) == SCHOOL]
            assert effects.estimate[at] == pytest.approx(own.mean(), abs=1e-9)
            assert effects.se[at] == pytest.approx(own.std(ddof=1) / own.size**0.5)
        inner = fit.of("class")
        own = residual[(int(inner.units[7][0]) == SCHOOL) & (int(inner.units[7][1]) == CLASS)]
        assert inner.estimate[7] == pytest.approx(own.mean(), abs=1e-9)

    def test_shrunken_is_near_the_mixed_model(self) -> None:
        sums = sums_of_arrays(Y, {"x": X}, {"school": SCHOOL})
        mixed = fit_nested(sums).fit.of("school")
        plain = fit_residuals(sums).of("school", SHRUNKEN)
        np.testing.assert_allclose(plain.estimate, mixed.estimate, atol=0.12)

    def test_no_difference_between_units(self) -> None:
        rng = np.random.default_rng(1)
        fit = fit_residuals(sums_of_arrays(rng.normal(size=90), {"x": rng.normal(size=90)}, {"s": np.arange(90) // 30}))
        if fit.components[0].value == 0:
            assert not fit.of("s", SHRUNKEN).estimate.any()


class TestDifferences:
    def test_z(self) -> None:
        y, a, b = np.array([1.0, 2, 3, np.nan]), np.array([3.0, 2, 1, 5]), np.array([10.0, 20, 60, 1])
        found = standard_difference(y, [a, b])
        za, zb, zy = (stats.zscore(values[:3]) for values in (a, b, y))
        assert found[:3] == pytest.approx(zy - (za + zb) / 2)
        assert np.isnan(found[3])

    def test_percentile_ranks(self) -> None:
        found = percentile_difference(np.array([10.0, 20, 20, 40]), [np.array([4.0, 3, 2, 1])])
        assert found.tolist() == [12.5 - 87.5, 50 - 62.5, 50 - 37.5, 87.5 - 12.5]

    def test_units(self) -> None:
        found = unit_means(standard_difference(Y, [X]), {"school": SCHOOL, "class": CLASS})
        own = standard_difference(Y, [X])[SCHOOL == 3]
        at = list(found[0].units).index(("3",))
        assert found[0].estimate[at] == pytest.approx(own.mean())
        assert found[0].se[at] == pytest.approx(stats.sem(own))
        assert sum(found[1].n) == 1500

    def test_equal_scores_are_refused(self) -> None:
        with pytest.raises(ValueError, match="全部相同"):
            standard_difference(np.ones(4), [np.arange(4.0)])


class TestFamilies:
    def test_side_by_side(self) -> None:
        sums = sums_of_arrays(Y, {"x": X}, {"school": SCHOOL})
        methods = {
            "lmm": fit_nested(sums).fit.of("school"),
            "residual": fit_residuals(sums).of("school"),
            "ΔZ": unit_means(standard_difference(Y, [X]), {"school": SCHOOL})[0],
        }
        found = side_by_side(methods)
        assert len(found.units) == 25
        assert found.correlation[0, 1] > 0.97
        lmm, residual = methods["lmm"].estimate, methods["residual"].estimate
        assert found.correlation[0, 1] == pytest.approx(stats.spearmanr(lmm, residual).statistic)
        assert 0 <= found.agreement("lmm", "ΔZ") <= 1

    def test_units_that_one_method_lacks_are_left_out(self) -> None:
        def made(units: list[str], value: list[float]) -> Effects:
            size = len(units)
            return Effects(
                "s", [(u,) for u in units], np.full(size, 50.0), np.array(value), np.ones(size), np.ones(size)
            )

        found = side_by_side(
            {"a": made(["1", "2", "3", "4"], [1, 2, 3, np.nan]), "b": made(["4", "3", "1"], [1, 9, 2])}
        )
        assert found.units == (("1",), ("3",))
        assert found.values.tolist() == [[1, 3], [2, 9]]
        assert found.words[1] == (Reading.ABOVE, Reading.ABOVE)
        assert np.isnan(found.correlation).all()

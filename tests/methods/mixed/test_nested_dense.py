"""Sums against whole matrices: weights, three levels, slopes, missing priors, totals, measurement error."""

from __future__ import annotations

import numpy as np
import pytest

from jiaoheng.methods.mixed.design import build_design
from jiaoheng.methods.mixed.likelihood import evaluate
from jiaoheng.methods.mixed.measurement import _traces
from jiaoheng.methods.mixed.nested import NestedFit, criterion_shift, fit_nested
from jiaoheng.methods.mixed.sums import sums_of_arrays
from jiaoheng.methods.mixed.totals import total_effects
from methods.mixed.dense import Dense

RNG = np.random.default_rng(11)
N = 240
DISTRICT = np.repeat(np.arange(4), 60)
SCHOOL = np.repeat(np.arange(12), 20)
CLASS = np.repeat(np.arange(48), 5)
X1 = RNG.normal(50, 10, N)
X2 = RNG.normal(300, 40, N)
WEIGHT = RNG.uniform(0.5, 2.0, N)
Y = (
    20
    + 0.6 * X1
    + 0.1 * X2
    + RNG.normal(0, 3, 4)[DISTRICT]
    + RNG.normal(0, 3, 12)[SCHOOL]
    + RNG.normal(0, 2, 48)[CLASS]
    + RNG.normal(0, 0.2, 12)[SCHOOL] * (X1 - 50)
    + RNG.normal(0, 5, N) / np.sqrt(WEIGHT)
)
GROUPS = {"district": DISTRICT, "school": SCHOOL, "class": CLASS}
UNITS = {**GROUPS}


def _fit(levels: list[str], weight: bool, slope: str | None, reml: bool) -> tuple[NestedFit, Dense]:
    sums = sums_of_arrays(
        Y, {"x1": X1, "x2": X2}, {name: GROUPS[name] for name in levels}, weight=WEIGHT if weight else None
    )
    nested = fit_nested(sums, reml=reml, slopes={slope: ["x1"]} if slope else None)
    fit = nested.fit
    parts = []
    for name in levels:
        terms = ["(Intercept)", "x1"] if name == slope else ["(Intercept)"]
        g = np.zeros((len(terms), len(terms)))
        for v in fit.components:
            if v.level == name:
                a, b = terms.index(v.term), terms.index(v.other or v.term)
                g[a, b] = g[b, a] = v.value / fit.residual_variance
        z = np.column_stack([np.ones(N), X1][: len(terms)])
        parts.append((UNITS[name], z, g))
    w = WEIGHT if weight else np.ones(N)
    return nested, Dense(Y, np.column_stack([np.ones(N), X1, X2]), parts, w)


CASES = [
    (["school"], False, None, True),
    (["school"], True, "school", False),
    (["school", "class"], True, None, True),
    (["school", "class"], False, "school", True),
    (["school", "class"], False, "class", False),
    (["district", "school", "class"], True, None, False),
    (["district", "school", "class"], True, "school", True),
]


@pytest.mark.parametrize(("levels", "weight", "slope", "reml"), CASES)
def test_everything_agrees(levels: list[str], weight: bool, slope: str | None, reml: bool) -> None:
    nested, dense = _fit(levels, weight, slope, reml)
    fit = nested.fit
    assert fit.criterion == pytest.approx(dense.criterion(reml), rel=1e-9)
    assert fit.residual_variance == pytest.approx(dense.sigma2(reml), rel=1e-8)
    np.testing.assert_allclose([one.estimate for one in fit.fixed], dense.beta, rtol=1e-7)
    covariance = fit.residual_variance * np.linalg.inv(dense.inner)
    np.testing.assert_allclose(fit.fixed_covariance, covariance, rtol=1e-6, atol=1e-9 * np.abs(covariance).max())
    for at, name in enumerate(levels):
        terms = ["(Intercept)", "x1"] if name == slope else ["(Intercept)"]
        for term_at, term in enumerate(terms):
            effects = fit.of(name, term)
            for place in (0, len(effects) - 1):
                unit = int(effects.units[place][-1])
                found, conditional, error = dense.effect(at, unit)
                assert effects.estimate[place] == pytest.approx(found[term_at], rel=1e-5, abs=1e-7)
                assert effects.conditional_sd is not None
                sd = np.sqrt(fit.residual_variance * conditional[term_at, term_at])
                assert effects.conditional_sd[place] == pytest.approx(sd, rel=1e-5, abs=1e-6)
                se = np.sqrt(fit.residual_variance * error[term_at, term_at])
                assert effects.se[place] == pytest.approx(se, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("levels", [["school", "class"], ["district", "school", "class"]])
def test_totals_take_the_covariances_with_them(levels: list[str]) -> None:
    nested, dense = _fit(levels, True, None, True)
    total = total_effects(nested, "class")
    sigma2 = nested.fit.residual_variance
    for place in (0, 17, 47):
        unit = int(total.units[place][-1])
        pupil = int(np.flatnonzero(unit == CLASS)[0])
        cover = sum(g[0, 0] * (units[:, None] == units[None, :]) for units, _, g in dense.parts)[pupil]
        prior = sum(g[0, 0] for _, _, g in dense.parts)
        reach = cover @ dense.inverse
        assert total.estimate[place] == pytest.approx(float(reach @ dense.residual), rel=1e-6)
        conditional = prior - reach @ cover
        lean = reach @ dense.x
        error = conditional + lean @ np.linalg.inv(dense.inner) @ lean
        assert total.se[place] == pytest.approx(np.sqrt(sigma2 * error), rel=1e-6)
        assert total.conditional_sd is not None
        assert total.conditional_sd[place] == pytest.approx(np.sqrt(sigma2 * conditional), rel=1e-6)


@pytest.mark.parametrize("weight", [False, True])
def test_traces_of_the_inverse(weight: bool) -> None:
    nested, dense = _fit(["district", "school", "class"], weight, None, True)
    ((first, second),) = _traces(nested.design, nested.found.point).values()
    assert first == pytest.approx(np.trace(dense.inverse), rel=1e-8)
    # the second is used for standard errors only and is taken to first order
    assert second == pytest.approx(np.trace(dense.inverse @ dense.inverse), rel=0.1)


class TestPatterns:
    """Pupils who lack a prior: their own intercept, slopes and residual variance."""

    def _sums(self):  # type: ignore[no-untyped-def]
        rng = np.random.default_rng(5)
        school = rng.integers(0, 30, 3000)
        x1, x2 = rng.normal(60, 9, 3000), rng.normal(30, 5, 3000)
        y = 5 + 0.5 * x1 + 0.8 * x2 + rng.normal(0, 2, 30)[school] + rng.normal(0, 4, 3000)
        x1[rng.random(3000) < 0.2] = np.nan
        x2[rng.random(3000) < 0.15] = np.nan
        return y, x1, x2, school

    def test_the_same_as_columns_written_out(self) -> None:
        y, x1, x2, school = self._sums()
        sums = sums_of_arrays(y, {"x1": x1, "x2": x2}, {"school": school}, priors=["x1", "x2"])
        nested = fit_nested(sums)
        keep = ~(np.isnan(x1) & np.isnan(x2))
        only1, only2 = keep & np.isnan(x2), keep & np.isnan(x1)
        both = keep & ~only1 & ~only2
        weight = np.ones(y.size)
        design = nested.design
        for mask, who in ((1, only1), (2, only2)):
            weight[who] = design.pattern_weight[mask]
        assert design.pattern_weight[1] < 0.8  # without x2 (a spread of 4 marks) much more is left
        f1, f2 = np.where(np.isnan(x1), 0, x1), np.where(np.isnan(x2), 0, x2)
        columns = [np.ones(y.size), f1 * both, f2 * both, only1, f1 * only1, only2, f2 * only2]
        ratio = nested.fit.components[0].value / nested.fit.residual_variance
        dense = Dense(
            y[keep],
            np.column_stack(columns)[keep].astype(float),
            [(school[keep], np.ones((keep.sum(), 1)), np.array([[ratio]]))],
            weight[keep],
        )
        place = {name: at for at, name in enumerate(design.names[:-1])}
        beta = np.array([one.estimate for one in nested.fit.fixed])
        b1, b2 = place["x1|仅有x1"], place["x2|仅有x2"]
        i1, i2 = place["(Intercept)|仅有x1"], place["(Intercept)|仅有x2"]
        assert beta[:3] == pytest.approx(dense.beta[:3], rel=1e-6)
        assert beta[0] + beta[i1] == pytest.approx(dense.beta[0] + dense.beta[3], rel=1e-6)
        assert beta[1] + beta[b1] == pytest.approx(dense.beta[4], rel=1e-6)
        assert beta[0] + beta[i2] == pytest.approx(dense.beta[0] + dense.beta[5], rel=1e-6)
        assert beta[2] + beta[b2] == pytest.approx(dense.beta[6], rel=1e-6)
        assert nested.fit.criterion - _constant(nested, dense) == pytest.approx(0, abs=1e-5)
        effects = nested.fit.of("school")
        found, _, _ = dense.effect(0, int(effects.units[3][0]))
        assert effects.estimate[3] == pytest.approx(found[0], rel=1e-6)

    def test_a_rare_pattern_falls_back_on_fewer_priors(self) -> None:
        y, x1, x2, school = self._sums()
        x3 = np.random.default_rng(1).normal(size=y.size)
        x3[:40] = np.nan
        priors = {"x1": x1, "x2": x2, "x3": x3}
        nested = fit_nested(sums_of_arrays(y, priors, {"school": school}, priors=list(priors)))
        assert any(one.code == "rare-patterns" for one in nested.fit.warnings)
        known = (~np.isnan(np.column_stack([x1, x2, x3]))).any(axis=1)
        assert nested.fit.n == int(known.sum())


def _constant(nested: NestedFit, dense: Dense) -> float:
    """REML depends on how the same space of X is written: by twice the log of the change's determinant."""
    own = build_design(nested.design.sums, None)
    point = evaluate(own, nested.found.factors, reml=True)
    inverse = np.linalg.inv(own.transform[:-1, :-1])
    inner = inverse @ point.inner @ inverse.T
    # both intercepts of a pattern and its slopes are sums of two columns: that change has determinant 1
    return (
        dense.criterion(True)
        + float(np.linalg.slogdet(inner)[1] - np.linalg.slogdet(dense.inner)[1])
        + 0 * (criterion_shift(own, reml=True))
    )

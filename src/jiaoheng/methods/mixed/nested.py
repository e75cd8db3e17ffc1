"""A nested linear mixed model fitted from group sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jiaoheng.methods.effects_model import Fit, FloatArray, Warned
from jiaoheng.methods.mixed.design import Design, build_design
from jiaoheng.methods.mixed.effects import effects_of
from jiaoheng.methods.mixed.group_sums import GroupSums
from jiaoheng.methods.mixed.inference import (
    components_of,
    fixed_effects,
    one_effect,
    raw_coefficients,
    raw_covariance,
)
from jiaoheng.methods.mixed.measurement import corrected, error_variances
from jiaoheng.methods.mixed.search import Found, search


@dataclass(frozen=True, slots=True)
class NestedFit:
    """A fit with what it was made from (for R², total effects and comparisons)."""

    fit: Fit
    design: Design
    found: Found
    reml: bool


def fit_nested(
    sums: GroupSums,
    *,
    reml: bool = True,
    slopes: Mapping[str, Sequence[str]] | None = None,
    least: float | Mapping[str, float] = 0,
    tests: bool = True,
    reliability: Mapping[str, float] | None = None,
    error_variance: Mapping[str, float] | None = None,
) -> NestedFit:
    """Fit y = Xβ + Σ over levels of Z u + e. `slopes`: by level, predictors whose slope varies among its units.

    least: units with fewer pupils (by level) get no word. tests: degrees of freedom for the fixed effects (else normal).
    reliability, error_variance: of priors (either one a prior): their measurement error is taken out.
    Raises EffectsDataError where the data cannot carry the model.
    """
    design = build_design(sums, slopes)
    if reliability or error_variance:
        return _measured(design, reliability or {}, error_variance or {}, reml=reml, least=least)
    found = search(design, reml=reml)
    fixed, covariance = fixed_effects(design, found, reml=reml, satterthwaite=tests)
    components = components_of(design, found.factors, found.free, found.point.variance)
    fit = Fit(
        method="lmm",
        criterion_name="REML" if reml else "ML",
        criterion=found.point.criterion + criterion_shift(design, reml=reml),
        n=design.n,
        fixed=fixed,
        components=components,
        effects=effects_of(design, found.point, found.factors, least=least),
        warnings=(*design.warnings, *warnings_of(design, found)),
        converged=found.converged,
        evaluations=found.evaluations,
        icc=icc_of(design, found.factors),
        fixed_covariance=covariance,
    )
    return NestedFit(fit, design, found, reml)


def _measured(
    design: Design,
    reliability: Mapping[str, float],
    error_variance: Mapping[str, float],
    *,
    reml: bool,
    least: float | Mapping[str, float],
) -> NestedFit:
    """The fit with the priors' measurement error taken out; tests are normal."""
    errors = {**error_variances(design, reliability), **error_variance}
    made = corrected(design, errors, reml=reml)
    found, variance = made.found, made.found.point.variance
    beta = raw_coefficients(design, made.beta)
    covariance = raw_covariance(design, variance * made.covariance)
    ses = np.sqrt(np.diag(covariance))
    names = zip(design.names[:-1], beta.tolist(), ses.tolist(), strict=True)
    effects = effects_of(
        design, found.point, found.factors, least=least, beta=made.beta, beta_covariance=made.covariance
    )
    unsettled = [] if made.settled else [Warned("not-converged", "测量误差校正没有收敛，请核对信度，或不做校正")]
    fit = Fit(
        method="lmm",
        criterion_name="REML（给定校正后的系数）" if reml else "ML（给定校正后的系数）",
        criterion=found.point.criterion + criterion_shift(design, reml=reml),
        n=design.n,
        fixed=tuple(one_effect(name, estimate, se, float("nan")) for name, estimate, se in names),
        components=components_of(design, found.factors, found.free, variance),
        effects=effects,
        warnings=(*design.warnings, *warnings_of(design, found), *unsettled),
        converged=found.converged and made.settled,
        evaluations=found.evaluations,
        icc=icc_of(design, found.factors),
        fixed_covariance=covariance,
    )
    return NestedFit(fit, design, found, reml)


def criterion_shift(design: Design, *, reml: bool) -> float:
    """What the criterion of raw columns has more than that of standard ones."""
    p = design.predictors
    scales = np.log(np.diag(design.transform))
    shift = -2 * float(scales[p]) * (design.n - p if reml else design.n)
    if reml:
        shift -= 2 * float(scales[:p].sum())
    return shift


def icc_of(design: Design, factors: Sequence[FloatArray]) -> dict[str, float]:
    """By level: the share of the variance (after what is adjusted for) that lies between its units.

    With a random slope the level's variance is its mean over the pupils.
    """
    spread = {level.name: level_variance(design, at, factors) for at, level in enumerate(design.levels)}
    whole = 1.0 + sum(spread.values())
    return {name: value / whole for name, value in reversed(spread.items())}


def level_variance(design: Design, at: int, factors: Sequence[FloatArray]) -> float:
    """Mean over the pupils of z'Gz, relative to σ². Source: Johnson (2014), Methods in Ecology and Evolution 5."""
    columns = design.levels[at].columns
    g = factors[at] @ factors[at].T
    mean = design.total[np.ix_(columns, columns)] / design.total[0, 0]
    return float((g * mean).sum())


def warnings_of(design: Design, found: Found) -> list[Warned]:
    """Singular and unfinished fits, by name."""
    made: list[Warned] = []
    at = 0
    for level, factor in zip(design.levels, found.factors, strict=True):
        count = len(factor) * (len(factor) + 1) // 2
        if not found.free[at : at + count].all():
            if not factor.any():
                text = f"“{level.name}”一层的方差估计为 0：数据中看不出单位之间有超出偶然的差别，各单位效应都记为 0"
                made.append(Warned("singular", text))
            else:
                text = f"“{level.name}”一层的随机斜率与截距完全相关（边界解），数据不足以把两者分开，建议去掉随机斜率"
                made.append(Warned("boundary", text))
        at += count
    if not found.converged:
        text = "方差的搜索没有收敛，结果不可靠。请减少随机斜率或协变量，或检查数据后再算"
        made.append(Warned("not-converged", text))
    return made

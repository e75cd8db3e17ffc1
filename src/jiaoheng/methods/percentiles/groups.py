"""Growth of a group: the median percentile of its pupils and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import ndtri

from jiaoheng.methods.effects_columns import keyed
from jiaoheng.methods.effects_errors import EffectsDataError
from jiaoheng.methods.effects_model import Z95, Effects, Fit, FloatArray, IntArray, Warned
from jiaoheng.methods.percentiles.bands import band_percentiles
from jiaoheng.methods.percentiles.growth import Growth, growth_percentiles

EXPECTED = 50.0  # percentiles of all pupils have their median here


def group_medians(growth: Growth, level: str, keys: Any, *, least: float = 0.0) -> Effects:
    """Median growth percentile of each group; `keys` (n,) the group of each pupil. Groups without any percentile stay out.

    Standard error: McKean & Schrader (1984, Comm. Stat. B 13, 751–773), the width of the distribution-free 95 % interval
    of the median ÷ 2·1.96; its intervals cover 94–96 % from 15 pupils on. (1.253·s/√n, often printed, holds for normal
    scores; percentiles are near uniform, where the median varies by a third more.) NaN for a single pupil. Reliability: the share of the spread of medians that is not sampling error,
    τ²/(τ² + se²) with τ² = max(0, variance of the medians − mean se²). Centre 50.
    """
    names, codes = keyed(keys, level)
    if len(codes) != len(growth.percentile):
        raise EffectsDataError(
            "lengths-differ", f"“{level}”有 {len(codes)} 行，学生有 {len(growth.percentile)} 名：请核对"
        )
    kept = growth.percentile > 0
    used, code = np.unique(codes[kept], return_inverse=True)
    median, se, n = medians(growth.percentile[kept], code.astype(np.int64), len(used))
    known = np.isfinite(se)
    between = 0.0
    if int(known.sum()) > 1:
        between = max(0.0, float(np.var(median[known], ddof=1) - np.mean(se[known] ** 2)))
    with np.errstate(invalid="ignore", divide="ignore"):
        reliability = np.where(known, between / (between + se**2), 0.0)
    return Effects(
        level=level,
        units=[(names[int(i)],) for i in used],
        n=n.astype(np.float64),
        estimate=median,
        se=se,
        reliability=np.nan_to_num(reliability),
        term="median",
        least=least,
        centre=EXPECTED,
    )


def medians(values: IntArray, code: IntArray, groups: int) -> tuple[FloatArray, FloatArray, IntArray]:
    """Median, its standard error (NaN where n < 2) and n of each group; code (n,) in 0 … groups − 1, none empty."""
    order = np.lexsort((values, code))
    x = values[order].astype(np.float64)
    n = np.bincount(code, minlength=groups)
    begin = np.cumsum(n) - n
    median = (x[begin + (n - 1) // 2] + x[begin + n // 2]) / 2
    rank = np.maximum(np.floor((n + 1) / 2 - Z95 * np.sqrt(n) / 2).astype(np.int64), 1)
    # up to five pupils even the range covers less than 95 %: what it covers stands in the divisor
    z = np.minimum(Z95, ndtri(1 - 0.5**n))
    width = x[begin + n - rank] - x[begin + rank - 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        se = np.where(n > 1, width / (2 * z), np.nan)
    return median, se, n


def fit_percentiles(
    y: Any,
    priors: Any,
    groups: Mapping[str, Any],
    *,
    names: Sequence[str] | None = None,
    least: float = 0.0,
    bands: int = 0,
) -> tuple[Fit, Growth]:
    """Growth percentiles and the medians of every level: groups {level: keys (n,)}, outermost first.

    bands > 0 takes the simple version with that many bands. `Fit.criterion` is the mean pinball loss (NaN for bands)
    and `Fit.r2` what the start explains of it (Koenker & Machado 1999, JASA 94). Raises EffectsDataError.
    """
    if not groups:
        raise EffectsDataError("no-groups", "没有给出学校、班级等分组：至少要有一个，请补上")
    growth = (
        band_percentiles(y, priors, names=names, bins=bands) if bands else growth_percentiles(y, priors, names=names)
    )
    effects = tuple(group_medians(growth, level, keys, least=least) for level, keys in groups.items())
    warnings = [*growth.warnings]
    for one in effects:
        if len(one) == 1:
            warnings.append(
                Warned(
                    "one-level", f"“{one.level}”只有 1 个（{one.units[0][0]}）：它的中位数总在 50 左右，不能说明好坏"
                )
            )
        single = int((one.n == 1).sum())
        if single:
            warnings.append(Warned("single-pupil", f"“{one.level}”中 {single} 个只有 1 名学生：不作判断"))
    fit = Fit(
        method="sgp",
        criterion_name="bands" if bands else "pinball",
        criterion=growth.loss,
        n=int((growth.percentile > 0).sum()),
        fixed=(),
        components=(),
        effects=effects,
        warnings=tuple(warnings),
        converged=all(bool(one.process.converged.all()) for one in growth.curves),
        r2={} if bands else {"pinball": 1 - growth.loss / growth.loss_without},
    )
    return fit, growth

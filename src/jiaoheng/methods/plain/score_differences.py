"""Differences of standard scores and of percentile ranks: outcome less prior, averaged over a unit.

ΔZ = Z(outcome) − mean of Z(priors), ΔPR the same with percentile ranks, both among the pupils whose outcome and priors are all
known. Simple to tell, and not fair: by regression to the mean a school of strong pupils comes out below one of weak
pupils, and a ceiling does the rest. Source: standards §1.8 (1, 2) and its warning on strong pupils.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from jiaoheng.methods.effects_errors import EffectsDataError
from jiaoheng.methods.effects_model import Effects, FloatArray

Z_SCORE, PERCENTILE = "ΔZ", "ΔPR"


def standard_difference(outcome: FloatArray, priors: Sequence[FloatArray]) -> FloatArray:
    """ΔZ of each pupil; NaN where a score is unknown. Population SDs over the pupils with all scores."""
    known = _known(outcome, priors)
    parts = [_z(values, known) for values in (outcome, *priors)]
    found: FloatArray = parts[0] - np.mean(parts[1:], axis=0)
    return found


def percentile_difference(outcome: FloatArray, priors: Sequence[FloatArray]) -> FloatArray:
    """ΔPR of each pupil in percentile points (mid-ranks); NaN where a score is unknown."""
    known = _known(outcome, priors)
    parts = []
    for values in (outcome, *priors):
        rank = np.full(values.size, np.nan)
        rank[known] = (rankdata(values[known]) - 0.5) / known.sum() * 100
        parts.append(rank)
    found: FloatArray = parts[0] - np.mean(parts[1:], axis=0)
    return found


def unit_means(
    differences: FloatArray, groups: Mapping[str, npt.ArrayLike], *, least: Mapping[str, float] | None = None
) -> tuple[Effects, ...]:
    """The mean difference of each unit of every level (outermost first), with ±1.96·s/√n; raises where none is known."""
    known = ~np.isnan(differences)
    if not known.any():
        raise EffectsDataError("no-rows", "没有一名学生同时有起点和终点成绩，无法计算差值。请核对成绩列")
    value = differences[known]
    keys: list[npt.NDArray[np.str_]] = []
    made: list[Effects] = []
    for name, column in groups.items():
        keys.append(np.asarray(column)[known].astype(str))
        paths, unit = np.unique(np.array(keys), axis=1, return_inverse=True)
        unit = np.asarray(unit).reshape(-1)
        n = np.bincount(unit).astype(np.float64)
        mean = np.bincount(unit, value) / n
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = np.sqrt(np.bincount(unit, (value - mean[unit]) ** 2) / (n - 1))
        se = np.where(n > 1, spread / np.sqrt(n), np.nan)
        sigma2 = float(np.nansum(spread**2 * (n - 1)) / max(n.sum() - n.size, 1))
        tau2 = max(0.0, float(np.var(mean) - np.mean(sigma2 / n)))
        reliability = n * tau2 / (n * tau2 + sigma2) if tau2 > 0 else np.zeros(n.size)
        units = [tuple(path) for path in paths.T.tolist()]
        made.append(Effects(name, units, n, mean, se, reliability, least=(least or {}).get(name, 0)))
    return tuple(made)


def _known(outcome: FloatArray, priors: Sequence[FloatArray]) -> npt.NDArray[np.bool_]:
    known: npt.NDArray[np.bool_] = np.isfinite(np.array([outcome, *priors])).all(axis=0)
    return known


def _z(values: FloatArray, known: npt.NDArray[np.bool_]) -> FloatArray:
    own = values[known]
    spread = float(own.std()) if own.size else 0.0
    if spread == 0:
        raise EffectsDataError("constant-outcome", "有一列成绩全部相同，没有标准差，不能化为标准分。请核对成绩列")
    return np.where(known, (values - own.mean()) / spread, np.nan)

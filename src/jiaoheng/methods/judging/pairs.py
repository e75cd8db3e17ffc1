"""Who really differs: intervals that may be read against each other.

Two units differ at 5 % where |a − b| > 1.96·√(s² + t²). Intervals of half width z·s do not overlap where |a − b| > z·(s + t);
so z is chosen such that over all pairs both agree on average: z = 1.96 · mean of √(s² + t²)/(s + t).
With equal standard errors z = 1.386, an 83.4 % interval. Source: Goldstein & Healy (1995), JRSS A 158, 175–177.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from jiaoheng.methods.effects_model import Z84, Z95, Effects, FloatArray, IntArray

_EXACT = 400  # units up to which every pair is taken; beyond, pairs of this many quantiles of the standard errors


@dataclass(frozen=True, slots=True)
class Differences:
    """By unit: how many others lie surely below it, how many surely above; and the share of all pairs told apart."""

    below: IntArray
    above: IntArray
    share: float


def pairwise_z(se: FloatArray) -> float:
    """The half width of pairwise intervals in standard errors; 1.386 where there is nothing to compare."""
    known = np.sort(se[np.isfinite(se) & (se > 0)])
    if known.size < 2:
        return Z84
    if known.size > _EXACT:
        known = np.quantile(known, (np.arange(_EXACT) + 0.5) / _EXACT)
    i, j = np.triu_indices(known.size, 1)
    return Z95 * float((np.hypot(known[i], known[j]) / (known[i] + known[j])).mean())


def with_pairwise(effects: Effects) -> Effects:
    """The same effects with pairwise intervals fit for their own standard errors."""
    return replace(effects, z84=pairwise_z(effects.se))


def differences(effects: Effects) -> Differences:
    """Counts of units whose pairwise interval lies wholly to one side; units without a word take no part."""
    judged = (effects.n >= effects.least) & np.isfinite(effects.se) & (effects.se > 0)
    low, high = effects.low84, effects.high84
    below: IntArray = np.zeros(len(effects), np.int64)
    above: IntArray = np.zeros(len(effects), np.int64)
    below[judged] = np.searchsorted(np.sort(high[judged]), low[judged], side="left")
    above[judged] = judged.sum() - np.searchsorted(np.sort(low[judged]), high[judged], side="right")
    pairs = int(judged.sum()) * (int(judged.sum()) - 1) // 2
    return Differences(below, above, float(below.sum()) / pairs if pairs else 0.0)

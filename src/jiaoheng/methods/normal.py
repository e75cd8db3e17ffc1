"""The normal distribution's quantile, once, so that every interval uses the same one."""

from __future__ import annotations

from functools import cache
from statistics import NormalDist


@cache
def normal_quantile(share: float) -> float:
    """Φ⁻¹(share), 0 < share < 1: 0.975 → 1.95996."""
    return NormalDist().inv_cdf(share)

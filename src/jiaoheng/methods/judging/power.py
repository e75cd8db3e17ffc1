"""What so many pupils can show: the smallest true effect that would be noticed.

An effect is noticed with probability `power` where it is (z₁₋α/₂ + z_power) standard errors from 0, 2.80 for 5 % and 80 %.
The standard error of n pupils' mean residual is √(σ²/n + Σ ω²/m) with ω² the variance of inner units (classes) and m their
number in the unit. Source: Cohen (1988), Statistical Power Analysis; Bloom (1995), Evaluation Review 19.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from jiaoheng.methods.effects_model import FloatArray


def multiplier(power: float = 0.8, alpha: float = 0.05) -> float:
    """How many standard errors an effect must measure."""
    return float(ndtri(1 - alpha / 2) + ndtri(power))


def smallest_effect(
    n: FloatArray | Sequence[float],
    residual: float,
    inner: Sequence[tuple[float, FloatArray | Sequence[float]]] = (),
    *,
    power: float = 0.8,
) -> FloatArray:
    """The smallest noticeable effect for units of n pupils; inner: (variance, number of inner units) of each level."""
    variance: FloatArray = residual / np.asarray(n, dtype=np.float64)
    for value, count in inner:
        variance = variance + value / np.maximum(np.asarray(count, dtype=np.float64), 1)
    found: FloatArray = multiplier(power) * np.sqrt(variance)
    return found


def pupils_needed(effect: float, residual: float, *, power: float = 0.8) -> float:
    """How many pupils show an effect of this size (one inner unit's variance apart)."""
    return residual * (multiplier(power) / effect) ** 2

"""Pupils who lack a prior or an outcome: how many, how they differ, and what they could do to a unit's effect.

Nothing is known of a missing pupil's residual. If the mean residual of a unit's m missing pupils lies between −k and +k
residual standard deviations, the mean over all n + m lies within (n·r̄ ± m·k·σ)/(n + m). Source: Manski (2003), Partial
Identification of Probability Distributions, with the support of the missing mean cut to ±k·σ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jiaoheng.methods.effects_model import FloatArray


@dataclass(frozen=True, slots=True)
class Attrition:
    """By unit, in one order: pupils used and missing, and the bounds of the mean residual over all of them."""

    used: FloatArray
    no_outcome: FloatArray
    no_prior: FloatArray
    gap: FloatArray  # prior of those without outcome less that of the others, in standard deviations; NaN unknown
    low: FloatArray
    high: FloatArray

    @property
    def matched(self) -> FloatArray:
        """Share of the listed pupils who are used."""
        whole = self.used + self.no_outcome + self.no_prior
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(whole > 0, self.used / whole, np.nan)


def attrition(
    used: FloatArray,
    no_outcome: FloatArray,
    no_prior: FloatArray,
    mean_residual: FloatArray,
    residual_sd: float,
    gap: FloatArray,
    k: float = 1.0,
) -> Attrition:
    """Counts and bounds. mean_residual: of the used pupils, before shrinkage (outcome's unit)."""
    lost = no_outcome + no_prior
    whole = np.maximum(used + lost, 1)
    middle = used * np.nan_to_num(mean_residual) / whole
    half = lost * k * residual_sd / whole
    return Attrition(used, no_outcome, no_prior, gap, middle - half, middle + half)

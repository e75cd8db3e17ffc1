"""A unit's own effect together with those of the units it lies in: class and school against the whole county.

The uncertainty takes the posterior covariances of the levels with it: −σ² G Z'V⁻¹Z_outer G_outer.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import scipy.linalg

from jiaoheng.methods.effects_model import Effects, FloatArray, IntArray
from jiaoheng.methods.mixed.effects import paths, raw_terms
from jiaoheng.methods.mixed.nested import NestedFit

TOTAL_TERM = "total"


def total_effects(nested: NestedFit, level: str, least: float | Mapping[str, float] = 0) -> Effects:
    """Effects of a level's units with those of all outer levels added (intercepts, at mean priors)."""
    design, point, factors = nested.design, nested.found.point, nested.found.factors
    first = [one.name for one in design.levels].index(level)
    p, sigma2 = design.predictors, point.variance
    contrast = np.append(-point.beta, 1.0)
    around = scipy.linalg.inv(point.inner)
    anchor: IntArray = np.arange(design.levels[first].units)
    estimate: FloatArray = np.zeros(anchor.size)
    lean: FloatArray = np.zeros((anchor.size, p))
    prior = 0.0
    variance: FloatArray = np.zeros(anchor.size)
    above: list[tuple[int, IntArray]] = []  # outer levels met so far: number, each unit's unit there
    for at in range(first, len(design.levels)):
        unit = point.levels[at]
        lefts = (raw_terms(design, unit.level) @ factors[at] @ factors[at].T)[0]
        q = len(lefts)
        turn = raw_terms(design, unit.level)
        prior += sigma2 * float((turn @ factors[at] @ factors[at].T @ turn.T)[0, 0])
        estimate = estimate + sum(lefts[a] * (unit.m[a] @ contrast)[anchor] for a in range(q))
        lean = lean + sum(lefts[a] * unit.m[a][:, :p][anchor] for a in range(q))
        variance = variance + sum(lefts[a] * lefts[b] * unit.e[a][b][anchor] for a in range(q) for b in range(q))
        for inner_at, inner_anchor in above:
            inner = point.levels[inner_at]
            inner_lefts = (raw_terms(design, inner.level) @ factors[inner_at] @ factors[inner_at].T)[0]
            cross = inner.cross[at]
            variance = variance + 2 * sum(
                inner_lefts[a] * lefts[b] * cross[a][b][inner_anchor] for a in range(len(inner_lefts)) for b in range(q)
            )
        above.append((at, anchor))
        if at + 1 < len(design.levels):
            anchor = unit.level.parent[anchor]
    posterior = np.clip(prior - sigma2 * variance, 0, prior)
    error = np.maximum(posterior + sigma2 * ((lean @ around) * lean).sum(axis=1), posterior)
    own = design.levels[first]
    return Effects(
        level=level,
        units=paths(design, own),
        n=own.n,
        estimate=estimate,
        se=np.sqrt(error),
        reliability=np.clip(1 - error / prior, 0, 1) if prior > 0 else np.zeros(own.units),
        term=TOTAL_TERM,
        conditional_sd=np.sqrt(posterior),
        least=least.get(level, 0) if isinstance(least, Mapping) else least,
    )

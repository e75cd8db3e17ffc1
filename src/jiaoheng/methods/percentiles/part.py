"""Pupils around a quantile: the near ones singly, all below as one summed row, all above as another.

For a quantile regression only the sign of a far residual counts, so far pupils may be summed (preprocessing of Portnoy &
Koenker 1997, Statistical Science 12, §5). Every sign is checked afterwards: where one turned, that pupil becomes a single
row and the fit is done again, so the answer is that of all pupils, not an approximation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from jiaoheng.methods.effects_model import FloatArray, IntArray
from jiaoheng.methods.percentiles.frisch import Solved, solve

NEAR = 0.7  # pupils kept single after the Newton steps: this × √(pupils × coefficients)
DENSITY = 1.0  # pupils on each side from which the density at the quantile is taken, likewise
EVEN = 0.3  # weight of all pupils beside these: columns that few of these have would throw the step far off
STEPS = 1  # of Newton
ROUNDS = 30  # of checking signs
TRIES = 4  # each with twice the pupils


@dataclass(frozen=True, slots=True)
class Part:
    """Rows x (m, p) with residuals r (m,) from a plane, and the sums of what lies below and above all of them.

    `reach` (m,): the root of each row's leverage, relative to its mean: how far a plane moves there.
    """

    x: FloatArray
    r: FloatArray
    reach: FloatArray
    total: FloatArray  # (p,) sum of x over all n pupils
    gram: FloatArray  # (p, p) x'x over all pupils
    n: int
    below: int = 0  # pupils in the lower sum
    under: FloatArray | None = None  # (p,) their sum, None where there is none
    fallen: float = 0.0  # the sum of their residuals
    over: FloatArray | None = None
    risen: float = 0.0

    @property
    def inside(self) -> FloatArray:
        """(p,) the sum of x over the single rows."""
        outside = [one for one in (self.under, self.over) if one is not None]
        return self.total - sum(outside, np.zeros(len(self.total)))

    def near(self, tau: float, *halves: float) -> FloatArray:
        """The residuals so many pupils below and above the τ-quantile, two for each half; infinite beyond the ends."""
        middle, last = tau * self.n - self.below, len(self.r) - 1
        wanted = np.array([middle + sign * half for half in halves for sign in (-1, 1)]).astype(np.int64)
        places = np.clip(wanted, 0, last)
        found: FloatArray = np.partition(self.r, places)[places]
        found[(wanted < 0)] = -np.inf
        found[(wanted > last)] = np.inf
        return found

    def shifted(self, d: FloatArray) -> Part:
        """The same from the plane moved by d (p,)."""
        fallen = self.fallen - (0.0 if self.under is None else float(self.under @ d))
        risen = self.risen - (0.0 if self.over is None else float(self.over @ d))
        return Part(
            self.x,
            self.r - self.x @ d,
            self.reach,
            self.total,
            self.gram,
            self.n,
            self.below,
            self.under,
            fallen,
            self.over,
            risen,
        )

    def among(self, single: IntArray, below: FloatArray) -> Part:
        """Only these rows singly; `below` (m,) is 1 for the others that are summed below, 0 else."""
        kept, r = self.x[single], self.r[single]
        lower, fallen = below @ self.x, float(below @ self.r)
        higher = self.inside - lower - np.ones(len(single)) @ kept
        risen = float(self.r.sum()) - fallen - float(r.sum())
        fewer = int(below.sum())
        more = len(self.r) - fewer - len(single)
        return Part(
            kept, r, self.reach[single], self.total, self.gram, self.n, self.below + fewer,
            _sum(self.under, lower if fewer else None), self.fallen + (fallen if fewer else 0.0),
            _sum(self.over, higher if more else None), self.risen + (risen if more else 0.0),
        )  # fmt: skip

    def solved(self, tau: float) -> Solved:
        """The quantile regression of the rows and the sums."""
        sums = [(one, r) for one, r in ((self.under, self.fallen), (self.over, self.risen)) if one is not None]
        if not sums:
            return solve(self.x, self.r, tau)
        return solve(np.vstack((self.x, *(one for one, _ in sums))), np.append(self.r, [r for _, r in sums]), tau)


def _sum(first: FloatArray | None, second: FloatArray | None) -> FloatArray | None:
    if first is None or second is None:
        return first if second is None else second
    return first + second


def moved(part: Part, tau: float, wider: float = 1.0) -> Solved | None:
    """The move of the part's plane to its τ-quantile, right for every single row; None where it was not found."""
    p = part.x.shape[1]
    scale = (part.n * p) ** 0.5
    step = _newton(part, tau, DENSITY * scale)
    start = part.shifted(step)
    many = int(max(wider * NEAR * scale, 10 * p))
    for _ in range(TRIES):
        found = _banded(start, tau, many) if many < len(part.r) else None
        if found is not None:
            return Solved(step + found.b, found.exact, found.converged, found.steps)
        many *= 2
    return None


def _newton(part: Part, tau: float, half: float) -> FloatArray:
    """Towards the plane where the subgradient is zero: its derivative is the density at the quantile times Σ xx'.

    First the constant alone moves to the quantile of the residuals. Zero beyond that where the density is not known.
    """
    step = np.zeros(part.x.shape[1])
    low, high = part.near(tau, half)
    rows = (part.r >= low) & (part.r <= high)
    kept, r = part.x[rows], part.r[rows]
    if not len(kept):
        return step
    middle = min(max(int(tau * part.n) - part.below - int((part.r < low).sum()), 0), len(r) - 1)
    step[0] = float(np.partition(r, middle)[middle])
    low, high = float(r.min()), float(r.max())
    factor, failed = lapack.dpotrf(kept.T @ kept + EVEN * len(kept) / part.n * part.gram)
    if failed or high <= low:
        return step
    under = 0.0 if part.under is None else part.under
    for _ in range(STEPS):
        low_side = (part.r - part.x @ step < 0).astype(np.float64)
        score = tau * part.total - under - low_side @ part.x
        step = step + (high - low) * lapack.dpotrs(factor, score)[0]
    return step


def _banded(part: Part, tau: float, many: int) -> Solved | None:
    """The same from so many rows nearest to the plane, each by its own reach; None where they are too few to find it."""
    apart = np.abs(part.r) / part.reach
    side = np.sign(part.r).astype(np.int8)
    side[apart <= np.partition(apart, many)[many]] = 0
    for _ in range(ROUNDS):
        single = np.flatnonzero(side == 0)
        found = part.among(single, (side < 0).astype(np.float64)).solved(tau)
        if not found.converged:
            return None
        wrong = side * (part.r - part.x @ found.b) < 0
        count = int(wrong.sum())
        if not count:
            return found
        if count > len(single):
            return None
        side[wrong] = 0
    return None

"""Sampling intervals of means and rates.

What varies: everybody who sat is counted, so nothing is uncertain about this paper on this day. A school is judged
by its pupils as a sample of the pupils it teaches from year to year (superpopulation view: Goldstein & Spiegelhalter
1996, JRSS A 159), so there is no finite-population correction and the sample SD (N − 1) is used. Where pupils were
truly sampled from a known number, give `population` and the correction √(1 − n/N) is applied.
Means use Student's t, rates Wilson's score interval (Wilson 1927).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from jiaoheng.methods.histogram import AnyInt, IntArray, ScoreHistogram
from jiaoheng.methods.normal import normal_quantile
from jiaoheng.methods.ratios import FloatArray, Ratio

LEVEL = 0.95
# Intervals of this level that do not overlap differ at about 5 % (Goldstein & Healy 1995, JRSS A 158: 1.39 standard
# errors for equal ones, i.e. 83.4 %, commonly printed as 84 %). Only for pictures of many units side by side.
COMPARISON_LEVEL = 0.84
MIN_RANKED = 10  # units with fewer pupils are shown but neither judged nor ranked


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate's interval in the unit of the estimate."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean (marks), variance of the mean (marks²), degrees of freedom and pupils of each unit; NaN where none."""

    n: IntArray
    mean: FloatArray
    variance: FloatArray
    df: FloatArray


def spread(histogram: ScoreHistogram, population: IntArray | None = None) -> Spread:
    """Pupils as the sampled thing: variance of the mean = s² ÷ n with s² = (n·Σx² − (Σx)²) ÷ (n(n − 1)).

    NaN variance where n < 2. `population`: pupils of each unit from whom those counted were sampled.
    """
    n, sums, squares = histogram.n.tolist(), histogram.sums.tolist(), histogram.squares.tolist()
    step = float(histogram.step)
    nan = float("nan")
    mean = np.array([s / k * step if k else nan for k, s in zip(n, sums, strict=True)])
    variance = np.array(
        [
            float((k * q - s * s) / (k * k * (k - 1))) * step * step if k > 1 else nan
            for k, s, q in zip(n, sums, squares, strict=True)
        ]
    )
    if population is not None:
        if (population < histogram.n).any():
            raise ValueError("a sample cannot hold more pupils than its population")
        variance = variance * (1 - histogram.n / np.maximum(population, 1))
    return Spread(histogram.n, mean, variance, np.array([k - 1.0 if k > 1 else nan for k in n]))


@dataclass(frozen=True, slots=True)
class ClusterSums:
    """What the clustered variance of a mean needs, summed over the classes of each unit; two of them add.

    `groups` classes, `n` Σn_c, `total` ΣS_c, `n2` Σn_c², `nt` Σn_c·S_c, `t2` ΣS_c² (S_c: sum of scores of class c).
    """

    groups: FloatArray
    n: FloatArray
    total: FloatArray
    n2: FloatArray
    nt: FloatArray
    t2: FloatArray

    def __sub__(self, other: ClusterSums) -> ClusterSums:
        """What is left when the other's classes are taken out."""
        return ClusterSums(
            self.groups - other.groups,
            self.n - other.n,
            self.total - other.total,
            self.n2 - other.n2,
            self.nt - other.nt,
            self.t2 - other.t2,
        )

    def whole(self) -> ClusterSums:
        """All units as one."""
        parts = (self.groups, self.n, self.total, self.n2, self.nt, self.t2)
        return ClusterSums(*(part.sum(keepdims=True) for part in parts))

    def spread(self) -> Spread:
        """Linearised variance of a ratio mean: k/(k−1) × Σ(S_c − n_c·m)² ÷ n², df = k − 1 (Cochran 1977, §9A)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = self.total / self.n
            within = np.maximum(self.t2 - 2 * mean * self.nt + mean * mean * self.n2, 0)
            variance = within / self.n**2 * self.groups / (self.groups - 1)
        lacking = self.groups < 2
        nan = np.where(lacking, np.nan, 1.0)
        return Spread(self.n.astype(np.int64), mean, variance * nan, (self.groups - 1) * nan)


def cluster_sums(classes: ScoreHistogram, parents: AnyInt, n_parents: int, centre: float) -> ClusterSums:
    """Sums over the classes of each parent; pupils of one class are alike, so classes are the sampled thing.

    `centre` (marks, near the county mean) is taken off first to keep digits; the means of `spread()` are then
    deviations from it. Classes without pupils do not count.
    """
    n = classes.n.astype(np.float64)
    total = classes.sums.astype(np.float64) * float(classes.step) - n * centre

    def add(values: FloatArray) -> FloatArray:
        return np.bincount(parents, weights=values, minlength=n_parents).astype(np.float64)

    return ClusterSums(
        add((n > 0).astype(np.float64)), add(n), add(total), add(n * n), add(n * total), add(total * total)
    )


def mean_intervals(units: Spread, level: float = LEVEL) -> tuple[Interval | None, ...]:
    """mean ± t × √variance for every unit; None where fewer than two pupils (or classes) count."""
    width = stdtrit(units.df, (1 + level) / 2) * np.sqrt(units.variance)
    return tuple(
        None if np.isnan(half) else Interval(float(middle - half), float(middle + half))
        for middle, half in zip(units.mean, width, strict=True)
    )


def wilson(successes: int, n: int, level: float = LEVEL) -> Interval | None:
    """Wilson's score interval of a rate, as shares 0–1; None where n is 0.

    Raises ValueError where successes are not between 0 and n (a rate over a discounted base has no such interval).
    """
    if n == 0:
        return None
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n}: not a share of the counted pupils")
    z = normal_quantile((1 + level) / 2)
    p = successes / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    # at 0 and n the exact ends are 0 and 1; floats would miss them by a last bit
    return Interval(0.0 if successes == 0 else middle - half, 1.0 if successes == n else middle + half)


def rate_intervals(rate: Ratio, level: float = LEVEL) -> tuple[Interval | None, ...]:
    """Wilson intervals of a rate of counted pupils (scale 1) for every unit."""
    if rate.scale != 1:
        raise ValueError("only a plain rate of counted pupils has a Wilson interval")
    return tuple(wilson(int(k), int(n), level) for k, n in zip(rate.num, rate.den, strict=True))

"""What every value-added method returns: effects with their uncertainty, the model they come from, named warnings.

All four families (mixed models, crossed models, growth percentiles, plain residuals) fill these same types, so one
report, one workbook and one comparison read them all. Effects are held by column (a province has 100,000 classes);
`Effects.rows()` gives them one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

Z95 = float(ndtri(0.975))
# two independent units of equal precision differ at 5 % where intervals of this half width (× se) do not overlap:
# 1.96·√2·se apart is 2 × 1.386·se, an 83.4 % interval. Source: Goldstein & Healy (1995), JRSS A 158, 175–177
Z84 = Z95 / 2**0.5


class Reading(StrEnum):
    """What an interval allows to be said of a unit."""

    ABOVE = "高于预期"
    AS_EXPECTED = "与预期相当"
    BELOW = "低于预期"
    NOT_JUDGED = "样本不足"


@dataclass(frozen=True, slots=True)
class Warned:
    """A named thing the reader must know; `code` is stable, `text` is a Chinese sentence with place and remedy."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class FixedEffect:
    """A coefficient with its standard error and test. `df` None: the normal distribution; `df_name` says which."""

    name: str
    estimate: float
    se: float
    statistic: float
    df: float | None
    df_name: str
    p: float


@dataclass(frozen=True, slots=True)
class VarianceComponent:
    """A variance (`other` empty) or a covariance between two random terms of one level; `Residual` has no term."""

    level: str
    term: str
    value: float
    other: str = ""
    boundary: bool = False  # the estimate lies on the edge of what is possible (0, or a correlation of ±1)

    @property
    def sd(self) -> float:
        """The standard deviation; of a covariance it means nothing and is NaN."""
        return float("nan") if self.other else self.value**0.5


@dataclass(frozen=True, slots=True)
class Effect:
    """One unit's effect in the outcome's unit of measurement."""

    level: str
    unit: tuple[str, ...]  # the path of keys, outermost first
    n: float  # pupils (full-time shares of them under multiple membership)
    estimate: float
    se: float
    reliability: float
    low95: float
    high95: float
    low84: float
    high84: float
    word: Reading


@dataclass(frozen=True, slots=True)
class Effects:
    """The effects of all units of one level and one term, by column; every array has one entry a unit."""

    level: str
    units: Sequence[tuple[str, ...]]
    n: FloatArray
    estimate: FloatArray
    se: FloatArray  # what intervals are made of
    reliability: FloatArray
    term: str = "(Intercept)"
    conditional_sd: FloatArray | None = None  # given the fixed part and the variances: what lme4's condVar says
    least: float = 0  # units with fewer pupils get no word
    centre: float = 0.0  # what "as expected" is: 0 for effects, 50 for growth percentiles
    z84: float = Z84

    def __len__(self) -> int:
        return len(self.units)

    @property
    def low95(self) -> FloatArray:
        """Lower end of the 95 % interval."""
        return self.estimate - Z95 * self.se

    @property
    def high95(self) -> FloatArray:
        """Upper end of the 95 % interval."""
        return self.estimate + Z95 * self.se

    @property
    def low84(self) -> FloatArray:
        """Lower end of the interval for pairwise reading."""
        return self.estimate - self.z84 * self.se

    @property
    def high84(self) -> FloatArray:
        """Upper end of the interval for pairwise reading."""
        return self.estimate + self.z84 * self.se

    @property
    def words(self) -> list[Reading]:
        """Above, as expected, below: only what the 95 % interval says; too few pupils, nothing."""
        judged = (self.n >= self.least) & np.isfinite(self.se) & np.isfinite(self.estimate) & (self.se > 0)
        above, below = judged & (self.low95 > self.centre), judged & (self.high95 < self.centre)
        codes = np.where(~judged, 0, np.where(above, 1, np.where(below, 2, 3))).tolist()
        said = (Reading.NOT_JUDGED, Reading.ABOVE, Reading.BELOW, Reading.AS_EXPECTED)
        return [said[code] for code in codes]

    def rows(self) -> Iterator[Effect]:
        """The effects one by one."""
        columns = (self.n, self.estimate, self.se, self.reliability, self.low95, self.high95, self.low84, self.high84)
        numbers = zip(*(column.tolist() for column in columns), strict=True)
        for unit, row, word in zip(self.units, numbers, self.words, strict=True):
            n, estimate, se, reliability, low95, high95, low84, high84 = row
            yield Effect(self.level, unit, n, estimate, se, reliability, low95, high95, low84, high84, word)


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted value-added model, whatever its family."""

    method: str  # lmm, crossed, sgp, residual
    criterion_name: str  # REML, ML, or what was minimised
    criterion: float  # −2 log likelihood (or what was minimised); NaN where the method has none
    n: int  # pupils used
    fixed: tuple[FixedEffect, ...]
    components: tuple[VarianceComponent, ...]
    effects: tuple[Effects, ...]  # one a level and term, outermost level first
    warnings: tuple[Warned, ...] = ()
    converged: bool = True
    evaluations: int = 0
    r2: dict[str, float] = field(default_factory=dict)  # named shares of variance explained
    icc: dict[str, float] = field(default_factory=dict)  # by level, after what the model adjusts for
    fixed_covariance: FloatArray | None = None

    @property
    def residual_variance(self) -> float:
        """The variance among pupils within their innermost group; NaN where the method has none."""
        return next((one.value for one in self.components if one.level == "Residual"), float("nan"))

    def of(self, level: str, term: str = "(Intercept)") -> Effects:
        """The effects of a level. Raises KeyError where the fit has none."""
        for one in self.effects:
            if one.level == level and one.term == term:
                return one
        raise KeyError(f"{level}/{term}")

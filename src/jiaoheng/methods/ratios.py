"""A ratio that keeps its numerator and denominator, so that it can be added and never averaged."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from jiaoheng.methods.histogram import AnyInt, IntArray

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ratio:
    """scale × num / den for every unit; no data (None, NaN) where den is 0.

    `scale` is the size of one numerator unit over one denominator unit: marks per step for a mean, 1 for a rate.
    Ratios of parents come from added numerators and denominators (case C10): 9/10 and 10/100 make 19/110.
    """

    num: IntArray
    den: IntArray
    scale: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        if self.num.shape != self.den.shape:
            raise ValueError(f"{self.num.size} numerators but {self.den.size} denominators")

    def __len__(self) -> int:
        return int(self.num.size)

    def fraction(self, unit: int) -> Fraction | None:
        """The exact value of one unit; None where the denominator is 0."""
        den = int(self.den[unit])
        return None if den == 0 else self.scale * Fraction(int(self.num[unit]), den)

    def fractions(self) -> tuple[Fraction | None, ...]:
        """The exact values of all units."""
        return tuple(self.fraction(unit) for unit in range(len(self)))

    def floats(self) -> FloatArray:
        """The nearest float of every unit for pictures and intervals; NaN where there is no data."""
        return np.array([np.nan if value is None else float(value) for value in self.fractions()], np.float64)

    def times(self, factor: Fraction) -> Ratio:
        """Every value × factor (a mean over the full mark is a score rate)."""
        return Ratio(self.num, self.den, self.scale * factor)

    def __add__(self, other: Ratio) -> Ratio:
        """Add numerators and denominators unit by unit. Refuses differing scales."""
        if self.scale != other.scale:
            raise ValueError(f"ratios of different scales do not add: {self.scale} and {other.scale}")
        return Ratio(self.num + other.num, self.den + other.den, self.scale)

    def merge(self, parents: AnyInt, n_parents: int) -> Ratio:
        """Roll up: `parents[u]` is the parent of unit u."""
        num, den = np.zeros(n_parents, np.int64), np.zeros(n_parents, np.int64)
        np.add.at(num, parents, self.num)
        np.add.at(den, parents, self.den)
        return Ratio(num, den, self.scale)

    def whole(self) -> Ratio:
        """All units as one."""
        return Ratio(self.num.sum(keepdims=True), self.den.sum(keepdims=True), self.scale)

    def select(self, units: AnyInt) -> Ratio:
        """The given units, in the given order."""
        return Ratio(self.num[units], self.den[units], self.scale)

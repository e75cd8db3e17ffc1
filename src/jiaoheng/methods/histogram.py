"""The score histogram: the summary that adds up, and of which every exam statistic is a function."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ScoreHistogram:
    """Counts of pupils by unit and score of one subject.

    `counts[u, b]` pupils of unit u scored `low + b` steps; a score is (low + b) × step marks.
    Histograms of the same subject add: classes into schools, schools into the county, imports into an exam.
    """

    counts: IntArray  # (units, bins)
    low: int  # score of bin 0, in steps
    step: Fraction  # marks per step

    @property
    def n(self) -> IntArray:
        """Pupils per unit."""
        return self.counts.sum(axis=1)

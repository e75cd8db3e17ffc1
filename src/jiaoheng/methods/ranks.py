"""Competition ranks (1 2 2 4) of pupils and units, and rank bands 名次段.

Source: standards §0, §1.4; case C08. A pupil's rank is 1 + the number of higher scores: a look-up in the cumulative
counts of the unit's histogram, so no pupil is compared with another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from jiaoheng.methods.histogram import AnyInt, IntArray, Mask, ScoreHistogram
from jiaoheng.methods.numbers import Number, to_fraction


def rank_table(histogram: ScoreHistogram) -> IntArray:
    """The competition rank of each (unit, bin): 1 + pupils of the unit with a higher score."""
    from_top = histogram.counts[:, ::-1].cumsum(axis=1)[:, ::-1]
    return from_top - histogram.counts + 1


def pupil_ranks(
    histogram: ScoreHistogram, values: AnyInt, units: AnyInt, mask: Mask | None = None
) -> npt.NDArray[np.int32]:
    """Rank of every pupil within the unit; 0 for pupils who do not count (absent pupils are unranked).

    `values` in the histogram's steps. Raises ValueError for a counted score that the histogram does not hold.
    """
    counted = np.ones(values.size, np.bool_) if mask is None else mask
    ranks = np.zeros(values.size, np.int32)
    if not counted.any():
        return ranks
    bins = values[counted].astype(np.int64) - histogram.low
    if int(bins.min()) < 0 or int(bins.max()) >= histogram.n_bins:
        raise ValueError("a score lies outside the histogram from which it is to be ranked")
    ranks[counted] = rank_table(histogram)[units[counted], bins]
    return ranks


def competition_ranks(values: Sequence[Number | None], largest_first: bool = True) -> tuple[int | None, ...]:
    """Competition ranks of exact values; None (no data) stays unranked. Compared unrounded."""
    exact = [None if value is None else to_fraction(value) for value in values]
    ordered = sorted((value for value in exact if value is not None), reverse=largest_first)
    first: dict[Fraction, int] = {}
    for position, value in enumerate(ordered, start=1):
        first.setdefault(value, position)
    return tuple(None if value is None else first[value] for value in exact)


@dataclass(frozen=True, slots=True)
class RankBand:
    """How many of the county's best `top` pupils each unit has; ties at the cut are all included."""

    top: int
    line: Fraction  # the score of the top-th pupil, in marks
    counts: IntArray  # per unit
    total: int  # ≥ top where pupils tie at the cut, < top where fewer pupils sat

    @property
    def tied(self) -> int:
        """Pupils beyond `top` who are in because of a tie."""
        return max(self.total - self.top, 0)


def rank_bands(histogram: ScoreHistogram, tops: Sequence[int]) -> tuple[RankBand, ...]:
    """名次段: for each K the pupils of every unit whose county rank is ≤ K (all units of the histogram are the county).

    The counts are cumulative (top 100 holds top 50). Empty where nobody counts. Raises ValueError for K < 1.
    """
    if any(top < 1 for top in tops):
        raise ValueError("名次段应为不小于 1 的整数，例如 50、100、200")
    county = histogram.counts.sum(axis=0)
    reached = county[::-1].cumsum()[::-1]
    n = int(county.sum())
    bands: list[RankBand] = []
    for top in tops if n else ():
        cut = int(np.flatnonzero(reached >= min(top, n))[-1])
        counts: IntArray = histogram.counts[:, cut:].sum(axis=1)
        bands.append(RankBand(top, histogram.step * (histogram.low + cut), counts, int(counts.sum())))
    return tuple(bands)

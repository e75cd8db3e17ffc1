"""Near-line pupils 临界生: by marks around a line, or by a window of ranks.

Source: standards §1.7 (above 10, below 20 marks). 以内 includes its number, so both ends are in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from jiaoheng.methods.histogram import IntArray, Mask


@dataclass(frozen=True, slots=True)
class NearLine:
    """Pupils just above (the line itself included) and just below a line; `short`: steps from the line, − below it."""

    above: Mask
    below: Mask
    short: IntArray  # value − line in steps, rounded towards the line's upper side; 0 for pupils who are not near

    @property
    def near(self) -> Mask:
        """Above or below."""
        return self.above | self.below


def near_line(
    values: npt.ArrayLike,
    counted: npt.ArrayLike,
    line: Fraction,
    above: Fraction,
    below: Fraction,
    step: Fraction = Fraction(1),
    most: Fraction = Fraction(100),
) -> NearLine:
    """Near the line: line ≤ score ≤ line + above, or line − below ≤ score < line.

    values: totals in steps; counted: pupils with a valid total; line, above, below, most: marks (exact).
    Pupils of another track are judged by their own track's line: call once per track.
    Raises ValueError where a width is negative or beyond `most`.
    """
    for name, width in (("线上", above), ("线下", below)):
        if not 0 <= width <= most:
            raise ValueError(f"临界范围{name} {float(width):g} 分不在 0 至 {float(most):g} 之间。请在考试设置中改正")
    scores = np.asarray(values, dtype=np.int64)
    valid = np.asarray(counted, dtype=np.bool_)
    reach = math.ceil(line / step)  # the first score that reaches the line
    top, bottom = math.floor((line + above) / step), math.ceil((line - below) / step)
    over = valid & (scores >= reach) & (scores <= top)
    under = valid & (scores < reach) & (scores >= bottom)
    return NearLine(over, under, np.where(over | under, scores - reach, 0))


def rank_window(ranks: npt.ArrayLike, first: int, last: int) -> Mask:
    """Pupils whose rank lies between `first` and `last`, both included; rank 0 (unranked) is never in.

    Raises ValueError where the window is empty.
    """
    if not 1 <= first <= last:
        raise ValueError(f"名次窗应从小到大，现为 {first} 至 {last}。请在考试设置中改正")
    places = np.asarray(ranks)
    window: Mask = (places >= first) & (places <= last)
    return window

"""Products of links that meet in one owner (a pupil or a row), added into the flat buffer of the reduced system."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jiaoheng.methods.crossed.design import Pattern
from jiaoheng.methods.crossed.layout import Layout
from jiaoheng.methods.effects_model import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Pairs:
    """Every unordered pair of links of one owner: both links, the owner, the place in the buffer. Arrays (pairs,)."""

    first: IntArray
    second: IntArray
    owner: IntArray
    place: IntArray
    twice: FloatArray  # 2 for two columns (the symmetric matrix holds them twice), 1 for a column with itself

    def products(self, values: FloatArray) -> FloatArray:
        """value × value of each pair, from the values of the links."""
        return values[self.first] * values[self.second]

    def mixed(self, values: FloatArray, slopes: FloatArray) -> FloatArray:
        """The derivative of `products` where the links' values move along `slopes`."""
        return values[self.first] * slopes[self.second] + slopes[self.first] * values[self.second]


def pairs(links: Pattern, where: Layout) -> Pairs:
    """All pairs of the links of each row of a pattern."""
    counts = np.diff(links.start)
    owner = np.repeat(np.arange(len(counts)), counts)
    inside = np.arange(len(owner)) - links.start[:-1][owner]
    first = np.repeat(np.arange(len(owner)), inside + 1)
    begin = np.cumsum(inside + 1) - (inside + 1)
    second = np.arange(len(first)) - begin[first] + links.start[:-1][owner][first]
    a, b = links.column[first], links.column[second]
    return Pairs(first, second, owner[first], where.position(a, b), np.where(a == b, 1.0, 2.0))

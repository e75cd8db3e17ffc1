"""Mastery of knowledge points and abilities 掌握率, and where a unit is weak against the county.

Mastery of a point = Σ scores ÷ Σ full marks over the items of that point and the pupils who have them. An item that
belongs to several points counts wholly in each, so points are not parts of a whole and do not add up to the paper.
Numerator and denominator add up over units. Source: the common two-way specification table 双向细目表 analysis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from jiaoheng.methods.crossproducts import ItemSums

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Mastery:
    """Earned and possible steps of each unit (row) and point (column)."""

    points: tuple[str, ...]  # in order of first appearance
    items: tuple[tuple[int, ...], ...]  # positions of each point's items
    earned: IntArray
    possible: IntArray

    def rate(self, unit: int, point: int) -> Fraction | None:
        """Mastery between 0 and 1; None where no pupil of the unit has an item of the point."""
        possible = int(self.possible[unit, point])
        return Fraction(int(self.earned[unit, point]), possible) if possible else None

    def rates(self, unit: int = 0) -> tuple[Fraction | None, ...]:
        """Mastery of every point in one unit."""
        return tuple(self.rate(unit, point) for point in range(len(self.points)))

    def whole(self) -> Mastery:
        """All units together."""
        return Mastery(
            self.points, self.items, self.earned.sum(axis=0, keepdims=True), self.possible.sum(axis=0, keepdims=True)
        )


def mastery(sums: ItemSums, full: npt.ArrayLike, points_of_items: Sequence[Sequence[str]]) -> Mastery:
    """Mastery by unit and point.

    sums: item sums by unit; full: full marks in steps; points_of_items: the points of each item (none: in no point;
    a point named twice for an item counts once). Raises ValueError where the numbers of items differ.
    """
    best = np.asarray(full, dtype=np.int64)
    if not len(points_of_items) == len(best) == sums.count.shape[1]:
        raise ValueError(f"{len(points_of_items)} items in the blueprint, {sums.count.shape[1]} items scored")
    points = tuple(dict.fromkeys(point for named in points_of_items for point in named))
    belongs = np.zeros((len(best), len(points)), dtype=np.int64)
    for item, named in enumerate(points_of_items):
        for point in named:
            belongs[item, points.index(point)] = 1
    items = tuple(tuple(np.flatnonzero(belongs[:, column]).tolist()) for column in range(len(points)))
    return Mastery(points, items, sums.sum @ belongs, (sums.count * best) @ belongs)


@dataclass(frozen=True, slots=True)
class Weakness:
    """A point in which a unit is behind: its mastery, the reference's, and the difference (negative)."""

    point: str
    rate: Fraction
    reference: Fraction
    gap: Fraction


def weaknesses(units: Mastery, unit: int, reference: Mastery, gap: Fraction) -> tuple[Weakness, ...]:
    """Points of a unit whose mastery is at least `gap` (a share) below the reference's, widest gap first.

    reference: mastery with the same points (the county's, row 0). Points without data on either side are left out.
    Raises ValueError where the points differ.
    """
    if units.points != reference.points:
        raise ValueError("the two mastery tables have different points")
    found = []
    for point, name in enumerate(units.points):
        here, there = units.rate(unit, point), reference.rate(0, point)
        if here is not None and there is not None and there - here >= gap:
            found.append(Weakness(name, here, there, here - there))
    return tuple(sorted(found, key=lambda one: one.gap))

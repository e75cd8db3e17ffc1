"""Struggling 学困生 and top pupils 尖子生: a share of all pupils, ties at the cut, and lists that are locked.

Source: standards §1.7. The cut is a score of the county's histogram; equal scores are always treated alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from jiaoheng.methods.histogram import IntArray, Mask, ScoreHistogram
from jiaoheng.methods.numbers import half_up
from jiaoheng.methods.ratios import Ratio

End = Literal["lowest", "highest"]
CutTies = Literal["all", "none"]


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a share of the pupils ends: pupils with a score ≤ `score` (lowest) or ≥ `score` (highest) are in."""

    end: End
    score: int | None  # in steps; None: nobody is in
    planned: int  # max(1, half up(share × n)); 0 for nobody
    n: int  # pupils it was taken from
    inside: int  # pupils that are in; more than planned by ties (`all`), fewer (`none`)

    def members(self, values: npt.ArrayLike, counted: npt.ArrayLike) -> Mask:
        """Who is in: values in steps; counted: pupils with a valid score. The same cut serves every school."""
        scores = np.asarray(values, dtype=np.int64)
        valid = np.asarray(counted, dtype=np.bool_)
        if self.score is None:
            return np.zeros(scores.shape, dtype=np.bool_)
        reached: Mask = scores <= self.score if self.end == "lowest" else scores >= self.score
        return reached & valid


def cut_of_share(histogram: ScoreHistogram, share: Fraction, end: End, ties: CutTies = "all") -> Cut:
    """The cut for a share (0–1) of all pupils of a histogram (every unit together).

    k = max(1, half up(share × n)) pupils are planned. With `all` everyone tied with the k-th is in; with `none` those
    tied across the cut are all out, so there may be nobody. Raises ValueError for a share outside 0 < share ≤ 1.
    """
    if not 0 < share <= 1:
        raise ValueError(f"比例应大于 0、不大于 1，现为 {float(share):g}。请在考试设置中改正")
    counts = histogram.counts.sum(axis=0)
    n = int(counts.sum())
    if n == 0:
        return Cut(end, None, 0, 0, 0)
    planned = max(1, int(half_up(share * n)))
    reached = np.cumsum(counts if end == "lowest" else counts[::-1])
    place = int(np.searchsorted(reached, planned))
    if ties == "none" and int(reached[place]) > planned:
        place -= 1
        while place >= 0 and (counts if end == "lowest" else counts[::-1])[place] == 0:
            place -= 1
    if place < 0:
        return Cut(end, None, planned, n, 0)
    score = histogram.low + (place if end == "lowest" else len(counts) - 1 - place)
    return Cut(end, score, planned, n, int(reached[place]))


def top_index(members: npt.ArrayLike, counted: npt.ArrayLike, units: npt.ArrayLike, n_units: int) -> Ratio:
    """尖子占比指数 by unit = (unit's top ÷ county's top) ÷ (unit's pupils ÷ county's pupils); 1 fits its size.

    No data where the unit has no pupils or the county no top pupils. Source: standards §1.7.
    """
    unit = np.asarray(units, dtype=np.int64)
    valid = np.asarray(counted, dtype=np.bool_)
    top = np.asarray(members, dtype=np.bool_) & valid
    tops: IntArray = np.bincount(unit[top], minlength=n_units).astype(np.int64)
    pupils: IntArray = np.bincount(unit[valid], minlength=n_units).astype(np.int64)
    return Ratio(tops * int(pupils.sum()), pupils * int(tops.sum()))


@dataclass(frozen=True, slots=True)
class LockedList:
    """A list of pupils fixed at its exam; the digest shows whether it was changed afterwards."""

    kind: str  # 学困生, 尖子生 …
    exam: str
    pupils: tuple[str, ...]  # pupil ids in order
    digest: str

    @property
    def intact(self) -> bool:
        """The list is the one that was locked."""
        return self.digest == _digest(self.kind, self.exam, self.pupils)

    def holds(self, pupil_ids: Iterable[str | None]) -> Mask:
        """Which of these pupils are on the list."""
        known = set(self.pupils)
        return np.array([one in known for one in pupil_ids], dtype=np.bool_)


def lock(kind: str, exam: str, pupil_ids: Iterable[str]) -> LockedList:
    """Fix a list. Raises ValueError where a pupil is on it twice."""
    given = sorted(pupil_ids)
    for one, following in pairwise(given):
        if one == following:
            raise ValueError(f"{kind}名单里学生 {one} 出现两次。请先核对学号")
    pupils = tuple(given)
    return LockedList(kind, exam, pupils, _digest(kind, exam, pupils))


def _digest(kind: str, exam: str, pupils: tuple[str, ...]) -> str:
    # the unit separator cannot occur in an id, so no two lists have the same text
    return hashlib.sha256("\x1f".join((kind, exam, *pupils)).encode()).hexdigest()

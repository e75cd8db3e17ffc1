"""What the totals in the files mean: all subjects, some of them, folded or scaled scores — and where they are wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np
import numpy.typing as npt

from jiaoheng import packs
from jiaoheng.exams.gathering import ColumnCells, Gathered, Index
from jiaoheng.exams.steps import plain, plain_fraction
from jiaoheng.sheets.places import Choice, Question
from jiaoheng.sheets.reading_model import Role, ScoreState

ANSWER = "total-subjects"  # settings accept › total-subjects
_ROUNDS, _WORST = 4, 0.1  # rounds of the fit of folds, and the share of totals left out of it as probably wrong
ALL, FILE = "全部科目", "文件总分"


@dataclass(frozen=True, slots=True)
class DeclaredTotals:
    """Totals as the files state them: one entry a cell, `pupil` a roster position, thousandths."""

    pupil: Index
    value: Index
    row: Index  # position in Gathered.rows
    column: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Meaning:
    """A sum that declared totals may mean: subject → fold, and how many of the comparable totals it meets."""

    folds: Mapping[str, Fraction]
    matches: int
    of: int

    @property
    def share(self) -> Fraction:
        """Matches ÷ comparable totals; 0 where there are none."""
        return Fraction(self.matches, self.of) if self.of else Fraction(0)

    def text(self) -> str:
        """语文+数学+政治×0.5: the form that settings keep."""
        return "+".join(name if fold == 1 else f"{name}×{plain_fraction(fold)}" for name, fold in self.folds.items())


def read_meaning(text: str) -> dict[str, Fraction]:
    """The folds of an answer like 语文+数学+政治×0.5. Raises ValueError for a fold that is no number."""
    folds: dict[str, Fraction] = {}
    for part in text.replace("＋", "+").split("+"):
        name, _, fold = part.strip().replace("*", "×").partition("×")
        if name:
            folds[name] = Fraction(fold) if fold else Fraction(1)
    return folds


def declared_totals(gathered: Gathered, position: Index, of: str | None = None) -> DeclaredTotals:
    """Grand totals of all sheets (or the partial totals whose header is `of`) that are numbers."""
    columns = [
        c
        for c in gathered.declared
        if c.column.role is Role.TOTAL and c.column.subject is None and c.column.total_of == of
    ]
    return _stacked(columns, position)


def _stacked(columns: Sequence[ColumnCells], position: Index) -> DeclaredTotals:
    pupils, values, rows, where = [], [], [], []
    for cells in columns:
        good = (cells.states == ScoreState.SCORED) & (position[cells.rows] >= 0)
        pupils.append(position[cells.rows[good]])
        values.append(cells.values[good])
        rows.append(cells.rows[good])
        where.append(np.full(int(good.sum()), cells.column.index, np.int32))
    if not columns:
        empty = np.zeros(0, np.int64)
        return DeclaredTotals(empty, empty, empty, np.zeros(0, np.int32))
    return DeclaredTotals(np.concatenate(pupils), np.concatenate(values), np.concatenate(rows), np.concatenate(where))


@dataclass(frozen=True, slots=True)
class Sums:
    """Scores that totals are compared with: subject → thousandths (0 unless scored); which pupils are comparable."""

    values: Mapping[str, Index]
    comparable: npt.NDArray[np.bool_]


def folded(folds: Mapping[str, Fraction], values: Mapping[str, Index]) -> tuple[Index, int]:
    """Σ score × fold per pupil as integers over a common denominator: (numerators in thousandths, denominator)."""
    denominator = lcm(*(fold.denominator for fold in folds.values())) if folds else 1
    size = len(next(iter(values.values()))) if values else 0
    total = np.zeros(size, np.int64)
    for name, fold in folds.items():
        total += values[name] * int(fold * denominator)
    return total, denominator


def agrees(declared: DeclaredTotals, sums: Sums, folds: Mapping[str, Fraction]) -> npt.NDArray[np.bool_]:
    """Per declared total whether Σ score × fold is it; folded sums may be rounded to the decimals of the column."""
    total, denominator = folded(folds, sums.values)
    gap = np.abs(total[declared.pupil] - declared.value * denominator)
    if denominator == 1:
        return np.asarray(gap == 0)
    common = int(np.gcd.reduce(declared.value)) if declared.value.size else 0
    unit = next((step for step in (1000, 100, 10) if common % step == 0), 1)
    return np.asarray(2 * gap <= unit * denominator)


def measure_of(declared: DeclaredTotals, sums: Sums, folds: Mapping[str, Fraction]) -> Meaning:
    """How well one sum explains the declared totals."""
    good = sums.comparable[declared.pupil]
    return Meaning(folds, int((agrees(declared, sums, folds) & good).sum()), int(good.sum()))


def find_meaning(declared: DeclaredTotals, sums: Sums, folds: Mapping[str, Fraction]) -> Meaning | None:
    """The subset of subjects (with the given folds), else the folds, that explain most declared totals best.

    None where nothing explains `meant_share` of them. All subsets are tried on a sample, the best on all totals.
    """
    rules = packs.load("joining")["totals"]
    rows = np.flatnonzero(sums.comparable[declared.pupil])
    if not rows.size or len(sums.values) < 2:
        return None
    names = [name for name, values in sums.values.items() if values.any()][: int(rules["most_subjects"])]
    sample = rows[np.linspace(0, rows.size - 1, min(rows.size, int(rules["sample"]))).astype(np.int64)]
    best = [_subset(names, mask, folds) for mask in _best_masks(declared, sums, folds, names, sample)]
    best += [own] if (own := _fit_folds(declared, sums, names, rows)) else []
    meanings = [measure_of(declared, sums, candidate) for candidate in best]
    good = [meaning for meaning in meanings if meaning.share >= Fraction(rules["meant_share"])]
    return max(good, key=lambda m: (m.matches, len(m.folds))) if good else None


def _subset(names: Sequence[str], mask: int, folds: Mapping[str, Fraction]) -> dict[str, Fraction]:
    return {name: folds.get(name, Fraction(1)) for i, name in enumerate(names) if mask >> i & 1}


def _best_masks(
    declared: DeclaredTotals, sums: Sums, folds: Mapping[str, Fraction], names: Sequence[str], sample: Index
) -> list[int]:
    """The few subsets (bit masks) with the most exact matches in the sample, the larger ones first among equals."""
    denominator = lcm(*(folds.get(name, Fraction(1)).denominator for name in names)) if names else 1
    scaled = np.stack(
        [sums.values[n][declared.pupil[sample]] * int(folds.get(n, Fraction(1)) * denominator) for n in names]
    )
    masks = np.arange(1, 1 << len(names), dtype=np.int64)
    bits = (masks[:, None] >> np.arange(len(names))) & 1
    gaps = np.abs(bits @ scaled - declared.value[sample] * denominator)
    matches = (2 * gaps <= denominator * (0 if denominator == 1 else 1000)).sum(axis=1)
    order = np.lexsort((-bits.sum(axis=1), -matches))[:5]
    return [int(masks[i]) for i in order if matches[i]]


def _fit_folds(declared: DeclaredTotals, sums: Sums, names: Sequence[str], rows: Index) -> dict[str, Fraction] | None:
    """Folds by least squares, moved to the nearest 0.05; whoever calls checks them exactly."""
    if rows.size < 3 * len(names):
        return None
    table = np.stack([sums.values[name][declared.pupil[rows]] for name in names]).T.astype(np.float64)
    stated = declared.value[rows].astype(np.float64)
    kept = np.ones(rows.size, np.bool_)
    for _ in range(_ROUNDS):  # a few wrong totals must not bend the fit: the worst are left out and it is made again
        weights, _, rank, _ = np.linalg.lstsq(table[kept], stated[kept], rcond=None)
        if rank < len(names):
            return None
        gaps = np.abs(table @ weights - stated)
        near = gaps <= max(float(np.quantile(gaps, 1 - _WORST)), 1.0)
        if bool((near == kept).all()):
            break
        kept = near
    step = Fraction(packs.load("joining")["totals"]["fold_step"])
    folds = {name: round(Fraction(float(w)) / step) * step for name, w in zip(names, weights, strict=True)}
    return {name: fold for name, fold in folds.items() if fold} if all(f >= 0 for f in folds.values()) else None


def total_question(gathered: Gathered, declared: DeclaredTotals, usual: Meaning, found: Meaning | None) -> Question:
    """One question for all pupils: which sum the files mean by 总分."""
    place = gathered.place(int(declared.row[0]), int(declared.column[0]))
    everything = Choice(ALL, f"按各科之和重新计算（{usual.text()}）")
    in_file = Choice(FILE, "采用文件中的总分，不再计算")
    if found is None:
        text = (
            f"文件中的总分与各科之和只在 {usual.of} 人中的 {usual.matches} 人一致，"
            "与任何几科之和、折分之和也不一致。总分怎样取"
        )
        return Question(
            "total-unexplained", ("accept", ANSWER), place, text, (everything, in_file), ALL, True, (place,)
        )
    left = [name for name in usual.folds if name not in found.folds]
    without = f"（不含{'、'.join(left)}）" if left else ""
    text = (
        f"总分 = {found.text()}{without}与 {found.of} 人中的 {found.matches} 人一致；"
        f"全部科目之和只与 {usual.matches} 人一致。哪些科目计入总分"
    )
    choices = (Choice(found.text(), f"按文件总分的算法：{found.text()}"), everything, in_file)
    return Question("total-subjects", ("accept", ANSWER), place, text, choices, found.text(), True, (place,))


def mismatches(
    gathered: Gathered, declared: DeclaredTotals, sums: Sums, folds: Mapping[str, Fraction]
) -> list[tuple[int, str]]:
    """Positions in `declared` whose total is not the sum, each with the sentence about it."""
    total, denominator = folded(folds, sums.values)
    wrong = np.flatnonzero(~agrees(declared, sums, folds) & sums.comparable[declared.pupil])
    found = []
    for i in wrong:
        own = Fraction(int(total[declared.pupil[i]]), denominator * 1000)
        found.append((int(i), f"总分 {plain(int(declared.value[i]))} 与各科之和 {plain_fraction(own)} 不一致"))
    return found

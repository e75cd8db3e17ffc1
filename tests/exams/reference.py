"""A slow reference of the report's statistics in plain Python: every definition written out once more, pupil by pupil.

Nothing of `jiaoheng.methods` or of the report's own code is used; only SciPy's t distribution is shared.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from scipy import stats

Path = tuple[str, ...]
NOT_OWED = ("exempt", "not_chosen", "left", "deferred")
SAT = ("scored", "cheated")


@dataclass
class Pupil:
    """One pupil: units, track, and per subject (state, mark)."""

    school: str
    class_: str
    scores: dict[str, tuple[str, Fraction | None]]
    district: str = ""
    track: str = ""
    number: str = ""
    totals: dict[str, Fraction] = field(default_factory=dict)


@dataclass(frozen=True)
class Rules:
    """What the settings declare, with the documented defaults of base B1."""

    base: str = "B1"
    absent_zero: bool = False
    cheated_zero: bool = True
    blank_absent: bool = False
    lacking_zero: bool = False  # a missing subject counts 0 in the total
    discount: Fraction = Fraction(3, 100)
    keep: Fraction = Fraction(9, 10)
    cohort: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, base: str, **more: object) -> Rules:
        """The defaults that go with a base."""
        zero = base in ("B2", "B4", "B5")
        return cls(base, zero, True, zero, base != "B1", **more)  # type: ignore[arg-type]


def half_up(value: Fraction | float, digits: int) -> str:
    """The printed number: half away from zero, minus as −."""
    exact = Decimal(str(value)) if isinstance(value, float) else None
    if exact is None:
        scaled = abs(Fraction(value)) * 10**digits
        whole = math.floor(scaled + Fraction(1, 2))
        shown = Decimal(whole).scaleb(-digits) * (-1 if value < 0 else 1)
    else:
        shown = exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    if shown == 0:
        shown = abs(shown)
    return f"{shown:.{digits}f}".replace("-", "−")


def total_of(pupil: Pupil, subjects: Mapping[str, Fraction], rules: Rules) -> tuple[str, Fraction | None]:
    """State and value of the total; `subjects`: name → fold of those that count in it."""
    states = {name: pupil.scores[name] for name in subjects}
    owed = {name: one for name, one in states.items() if one[0] not in ("exempt", "not_chosen")}
    if not owed:
        return ("exempt" if any(one[0] == "exempt" for one in states.values()) else "not_chosen"), None
    total, sat, void = Fraction(0), False, []
    for name, (state, mark) in owed.items():
        if state == "scored":
            total, sat = total + (mark or 0) * subjects[name], True
        elif state == "cheated" and rules.cheated_zero:
            sat = True
        elif not _zero_in_total(state, rules):
            void.append(state)
    if not sat:
        void = [state for state, _ in owed.values()]
    if void:
        return next(state for state in ("left", "deferred", "cheated", "absent", "missing") if state in void), None
    return "scored", total


def _zero_in_total(state: str, rules: Rules) -> bool:
    if rules.lacking_zero:
        return state in ("absent", "missing", "cheated", "left", "deferred")
    if state == "absent":
        return rules.absent_zero
    return state == "missing" and rules.blank_absent and rules.absent_zero


@dataclass
class Paper:
    """A subject or the total: per pupil its state and mark, and which pupils count with which mark."""

    name: str
    full: Fraction
    state: list[str]
    mark: list[Fraction | None]
    counted: dict[int, Fraction]


@dataclass
class Figures:
    """What a table prints of one unit in one paper; None: no data."""

    enrolled: int
    sat: int
    n: int
    base: Fraction
    mean: Fraction | None
    rates: dict[str, Fraction | None]
    sd: float | None
    median: Fraction | None
    highest: Fraction | None
    lowest: Fraction | None
    interval: tuple[float, float] | None


class County:
    """All papers of all pupils under one set of rules."""

    def __init__(
        self,
        pupils: Sequence[Pupil],
        fulls: Mapping[str, Fraction],
        rules: Rules,
        folds: Mapping[str, Fraction] | None = None,
        cuts: Mapping[str, Fraction] | None = None,
    ) -> None:
        self.pupils, self.fulls, self.rules = list(pupils), dict(fulls), rules
        self.folds = dict(folds) if folds is not None else dict.fromkeys(fulls, Fraction(1))
        self.cuts = dict(cuts or {"excellent": Fraction(85, 100), "good": Fraction(75, 100)})
        self.cuts = {"pass": Fraction(60, 100), "low": Fraction(40, 100), **self.cuts}
        self.papers: dict[str, Paper] = {}
        for name, full in fulls.items():
            rows = [pupil.scores[name] for pupil in self.pupils]
            self.papers[name] = self._paper(name, full, [r[0] for r in rows], [r[1] for r in rows])
        if len(self.folds) > 1:
            totals = [total_of(pupil, self.folds, rules) for pupil in self.pupils]
            self.papers["总分"] = self._paper("总分", self._full(), [t[0] for t in totals], [t[1] for t in totals])
        if rules.base == "B5":
            self._cut()

    def _full(self) -> Fraction:
        """The sum over the subjects that most pupils take."""
        seen: dict[Fraction, int] = defaultdict(int)
        for pupil in self.pupils:
            seen[
                sum(
                    (self.fulls[n] * f for n, f in self.folds.items() if pupil.scores[n][0] != "not_chosen"),
                    Fraction(0),
                )
            ] += 1
        return max(seen, key=lambda full: (seen[full], full))

    def _paper(self, name: str, full: Fraction, states: list[str], marks: list[Fraction | None]) -> Paper:
        rules, counted = self.rules, {}
        for at, (state, mark) in enumerate(zip(states, marks, strict=True)):
            zero = (
                (state == "cheated" and rules.cheated_zero)
                or (state == "absent" and rules.absent_zero)
                or (state == "missing" and rules.absent_zero and rules.blank_absent)
            )
            if state == "scored" and mark is not None:
                counted[at] = mark
            elif zero:
                counted[at] = Fraction(0)
        return Paper(name, full, states, marks, counted)

    def _cut(self) -> None:
        """B5: every school keeps the first ⌊N × keep⌋ by total, then by the subjects in order."""
        total = self.papers.get("总分") or next(iter(self.papers.values()))
        kept: set[int] = set()
        for members in self.units("school").values():
            there = [at for at in members if total.state[at] in ("scored", "cheated", "absent", "missing")]
            key = {at: (total.mark[at] or 0, *(self.papers[n].mark[at] or 0 for n in self.fulls)) for at in there}
            there.sort(key=lambda at: tuple(-one for one in key[at]))
            kept |= set(there[: math.floor(len(there) * self.rules.keep)])
        for paper in self.papers.values():
            paper.counted = {at: mark for at, mark in paper.counted.items() if at in kept}

    def units(self, level: str) -> dict[Path, list[int]]:
        """Pupils of every unit of a level."""
        found: dict[Path, list[int]] = defaultdict(list)
        for at, pupil in enumerate(self.pupils):
            path = {
                "class": (pupil.school, pupil.class_),
                "school": (pupil.school,),
                "district": (pupil.district,),
                "county": (),
            }[level]
            found[path].append(at)
        return dict(found)

    def base_of(self, paper: Paper, level: str, members: Iterable[int], n: int) -> Fraction:
        """The denominator of means and rates."""
        if self.rules.base == "B3":
            return self.enrolled(paper, members) * (1 - self.rules.discount)
        if self.rules.base == "B4" and level != "class":
            schools = {self.pupils[at].school for at in members}
            return Fraction(sum(self.rules.cohort[school] for school in schools))
        return Fraction(n)

    def enrolled(self, paper: Paper, members: Iterable[int]) -> int:
        """应考人数; in the total whoever owes a subject."""
        return sum(self._owes(paper, at) for at in members)

    def sat(self, paper: Paper, members: Iterable[int]) -> int:
        """参考人数; in the total whoever sat a subject."""
        if paper.name == "总分":
            return sum(any(one.state[at] in SAT for n, one in self.papers.items() if n != "总分") for at in members)
        return sum(paper.state[at] in SAT for at in members)

    def _owes(self, paper: Paper, at: int) -> bool:
        if paper.name == "总分":
            return any(one.state[at] not in NOT_OWED for n, one in self.papers.items() if n != "总分")
        return paper.state[at] not in NOT_OWED

    def figures(self, name: str, level: str, members: Sequence[int]) -> Figures:
        """All figures of one unit in one paper."""
        paper = self.papers[name]
        marks = [paper.counted[at] for at in members if at in paper.counted]
        n, base = len(marks), self.base_of(paper, level, members, len(marks))
        share: Callable[[int], Fraction | None] = lambda k: Fraction(k) / base if base else None  # noqa: E731
        rates = {
            key: share(sum(m >= cut * paper.full for m in marks)) for key, cut in self.cuts.items() if key != "low"
        }
        rates["low"] = share(sum(m < self.cuts["low"] * paper.full for m in marks))
        rates["score_rate"] = sum(marks, Fraction(0)) / base / paper.full if base else None
        middle = sorted(marks)
        plain = sum(marks, Fraction(0)) / n if n else Fraction(0)
        squares = sum(((m - plain) ** 2 for m in marks), Fraction(0))
        interval = None
        if n > 1 and base:
            half = stats.t.ppf(0.975, n - 1) * math.sqrt(squares / (n - 1) / n)
            interval = tuple(float(end * n / base) for end in (float(plain) - half, float(plain) + half))
        return Figures(
            self.enrolled(paper, members),
            self.sat(paper, members),
            n,
            base,
            sum(marks, Fraction(0)) / base if base else None,
            rates,
            math.sqrt(squares / n) if n else None,
            (middle[(n - 1) // 2] + middle[n // 2]) / 2 if n else None,
            max(marks, default=None),
            min(marks, default=None),
            interval,  # type: ignore[arg-type]
        )

    def whole(self, name: str, level: str) -> Figures:
        """The county with the denominator of a level (classes have no cohort)."""
        everybody = list(range(len(self.pupils)))
        return self.figures(name, "class" if level == "class" and self.rules.base == "B4" else "county", everybody)

    def verdict(self, name: str, level: str, members: Sequence[int]) -> str | None:
        """高于, 低于 or 相当 against everybody else, by Welch's t; None where either side has fewer than ten."""
        rest = sorted(set(range(len(self.pupils))) - set(members))
        sides = []
        for side in (members, rest):
            paper = self.papers[name]
            marks = [float(paper.counted[at]) for at in side if at in paper.counted]
            if len(marks) < 10:
                return None
            factor = len(marks) / float(self.base_of(paper, level, side, len(marks)))
            mean = sum(marks) / len(marks)
            variance = sum((m - mean) ** 2 for m in marks) / (len(marks) - 1) / len(marks)
            sides.append((mean * factor, variance * factor**2, len(marks) - 1))
        (a, va, da), (b, vb, db) = sides
        df = (va + vb) ** 2 / (va**2 / da + vb**2 / db)
        half = stats.t.ppf(0.975, df) * math.sqrt(va + vb)
        return "高于" if a - b > half else "低于" if a - b < -half else "相当"


def ranks(values: Mapping[Path, Fraction]) -> dict[Path, int]:
    """1 2 2 4 by exact value."""
    return {key: 1 + sum(other > value for other in values.values()) for key, value in values.items()}

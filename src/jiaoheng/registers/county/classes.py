"""Classes through time: each has an entry year, moves up a grade every September and leaves after its last grade."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from jiaoheng.packs import load
from jiaoheng.registers.county.model import CountyUnit, UnitFact, UnitParent
from jiaoheng.registers.county.places import GRADES, YEARS, School

Ints = npt.NDArray[np.int64]
NEWEST = YEARS[-1]
STAGES = {"K": "0", "0": "1", "1": "3", "V": "4"}
_NUMERALS = "一二三四五六七八九"
_SMALLEST = 3  # pupils of a class
# mean and spread of a class by kind and locality; older cohorts are larger, as births fall
_SIZES = {"town": (48.0, 6.0), "centre": (40.0, 6.0), "village": (30.5, 6.5), "point": (11.5, 3.0)}
_SENIOR, _VOCATIONAL, _SPECIAL = (50.5, 3.6), (46.0, 6.0), (12.0, 1.0)
_PRE = {"K1": (24.5, 2.5), "K2": (29.0, 2.5), "K3": (33.0, 3.0), "K4": (24.0, 4.0)}
_COHORT = 0.9  # pupils by which a cohort's classes are larger than those of the year after


@dataclass(slots=True)
class Klass:
    """A class; `sizes`: school year → pupils in autumn, `spring`: the same in the spring term."""

    school: School
    code: str  # within the school
    section: int
    grades: tuple[str, ...]  # of the whole time it stays
    entry: int  # year in which it began the first of them
    special: bool = False
    sizes: dict[int, int] = field(default_factory=dict)
    spring: dict[int, int] = field(default_factory=dict)

    @property
    def unit(self) -> str:
        """Code of the class as a unit."""
        return f"{self.school.code}-{self.code}"

    @property
    def mixed(self) -> bool:
        """A mixed-age preschool class, which stays for good."""
        return self.grades == ("K4",)

    def grade(self, year: int) -> str:
        """Grade in a school year, empty before and after its time."""
        if not self.school.open_in(year):
            return ""
        if self.mixed:
            return "K4"
        at = year - self.entry
        return self.grades[at] if 0 <= at < len(self.grades) else ""

    def name(self, year: int) -> str:
        """三（2）班 in a school year in which it exists."""
        return class_name(self.grade(year), self.section)


def class_name(grade: str, section: int) -> str:
    """The usual spelling: 三（2）班, 高一（1）班, 大（1）班."""
    if grade.startswith("K"):
        return {"K1": "小", "K2": "中", "K3": "大", "K4": "混龄"}[grade] + f"（{section}）班"
    if grade.startswith("V"):
        return f"职高{_NUMERALS[int(grade[1]) - 1]}（{section}）班"
    number = int(grade)
    word = _NUMERALS[number - 1] if number <= 9 else f"高{_NUMERALS[number - 10]}"
    return f"{word}（{section}）班"


def stage_of(grade: str, special: bool = False) -> str:
    """Code of the stage of a grade."""
    if special:
        return "5"
    if grade in ("07", "08", "09"):
        return "2"
    return STAGES[grade[0]]


def make_classes(schools: Sequence[School], rng: np.random.Generator, exact: bool) -> list[Klass]:
    """Every class with its sizes; exact: the county's totals are met to the pupil."""
    found: list[Klass] = []
    for school in schools:
        found.extend(_classes_of(school))
    for one in found:
        _fill(one, rng)
    _fixed(found, rng, exact)
    if exact:
        totals = load("county")["totals"]
        _settle([one for one in found if one.grade(NEWEST).startswith("K")], totals["preschool"], rng)
        _settle([one for one in found if one.special and one.grade(NEWEST)], totals["special_school"], rng)
        free = [one for one in found if one.grade(NEWEST)[:1] in ("0", "1", "V") and not one.special]
        _settle(free, totals["pupils"] - totals["preschool"] - totals["special_school"], rng)
    return found


def _classes_of(school: School) -> list[Klass]:
    found: list[Klass] = []
    grades = GRADES[school.kind][: len(school.sections)]
    for stage in _stages(grades, school.kind == "514"):
        at = grades.index(stage[0])
        sections = school.sections[at : at + len(stage)]
        begin = school.starts_on.year
        for back in range(len(stage) + len(YEARS) - 1):
            entry = NEWEST - back
            count = sections[min(back, len(stage) - 1)]
            # a school that is new this year takes in its first grades at once
            if entry + len(stage) <= begin:
                continue
            digit = stage_of(stage[0], school.kind == "514")
            found.extend(
                Klass(school, f"{entry}{digit}{number:02d}", number, stage, entry, school.kind == "514")
                for number in range(1, count + 1)
            )
    if school.pre == len(GRADES["111"]):
        stage = GRADES["111"]
        found.extend(Klass(school, f"{entry}001", 1, stage, entry) for entry in range(NEWEST - 4, NEWEST + 1))
    else:
        found.extend(Klass(school, f"KH{number:02d}", number, ("K4",), 0) for number in range(1, school.pre + 1))
    return [one for one in found if any(one.grade(year) for year in YEARS)]


def _stages(grades: tuple[str, ...], special: bool) -> list[tuple[str, ...]]:
    if special:
        return [grades]
    parts: dict[str, list[str]] = {}
    for grade in grades:
        parts.setdefault(stage_of(grade), []).append(grade)
    return [tuple(part) for part in parts.values()]


def _size_rule(one: Klass) -> tuple[float, float]:
    school, grade = one.school, one.grades[0]
    if one.special:
        return _SPECIAL
    if grade.startswith("K"):
        return _PRE[grade]
    if grade.startswith("V"):
        return _VOCATIONAL
    if grade == "10":
        return _SENIOR
    if school.kind == "218":
        return _SIZES["point"]
    if school.town:
        return _SIZES["town"]
    if school.kind == "311" or not school.rural or "中心" in school.name:
        return _SIZES["centre"]
    return _SIZES["village"]


def _fill(one: Klass, rng: np.random.Generator) -> None:
    """Sizes of every year, the newest first: a class lost or won a few pupils between two years."""
    mean, spread = _size_rule(one)
    if not one.mixed and not one.special:
        mean += _COHORT * max(0, min(NEWEST - one.entry, 8)) * (1 if not one.grades[0].startswith("K") else 0)
    size = max(_SMALLEST, round(float(rng.normal(mean, spread))))
    for year in reversed(YEARS):
        grade = one.grade(year)
        if not grade:
            continue
        if grade in _PRE and not one.mixed:
            size = max(_SMALLEST, round(float(rng.normal(*_PRE[grade]))))
        one.sizes[year] = size
        one.spring[year] = max(_SMALLEST, size + int(rng.integers(-1, 2)))
        size = max(_SMALLEST, size + int(rng.integers(-1, 3)))


def _fixed(classes: Sequence[Klass], rng: np.random.Generator, exact: bool) -> None:
    """Numbers of pupils that the pack fixes, for the newest year and as totals of earlier ones."""
    pack = load("county")
    for name, grades in pack["fixed"].items():
        own = [one for one in classes if one.school.name == name]
        for grade, sizes in grades.items():
            for one in own:
                if one.grade(NEWEST) == grade and one.section <= len(sizes):
                    _shift(one, sizes[one.section - 1] - one.sizes[NEWEST], NEWEST)
        for year, total in pack["fixed_totals"].get(name, {}).items():
            listed = [one for one in own if one.grade(year) and not one.grade(year).startswith("K")]
            if exact:  # a small county has fewer classes and so fewer pupils
                _settle(listed, total, rng, year)


def _settle(classes: Sequence[Klass], total: int, rng: np.random.Generator, year: int = NEWEST) -> None:
    """Spread what is missing to a total over the classes, the fixed ones left alone in the newest year."""
    fixed = set(load("county")["fixed"]) if year == NEWEST else set()
    free = [one for one in classes if one.school.name not in fixed]
    missing = total - sum(one.sizes[year] for one in classes)
    if not free:
        return
    each, rest = divmod(abs(missing), len(free))
    order = rng.permutation(len(free))
    for place, at in enumerate(order.tolist()):
        step = each + (1 if place < rest else 0)
        _shift(free[at], step if missing > 0 else -step, year)


def _shift(one: Klass, step: int, year: int) -> None:
    """More or fewer pupils; in the newest year the class has had them all along, so that no year makes a jump."""
    if one.sizes[year] + step < _SMALLEST:
        raise ValueError(f"{one.unit} has {one.sizes[year]} pupils in {year}")
    for other in one.sizes if year == NEWEST else (year,):
        one.sizes[other] = max(_SMALLEST, one.sizes[other] + step)
        one.spring[other] = max(_SMALLEST, one.spring[other] + step)


def class_unit(one: Klass) -> CountyUnit:
    """A class with its name in every school year."""
    years = [year for year in YEARS if one.grade(year)]
    first, last = years[0], years[-1]
    begin = dt.date(first, 9, 1) if first > YEARS[0] or one.entry == first else dt.date(max(one.entry, 2018), 9, 1)
    start = max(begin, one.school.starts_on)
    end = None if last == NEWEST else dt.date(last + 1, 9, 1)
    if one.school.ends_on is not None:
        end = min(end, one.school.ends_on) if end else one.school.ends_on
    facts = []
    for year in years:
        since = start if year == first else dt.date(year, 9, 1)
        until = end if year == last else dt.date(year + 1, 9, 1)
        facts.append(UnitFact(since, until, one.name(year), one.grade(year), one.name(year)))
        if one.mixed:
            facts = [UnitFact(start, end, one.name(year), "K4", one.name(year))]
    parent = UnitParent(start, end, one.school.code)
    locality, township = one.school.locality, one.school.township
    return CountyUnit(one.unit, "class", start, end, tuple(facts), (parent,), "", locality, township)

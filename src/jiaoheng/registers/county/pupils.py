"""Pupils of the newest year as rows of the pupils' register, and class rows that agree with them to the pupil."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jiaoheng.packs import load
from jiaoheng.registers.county import people
from jiaoheng.registers.county.classes import NEWEST, Klass, stage_of
from jiaoheng.registers.county.people import Flags, Ints
from jiaoheng.registers.model import Data

_BOYS = 0.525  # share of boys in the county's cohorts
_AGE_OF = {"K1": 3, "K2": 4, "K3": 5, "K4": 4, "V1": 15, "V2": 16, "V3": 17}
_MINORITY = 0.03
_HARDSHIP = 0.09
_LEFT_BEHIND = {True: 0.34, False: 0.08}  # in villages, in towns
_MIGRANT = 0.06
_HUNDRED = 100


@dataclass(slots=True)
class Pupils:
    """All pupils in reading, one entry per pupil in order of class; `klass` counts the classes of the newest year."""

    classes: list[Klass]
    klass: Ints
    girl: Flags
    births: Ints  # days since 1970
    boarding: Flags
    left_behind: Flags
    migrant: Flags
    study_way: list[str]  # "" for pupils without special needs
    names: list[str]
    ids: list[str]
    rows: list[Data]
    units: list[str]

    def counts(self, flags: Flags) -> Ints:
        """How many pupils of each class have a flag."""
        return np.bincount(self.klass[flags], minlength=len(self.classes))


def age_of(grade: str) -> int:
    """Years a pupil has on 1 September at least, when he entered in time."""
    return _AGE_OF[grade] if grade in _AGE_OF else int(grade) + 5


def make_pupils(classes: Sequence[Klass], used: dict[tuple[int, bool], int], rng: np.random.Generator) -> Pupils:
    """Every pupil of the newest year."""
    current = [one for one in classes if one.grade(NEWEST)]
    sizes = np.array([one.sizes[NEWEST] for one in current])
    klass = np.repeat(np.arange(len(current)), sizes)
    count = len(klass)
    girl = rng.random(count) >= _BOYS
    births = _births(current, klass, rng)
    ids = people.identity_numbers(births, girl, used)
    rural = np.array([one.school.rural for one in current])[klass]
    share = np.array([one.school.boarding * _boards(one.grade(NEWEST)) for one in current])[klass]
    found = Pupils(
        classes=current,
        klass=klass,
        girl=girl,
        births=births,
        boarding=rng.random(count) < share,
        left_behind=rng.random(count) < np.where(rural, _LEFT_BEHIND[True], _LEFT_BEHIND[False]),
        migrant=(rng.random(count) < _MIGRANT) & ~rural,
        study_way=_study_ways(current, klass, rng),
        names=people.names(girl, rng),
        ids=ids,
        rows=[],
        units=[current[one].school.code for one in klass.tolist()],
    )
    found.rows = _rows(found, rng)
    return found


def _boards(grade: str) -> float:
    """Small children do not board."""
    if grade.startswith("K") or grade in ("01", "02"):
        return 0.0
    return 1.0


def _births(classes: Sequence[Klass], klass: Ints, rng: np.random.Generator) -> Ints:
    """Birth days: the year before the entry age's 31 August, a few a year older."""
    starts = []
    for one in classes:
        year = NEWEST - age_of(one.grade(NEWEST))
        starts.append(people.days(dt.date(year - 1, 9, 1), dt.date(year, 8, 31))[0])
    first = np.array(starts)[klass]
    births = first + rng.integers(0, 365, len(klass))
    late = rng.random(len(klass)) < 0.03
    return np.where(late, births - 365, births)


def _study_ways(classes: Sequence[Klass], klass: Ints, rng: np.random.Generator) -> list[str]:
    """Special school for its own pupils; inclusion and teaching at home in the compulsory grades, by the totals."""
    totals = load("county")["totals"]
    special = np.array([one.special for one in classes])[klass]
    compulsory = np.array([stage_of(one.grade(NEWEST)) in ("1", "2") and not one.special for one in classes])[klass]
    ways = np.where(special, "3", "")
    able = np.flatnonzero(compulsory)
    share = len(klass) / totals["pupils"]
    inclusive, home = round(totals["inclusive"] * share), round(totals["home_taught"] * share)
    chosen = rng.choice(able, size=min(inclusive + home, len(able)), replace=False)
    ways[chosen[:inclusive]] = "1"
    ways[chosen[inclusive:]] = "4"
    return ways.tolist()  # type: ignore[no-any-return]


def _rows(pupils: Pupils, rng: np.random.Generator) -> list[Data]:
    count = len(pupils.klass)
    births = people.texts(pupils.births)
    codes = [one.code for one in pupils.classes]
    grades = [one.grade(NEWEST) for one in pupils.classes]
    entered = [_entered(one) for one in pupils.classes]
    places = [one.school.township for one in pupils.classes]
    villages = load("county")["villages"]
    village, house = rng.integers(0, len(villages), count).tolist(), rng.integers(1, 13, count).tolist()
    ethnicity = np.where(rng.random(count) < _MINORITY, "11", "01").tolist()
    relation = people.picks(rng, ["51", "52", "61", "62"], [46, 34, 10, 10], count)
    guardians = people.names(rng.random(count) < 0.5, rng)
    phone = people.phones(0, count)
    hukou = people.picks(rng, ["1", "2"], [68, 32], count)
    way = people.picks(rng, ["1", "5"], [82, 18], count)
    rows: list[Data] = []
    for at, number in enumerate(pupils.klass.tolist()):
        row: Data = {
            "pupil_number": "G" + pupils.ids[at],
            "name": pupils.names[at],
            "id_kind": "1",
            "id_number": pupils.ids[at],
            "gender": "2" if pupils.girl[at] else "1",
            "birth_date": births[at],
            "ethnicity": ethnicity[at],
            "class_code": codes[number],
            "grade": grades[number],
            "status": "01",
            "entered_on": entered[number],
            "entry_way": way[at],
            "boarding": bool(pupils.boarding[at]),
            "hukou_kind": hukou[at],
            "left_behind": bool(pupils.left_behind[at]),
            "guardian": guardians[at],
            "guardian_relation": relation[at],
            "guardian_phone": phone[at],
            "address": f"{places[number]}{villages[village[at]]}村{house[at]}组",
        }
        rows.append(row)
    _extras(pupils, rows, rng)
    return rows


def _entered(one: Klass) -> str:
    year = one.entry if not one.mixed else NEWEST - 1
    return max(dt.date(year, 9, 1), one.school.starts_on).isoformat()


def _extras(pupils: Pupils, rows: list[Data], rng: np.random.Generator) -> None:
    """Values that only some pupils have."""
    for at in np.flatnonzero(pupils.boarding).tolist():
        rows[at]["dormitory"] = f"{'女' if pupils.girl[at] else '男'}生楼{int(at) % 6 + 1}0{int(at) % 9 + 1}"
    for at in np.flatnonzero(pupils.migrant).tolist():
        rows[at]["entry_way"] = "2"
        rows[at]["hukou_kind"] = "3"
    for at, way in enumerate(pupils.study_way):
        if way:
            rows[at]["study_way"] = way
            rows[at]["disability_certificate"] = f"{pupils.ids[at]}{(at % 7) + 1}{(at % 4) + 1}"
    kinds = ["1", "2", "6", "7", "9"]
    for at in np.flatnonzero(rng.random(len(rows)) < _HARDSHIP).tolist():
        rows[at]["hardship"] = [kinds[at % len(kinds)]]


def class_rows_now(pupils: Pupils, heads: Sequence[tuple[str, str]]) -> list[Data]:
    """Rows of the register of classes for the newest autumn; `heads`: name and staff number for each class."""
    boys, girls = pupils.counts(~pupils.girl), pupils.counts(pupils.girl)
    boarders, migrant = pupils.counts(pupils.boarding), pupils.counts(pupils.migrant)
    inclusive = pupils.counts(np.array([way == "1" for way in pupils.study_way]))
    rows = []
    for at, one in enumerate(pupils.classes):
        row = class_row(one, NEWEST, int(boys[at]), int(girls[at]), int(boarders[at]), heads[at])
        row["inclusive_pupils"] = int(inclusive[at])
        row["migrant_children"] = int(migrant[at])
        rows.append(row)
    return rows


def class_row(one: Klass, year: int, boys: int, girls: int, boarders: int, head: tuple[str, str]) -> Data:
    """One row of the register of classes."""
    kind = "4" if one.special else "1"
    if one.grades[0].startswith("V"):
        kind = "5"
    area = room_area(one)
    row: Data = {
        "class_code": one.code,
        "grade": one.grade(year),
        "class_name": one.name(year),
        "class_kind": kind,
        "head_teacher": head[0],
        "boys": boys,
        "girls": girls,
        "total": boys + girls,
        "boarders": boarders,
        "room": f"{'勤学楼' if one.section % 2 else '明德楼'} {one.section % 4 + 1}0{one.section % 9 + 1}",
        "room_area": str(area),
        "smart_board": not one.school.rural or one.section == 1,
    }
    if head[1]:
        row["head_teacher_number"] = head[1]
    return row


def room_area(one: Klass) -> int:
    """A classroom by its building: 48 ㎡ in old village schools, 54, 62, 68, 76 in newer ones."""
    largest = max(one.sizes.values())
    fitting = [area for area in (48, 54, 62, 68, 76, 84) if area >= largest * 1.05]
    return fitting[min(one.section % 2, len(fitting) - 1)] if fitting else 90


def class_rows_of(
    classes: Sequence[Klass], year: int, spring: bool, rng: np.random.Generator
) -> tuple[list[str], list[Data]]:
    """Units and rows of an earlier term."""
    listed = [one for one in classes if one.grade(year)]
    sizes = np.array([(one.spring if spring else one.sizes)[year] for one in listed])
    boys = rng.binomial(sizes, _BOYS)
    share = np.array([one.school.boarding * _boards(one.grade(year)) for one in listed])
    boarders = rng.binomial(sizes, share)
    names = people.names(rng.random(len(listed)) < 0.6, rng)
    rows = [
        class_row(one, year, int(boys[at]), int(sizes[at] - boys[at]), int(boarders[at]), (names[at], ""))
        for at, one in enumerate(listed)
    ]
    return [one.school.code for one in listed], rows

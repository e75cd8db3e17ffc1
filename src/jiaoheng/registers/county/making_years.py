"""Batches of what is reported once a year: school conditions, posts, subject staffing, preschool figures."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jiaoheng.packs import load
from jiaoheng.registers.county import conditions, people, writing_times
from jiaoheng.registers.county.classes import NEWEST, Klass
from jiaoheng.registers.county.conditions import YearSums
from jiaoheng.registers.county.model import Batch
from jiaoheng.registers.county.places import YEARS, School, district_codes
from jiaoheng.registers.county.pupils import Pupils
from jiaoheng.registers.county.rounds import moment
from jiaoheng.registers.county.teachers import Teacher
from jiaoheng.registers.model import Data

_FORM = {2024: 1, 2025: 2, 2026: 2}  # version of the form of school conditions in each school year
_GROSS = {2024: 0.671, 2025: 0.684}  # gross enrolment of earlier years; the newest follows from the totals
_CORRECTED = 5  # schools that corrected last year's form after it was approved


@dataclass(slots=True)
class Ground:
    """What the yearly rows are made from."""

    schools: Sequence[School]
    classes: Sequence[Klass]
    staff: dict[str, list[Teacher]]
    leaders: Mapping[str, str]
    pupils: Pupils
    terms: dict[str, tuple[list[str], list[Data]]]
    rng: np.random.Generator

    @property
    def open_now(self) -> list[School]:
        """Schools of the newest year."""
        return [one for one in self.schools if one.open_in(NEWEST)]

    @property
    def share(self) -> float:
        """Size of this county against the whole one."""
        return min(1.0, len(self.pupils.rows) / int(load("county")["totals"]["pupils"]))


def year_batches(ground: Ground) -> tuple[list[Batch], dict[str, Data]]:
    """Batches of all years but the newest forms of school conditions; those by school code (they are in an open round)."""
    found: list[Batch] = []
    built = conditions.make_buildings(ground.schools, ground.rng)
    sums = {year: conditions.sums_by_school(*ground.terms[f"{year}-1"]) for year in YEARS}
    most = {code: max(sums[year][code].all_pupils for year in YEARS if code in sums[year]) for code in _codes(ground)}
    now: dict[str, Data] = {}
    for year in YEARS:
        open_then = [one for one in ground.schools if one.open_in(year)]
        rows = [_condition(ground, one, year, sums[year][one.code], built, most[one.code]) for one in open_then]
        key = ("year", str(year))
        if year == NEWEST:
            now = dict(zip((one.code for one in open_then), rows, strict=True))
        else:
            at = moment(dt.date(year, 10, 18), 10)
            found.append(Batch("school_conditions", _FORM[year], key, at, [one.code for one in open_then], rows))
            if year == NEWEST - 1:
                found.append(_corrections(open_then, rows))
        found += _posts(ground, open_then, year, sums[year])
        found += _preschool(ground, open_then, year, sums[year])
    found.append(_subjects(ground))
    found += _large_class_plans(ground, sums[NEWEST])
    return found, now


def _codes(ground: Ground) -> list[str]:
    return [one.code for one in ground.schools]


def _condition(
    ground: Ground, school: School, year: int, sums: YearSums, built: Mapping[str, conditions.Buildings], most: int
) -> Data:
    reporter = ground.leaders[school.code]
    phone = people.phones(700_000 + school.index, 1)[0]
    staff = ground.staff.get(school.code, [])
    row = conditions.condition_row(school, year, sums, staff, built[school.code], most, reporter, phone)
    if not staff:  # a school that ended: its teachers work elsewhere by now
        count = max(2, math.ceil(sums.all_pupils / 14))
        row |= {"teachers": count, "full_time_teachers": count, "above_standard_teachers": count - 1}
    return row


def _corrections(schools: Sequence[School], rows: Sequence[Data]) -> Batch:
    """Last year's forms corrected in spring, after their approval: the figures then and now differ."""
    some = list(range(3, len(schools), max(1, len(schools) // _CORRECTED)))[:_CORRECTED]
    changed = [
        {**rows[at], "books": int(str(rows[at]["books"])) + 150 + 10 * at, "remark": "核对图书账后更正"} for at in some
    ]
    units = [schools[at].code for at in some]
    at_time = moment(dt.date(2026, 3, 18), 15)
    key = ("year", str(NEWEST - 1))
    return Batch(
        "school_conditions", _FORM[NEWEST - 1], key, at_time, units, changed, "核对图书账", later=True, door="page"
    )


def _posts(ground: Ground, schools: Sequence[School], year: int, sums: Mapping[str, YearSums]) -> list[Batch]:
    own = [one for one in schools if ground.staff.get(one.code)]
    rows = [conditions.post_row(one, year, sums[one.code], ground.staff[one.code], ground.rng) for one in own]
    if year == NEWEST:
        conditions.exchanges(rows, ground.share, ground.rng)
    return [Batch("posts", 1, ("year", str(year)), writing_times.autumn(year, 9, 30), [one.code for one in own], rows)]


def _preschool(ground: Ground, schools: Sequence[School], year: int, sums: Mapping[str, YearSums]) -> list[Batch]:
    own = [one for one in schools if sums[one.code].classes.get("0")]
    grades: dict[str, dict[str, int]] = {}
    for unit, row in zip(*ground.terms[f"{year}-1"], strict=True):
        known = grades.setdefault(unit, {})
        known[str(row["grade"])] = known.get(str(row["grade"]), 0) + int(str(row["total"]))
    rows = [
        conditions.preschool_row(one, year, sums[one.code], ground.staff.get(one.code, []), grades[one.code])
        for one in own
    ]
    key, at = ("year", str(year)), writing_times.autumn(year, 10, 20)
    children = sum(int(str(row["children"])) for row in rows)
    totals = load("county")["totals"]
    rate = _GROSS.get(year, totals["preschool"] / totals["preschool_population"])
    by_district: dict[str, int] = {}
    for one, row in zip(own, rows, strict=True):
        by_district[one.district] = by_district.get(one.district, 0) + int(str(row["children"]))
    districts = list(district_codes().values())
    people_rows = conditions.populations(districts, by_district, round(children / rate), year, ground.rng)
    return [
        Batch("preschool", 1, key, at, [one.code for one in own], rows),
        Batch("preschool_population", 1, key, at, districts, people_rows),
    ]


def _large_class_plans(ground: Ground, now: Mapping[str, YearSums]) -> list[Batch]:
    """This year's quotas: about a quarter of last autumn's oversize classes, for the schools that had some."""
    bands = load("class_size")["bands"][-1]
    large, huge = int(bands["large"]), int(bands["super"])
    sizes: dict[str, list[int]] = {}
    for unit, row in zip(*ground.terms[f"{NEWEST - 1}-1"], strict=True):
        sizes.setdefault(unit, []).append(int(str(row["total"])))
    units = [one.code for one in ground.open_now if one.code in now and max(sizes.get(one.code, [0])) >= large]
    rows = [conditions.large_class_plan(sizes[code], large, huge) for code in units]
    at = writing_times.autumn(NEWEST, 9, 8)
    return [Batch("large_class_plan", 1, ("year", str(NEWEST)), at, units, rows)] if units else []


def _subjects(ground: Ground) -> Batch:
    units: list[str] = []
    rows: list[Data] = []
    by_school: dict[str, list[Klass]] = {}
    for one in ground.pupils.classes:
        by_school.setdefault(one.school.code, []).append(one)
    for school in ground.open_now:
        own = conditions.subject_rows(by_school[school.code], ground.staff[school.code])
        units += [school.code] * len(own)
        rows += own
    return Batch("subject_staffing", 1, writing_times.THIS_YEAR, writing_times.autumn(2026, 9, 29), units, rows)

"""Batches of teachers and pupils: who came when, promotions, retirements, yearly moves up, corrected telephone numbers."""

from __future__ import annotations

from collections.abc import Sequence

from jiaoheng.registers.county import people, writing_times
from jiaoheng.registers.county.classes import NEWEST
from jiaoheng.registers.county.model import STANDING, Batch
from jiaoheng.registers.county.places import YEARS
from jiaoheng.registers.county.pupils import Pupils
from jiaoheng.registers.county.teachers import Staff, Teacher
from jiaoheng.registers.model import Data

_LOWER = {"1": "2", "2": "3", "3": "4", "4": "9"}
_CORRECTED = 150  # one pupil in so many has a new telephone number this autumn


def teacher_batches(staff: Staff) -> list[Batch]:
    """Teachers by the autumn in which they came, then promotions, retirements and this year's class teachers."""
    found: list[Batch] = []
    first: dict[int, tuple[list[str], list[Data]]] = {year: ([], []) for year in YEARS}
    for one in staff.teachers:
        year = min(max(one.came.year, YEARS[0]), NEWEST)
        units, rows = first[year]
        units.append(one.school.code)
        rows.append(_before(one, year))
    for year, (units, rows) in first.items():
        if rows:
            found.append(Batch("teachers", 1, STANDING, writing_times.autumn(year), units, rows))
    found += _changes(staff)
    return found


def _promoted(one: Teacher) -> bool:
    return str(one.row.get("title_since", "")) == "2025-12-01" and one.came.year <= NEWEST - 1


def _before(one: Teacher, year: int) -> Data:
    """The row as it was when the teacher first stood in the roster."""
    row = dict(one.row)
    if year < NEWEST:
        row.pop("head_teacher_of", None)
        if _promoted(one):
            row = _without_promotion(row)
    if not one.active:
        row |= {"status": "1", "full_time": True, "subject": "02", "weekly_lessons": "8"}
    return row


def _without_promotion(row: Data) -> Data:
    title = _LOWER[str(row["teacher_title"])]
    row = {**row, "teacher_title": title}
    if title == "9":
        row.pop("title_since")
    else:
        row["title_since"] = max(str(row["joined_on"]), "2019-12-01")
    row.pop("backbone", None)
    return row


def _changes(staff: Staff) -> list[Batch]:
    promoted, retired, heads = [], [], []
    for one in staff.teachers:
        if _promoted(one):
            promoted.append(one)
        if not one.active:
            retired.append(one)
        elif one.head_of and one.came.year < NEWEST:
            heads.append(one)
    found = []
    plans: Sequence[tuple[Sequence[Teacher], int, tuple[int, int, int], str]] = (
        (promoted, 2026, (1, 8, 11), "2025 年职称评审结果"),
        (retired, 2026, (7, 10, 9), "到龄退休"),
        (heads, 2026, (9, 14, 15), "2026 年秋季班主任任命"),
    )
    for teachers, year, (month, day, hour), reason in plans:
        if not teachers:
            continue
        units = [one.school.code for one in teachers]
        rows = [_at_promotion(one) if teachers is promoted else one.row for one in teachers]
        at = writing_times.autumn(year, month, day, hour)
        found.append(Batch("teachers", 1, STANDING, at, units, rows, reason, later=True))
    return found


def _at_promotion(one: Teacher) -> Data:
    row = dict(one.row)
    row.pop("head_teacher_of", None)
    if not one.active:
        row |= {"status": "1", "full_time": True, "subject": "02", "weekly_lessons": "8"}
    return row


def pupil_batches(pupils: Pupils) -> list[Batch]:
    """Pupils of each autumn: new ones, and those who moved up a grade; then telephone numbers that changed."""
    found: list[Batch] = []
    known: set[int] = set()
    numbers = pupils.klass.tolist()
    for year in YEARS:
        grades = [one.grade(year) for one in pupils.classes]
        day = f"{year}-09-01"
        here = [at for at, number in enumerate(numbers) if grades[number] and str(pupils.rows[at]["entered_on"]) <= day]
        new = [at for at in here if at not in known]
        old = [at for at in here if at in known]
        for some, later in ((new, False), (old, True)):
            if not some:
                continue
            rows = [pupils.rows[at] if year == NEWEST else _then(pupils, at, grades[numbers[at]]) for at in some]
            at_time = writing_times.autumn(year, 9, 14, 14 + later)
            units = [pupils.units[at] for at in some]
            reason, optional = "升入新年级" if later else "", year < NEWEST
            found.append(Batch("pupils", 1, STANDING, at_time, units, rows, reason, later, optional))
        known.update(new)
    changed = list(range(7, len(pupils.rows), _CORRECTED))
    phones = people.phones(900_000, len(changed))
    rows = [{**pupils.rows[at], "guardian_phone": phone} for at, phone in zip(changed, phones, strict=True)]
    units = [pupils.units[at] for at in changed]
    moment = writing_times.autumn(2026, 10, 20, 16)
    found.append(Batch("pupils", 1, STANDING, moment, units, rows, "家长更换手机", later=True, door="page"))
    return found


def _then(pupils: Pupils, at: int, grade: str) -> Data:
    """A pupil's row in an earlier year: the grade of that year, no place in a dormitory yet below grade three."""
    row = {**pupils.rows[at], "grade": grade}
    if grade in ("01", "02") or grade.startswith("K"):
        row["boarding"] = False
        row.pop("dormitory", None)
    return row

"""Teachers: how many each school has, what they teach, and their rows; the class teachers are among them."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from jiaoheng.packs import load
from jiaoheng.registers.county import people
from jiaoheng.registers.county.classes import NEWEST, Klass, stage_of
from jiaoheng.registers.county.places import School
from jiaoheng.registers.model import Data

# pupils for one teacher, by stage
_RATIO = {"0": 12.5, "1": 15.5, "2": 11.8, "3": 11.0, "4": 13.0, "5": 4.5}
# subjects with the share of teachers, by stage
_SUBJECTS: Mapping[str, Mapping[str, float]] = {
    "0": {"21": 1},
    "1": {"02": 34, "03": 28, "04": 9, "01": 4, "10": 4, "11": 2, "12": 8, "13": 4, "14": 4, "15": 2, "18": 1},
    "2": {"02": 16, "03": 16, "04": 15, "05": 8, "06": 6, "01": 7, "08": 7, "09": 5, "07": 5, "11": 2, "12": 6, "13": 3, "14": 3, "18": 1},
    "3": {"02": 14, "03": 14, "04": 14, "05": 9, "06": 9, "07": 8, "01": 7, "08": 7, "09": 6, "11": 2, "12": 5, "13": 2, "14": 2, "18": 1},
    "4": {"41": 45, "02": 12, "03": 12, "04": 10, "01": 6, "11": 6, "12": 5, "08": 4},
    "5": {"31": 80, "12": 8, "13": 6, "14": 6},
}  # fmt: skip
_LESSONS = {"0": (14, 18), "1": (12, 18), "2": (10, 15), "3": (9, 14), "4": (10, 16), "5": (12, 18)}
Chances = npt.NDArray[np.float64]
_LOGISTICS = 0.05  # of the staff: offices, canteens
_WOMEN = 0.62
_YOUNGEST, _OLDEST = 23, 59
RETIRED = 0.03  # of the staff: rows that stay in the register after retirement
_BACKBONE = 0.09


@dataclass(slots=True)
class Teacher:
    """A teacher with the row of the register and what other registers count."""

    school: School
    row: Data
    age: int
    came: dt.date
    active: bool = True
    head_of: str = ""


@dataclass(slots=True)
class Staff:
    """All teachers, and for each class of the newest year its class teacher's name and number."""

    teachers: list[Teacher]
    heads: list[tuple[str, str]] = field(default_factory=list)
    by_school: dict[str, list[Teacher]] = field(default_factory=dict)

    def of(self, school: School) -> list[Teacher]:
        """Working teachers of a school."""
        return [one for one in self.by_school.get(school.code, []) if one.active]


def make_staff(
    schools: Sequence[School],
    classes: Sequence[Klass],
    used: dict[tuple[int, bool], int],
    rng: np.random.Generator,
    exact: bool,
) -> Staff:
    """Teachers of the newest year. `classes`: those of the newest year, in the order of the pupils."""
    wanted = _numbers(schools, classes, exact)
    places = [
        (school, stage)
        for school in schools
        for stage, count in wanted.get(school.code, {}).items()
        for _number in range(count)
    ]
    older = [place for place in places if place[0].starts_on.year < NEWEST]  # nobody has retired from a new school
    left = [older[at] for at in rng.choice(len(older), size=math.ceil(len(places) * RETIRED), replace=False).tolist()]
    teachers = _people([*places, *left], len(places), used, rng)
    staff = Staff(teachers)
    for one in teachers:
        staff.by_school.setdefault(one.school.code, []).append(one)
    _give_classes(staff, classes)
    _give_fixed_names(staff, classes)
    staff.heads = [_head(staff, one) for one in classes]
    return staff


def _numbers(schools: Sequence[School], classes: Sequence[Klass], exact: bool) -> dict[str, dict[str, int]]:
    """School code → stage → teachers: by pupils, never fewer than the classes need."""
    pupils: dict[str, dict[str, int]] = {}
    rooms: dict[tuple[str, str], int] = {}
    for one in classes:
        stage = stage_of(one.grade(NEWEST), one.special)
        own = pupils.setdefault(one.school.code, {})
        own[stage] = own.get(stage, 0) + one.sizes[NEWEST]
        rooms[one.school.code, stage] = rooms.get((one.school.code, stage), 0) + 1
    least = {key: math.ceil(count * 1.25) for key, count in rooms.items()}
    total = load("county")["totals"]["teachers"] if exact else None
    factor = 1.0
    for _turn in range(40):
        found = {
            code: {
                stage: max(least[code, stage], round(count / _RATIO[stage] * factor)) for stage, count in own.items()
            }
            for code, own in pupils.items()
        }
        number = sum(sum(own.values()) for own in found.values())
        if total is None or abs(number - total) <= len(rooms) // 4:
            break
        factor *= total / number
    return _exactly(found, least, total)


def _exactly(
    found: dict[str, dict[str, int]], least: Mapping[tuple[str, str], int], total: int | None
) -> dict[str, dict[str, int]]:
    """One more or fewer in the largest schools, until the total fits."""
    if total is None:
        return found
    order = sorted(((count, code, stage) for code, own in found.items() for stage, count in own.items()), reverse=True)
    missing = total - sum(sum(own.values()) for own in found.values())
    at = 0
    while missing:
        _count, code, stage = order[at % len(order)]
        step = 1 if missing > 0 else -1
        if found[code][stage] + step >= least[code, stage]:
            found[code][stage] += step
            missing -= step
        at += 1
    return found


def _people(
    places: Sequence[tuple[School, str]], working: int, used: dict[tuple[int, bool], int], rng: np.random.Generator
) -> list[Teacher]:
    count = len(places)
    women = rng.random(count) < _WOMEN
    ages = np.clip(
        np.round(rng.choice([30, 41, 51], size=count, p=[0.36, 0.36, 0.28]) + rng.normal(0, 4.5, count)),
        _YOUNGEST,
        _OLDEST,
    ).astype(int)
    ages[working:] = 60
    first = people.days(dt.date(NEWEST - 1, 10, 1), dt.date(NEWEST, 9, 30))[0]
    births = first - ages * 365 - ages // 4 + rng.integers(0, 330, count)
    ids = people.identity_numbers(births, women, used)
    names = people.names(women, rng)
    days = people.texts(births)
    phones = people.phones(500_000, count)
    grown = rng.integers(22, 25, count)
    chance = rng.random((count, 6))
    found = []
    for at, (school, stage) in enumerate(places):
        age, born = int(ages[at]), dt.date.fromisoformat(days[at])
        joined = dt.date(min(born.year + int(grown[at]), NEWEST), 9, 1)
        active = at < working
        came = _came(school, joined, chance[at, 0], NEWEST if active else NEWEST - 2)
        row: Data = {
            "staff_number": f"99{at + 1:06d}",
            "name": names[at],
            "id_number": ids[at],
            "gender": "2" if women[at] else "1",
            "birth_date": days[at],
            "ethnicity": "11" if chance[at, 1] < 0.03 else "01",
            "political_status": "01" if chance[at, 1] > 0.68 else "13",
            "phone": phones[at],
            "joined_on": joined.isoformat(),
            "came_on": came.isoformat(),
            "staff_kind": _staff_kind(school, age, chance[at, 2]),
            "post_kind": "2",
            "status": ("1" if chance[at, 3] > 0.03 else "3") if active else "7",
            "full_time": active,
            "stage": stage,
            "salary_card": f"62170{at + 1:014d}",
        }
        _teaching(row, stage, active, chance[at], rng)
        _learning(row, stage, age, joined, chance[at])
        found.append(Teacher(school, row, age, came, active))
    return found


def _came(school: School, joined: dt.date, chance: float, last: int) -> dt.date:
    """To this school: on joining, or some years later; never before the school was there."""
    year = joined.year + int(chance * max(0, last - joined.year + 1))
    return max(dt.date(min(year, last), 9, 1), joined, school.starts_on)


def _staff_kind(school: School, age: int, chance: float) -> str:
    if school.private:
        return "5"
    if age < 30 and chance < 0.2:
        return "3" if school.rural else "2"
    return "4" if chance > 0.96 else "1"


def _teaching(row: Data, stage: str, active: bool, chance: Chances, rng: np.random.Generator) -> None:
    """Subject, lessons; some of the staff do not teach."""
    if active and chance[4] < _LOGISTICS and stage != "0":
        row |= {"full_time": False, "subject": "99", "post_kind": "1" if chance[5] < 0.5 else "3"}
        return
    shares = _SUBJECTS[stage]
    low, high = _LESSONS[stage]
    row["subject"] = people.picks(rng, list(shares), list(shares.values()), 1)[0] if active else "99"
    if active:
        row["weekly_lessons"] = str(low + int(chance[5] * (high - low + 1)))
        if stage == "1" and row["subject"] in ("02", "03") and chance[0] < 0.3:
            row["second_subjects"] = ["01"] if chance[0] < 0.15 else ["15"]


def _learning(row: Data, stage: str, age: int, joined: dt.date, chance: Chances) -> None:
    """Education, title by years of service, certificate, backbone, training."""
    served = NEWEST - joined.year
    best = 0.86 if stage in ("2", "3") else 0.62
    education = "21" if chance[0] < best else "31"
    if chance[0] < (0.12 if stage == "3" else 0.01):
        education = "14"
    elif stage in ("0", "1") and chance[0] > 0.97:
        education = "41"
    row["education_level"] = education
    title, after = "9", 0
    for code, years, share in (("4", 1, 1.0), ("3", 8, 0.78), ("2", 17, 0.42), ("1", 25, 0.012)):
        if served >= years and chance[2] < share:
            title, after = code, years
    row["teacher_title"] = title
    if title != "9":
        row["title_since"] = dt.date(min(joined.year + after, NEWEST - 1), 12, 1).isoformat()
    row["certificate_number"] = f"{NEWEST - served}99{row['staff_number']}00{stage}"
    if row["full_time"] and title in ("1", "2", "3") and chance[3] < _BACKBONE * 2:
        row["backbone"] = "3" if chance[3] < 0.01 else "2" if chance[3] < 0.04 else "1"
    row["training_hours"] = min(served, 5) * 72 + int(chance[5] * 40)


def _give_classes(staff: Staff, classes: Sequence[Klass]) -> None:
    """Each class of the newest year a teacher of its school and stage, nobody two."""
    free: dict[tuple[str, str], list[Teacher]] = {}
    for one in staff.teachers:
        if one.active and one.row["full_time"]:
            free.setdefault((one.school.code, str(one.row["stage"])), []).append(one)
    for klass in classes:
        listed = free.get((klass.school.code, stage_of(klass.grade(NEWEST), klass.special)), [])
        if listed:
            teacher = listed.pop(0)
            teacher.head_of = klass.code
            teacher.row["head_teacher_of"] = klass.code


def _give_fixed_names(staff: Staff, classes: Sequence[Klass]) -> None:
    """The class teachers whom the guide speaks of, in the order of the classes by grade."""
    heads = {(one.school.code, one.head_of): one for one in staff.teachers if one.head_of}
    for name, listed in load("county")["people"]["head_teachers"].items():
        own = sorted(
            (one for one in classes if one.school.name == name), key=lambda one: (one.grade(NEWEST), one.section)
        )
        for klass, person in zip(own, listed, strict=False):
            if (klass.school.code, klass.code) in heads:
                heads[klass.school.code, klass.code].row["name"] = person


def _head(staff: Staff, one: Klass) -> tuple[str, str]:
    for teacher in staff.by_school.get(one.school.code, []):
        if teacher.head_of == one.code:
            return str(teacher.row["name"]), str(teacher.row["staff_number"])
    return "待定", ""

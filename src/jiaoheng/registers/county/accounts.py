"""Accounts of the county: the bureau, districts, schools, and the places of the demonstration's sign-in page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import numpy as np

from jiaoheng.packs import load
from jiaoheng.registers.county import people
from jiaoheng.registers.county.classes import NEWEST, Klass
from jiaoheng.registers.county.model import CountyAccount, CountyMembership
from jiaoheng.registers.county.places import School, district_codes
from jiaoheng.registers.county.teachers import Teacher

SINCE = dt.date(2024, 8, 20)  # the system's first day
DEMO_SCHOOL = "柳渡镇中心小学"
DEMO_DISTRICT = "柳渡镇"
_TEACHERS = 3  # accounts of ordinary teachers in each school of the sample
_OFFICES = {"D1": "bgs", "D2": "rsg", "D3": "jjg", "D4": "twy", "D5": "aqg", "D6": "jys", "D7": "dds", "D8": "xxzx"}
_ROLE_OF = {"D6": "research", "D7": "inspector", "D8": "admin"}
_DEMO_OF = {"D3": "department", "D6": "research", "D7": "inspector", "D8": "admin"}


def make_accounts(
    schools: Sequence[School],
    classes: Sequence[Klass],
    staff: Mapping[str, Sequence[Teacher]],
    leaders: Mapping[str, str],
    rng: np.random.Generator,
) -> list[CountyAccount]:
    """All accounts. User names: 10-digit school codes for clerks, that code with x for principals, staff numbers for teachers."""
    found = _bureau()
    found += _districts(rng)
    found += _schools(schools, leaders, rng)
    found += _teachers(schools, classes, staff)
    return found


def _one(
    username: str,
    name: str,
    role: str,
    unit: str,
    number: int,
    demo: str = "",
    since: dt.date = SINCE,
    until: dt.date | None = None,
) -> CountyAccount:
    phone = people.phones(800_000 + number, 1)[0]
    member = CountyMembership(role, unit, since, until)
    return CountyAccount(username, name, unit, (member,), phone, demo)


def _bureau() -> list[CountyAccount]:
    pack = load("county")
    county, named = pack["county"]["code"], pack["people"]
    found = [_one("jz01", named["leader"], "leader", county, 1, "leader")]
    for number, office in enumerate(pack["departments"], 2):
        key = office["code"].rpartition("-")[2]
        role = _ROLE_OF.get(key, "department")
        unit = county if role == "admin" else office["code"]
        account = _one(f"{_OFFICES[key]}01", named[key], role, unit, number, _DEMO_OF.get(key, ""))
        found.append(
            CountyAccount(
                account.username, account.name, office["code"], account.memberships, account.phone, account.demo
            )
        )
    return found


def _districts(rng: np.random.Generator) -> list[CountyAccount]:
    named = load("county")["people"]["districts"]
    codes = district_codes()
    names = people.names(rng.random(2 * len(codes)) < 0.5, rng)
    found = []
    for number, (district, code) in enumerate(codes.items()):
        demo = "district" if district == DEMO_DISTRICT else ""
        found.append(
            _one(f"xq{number + 1:02d}", named.get(district, names[number]), "district", code, 20 + number, demo)
        )
        other = names[len(codes) + number]
        found.append(_one(f"xz{number + 1:02d}", other, "township", code, 40 + number, "township" if demo else ""))
    return found


def _schools(schools: Sequence[School], leaders: Mapping[str, str], rng: np.random.Generator) -> list[CountyAccount]:
    named = load("county")["people"]["clerks"]
    names = people.names(rng.random(len(schools)) < 0.7, rng)
    found = []
    for school, spare in zip(schools, names, strict=True):
        clerk, demo = named.get(school.name, spare), school.name == DEMO_SCHOOL
        since = max(SINCE, school.starts_on)
        number = 100 + 2 * school.index
        until = school.ends_on
        found.append(_one(school.code, clerk, "clerk", school.code, number, "clerk" if demo else "", since, until))
        head = leaders[school.code]
        found.append(
            _one(
                f"{school.code}x", head, "principal", school.code, number + 1, "principal" if demo else "", since, until
            )
        )
    return found


def _teachers(
    schools: Sequence[School], classes: Sequence[Klass], staff: Mapping[str, Sequence[Teacher]]
) -> list[CountyAccount]:
    """In a tenth of the schools: every class teacher (for the own class) and a few other teachers."""
    rooms = {(one.school.code, one.code): one for one in classes if one.grade(NEWEST)}
    found = []
    for school in schools:
        if (school.index % 10 and school.name not in load("county")["people"]["principals"]) or school.ends_on:
            continue
        plain = 0
        first = True
        for one in sorted(
            staff.get(school.code, []), key=lambda each: (each.head_of == "", str(each.row["staff_number"]))
        ):
            username, name = f"t{one.row['staff_number']}", str(one.row["name"])
            phone = str(one.row["phone"])
            demo_school = school.name == DEMO_SCHOOL
            if one.head_of:
                unit = rooms[school.code, one.head_of].unit
                begin = max(SINCE, dt.date(NEWEST, 9, 1))
                members: tuple[CountyMembership, ...] = (
                    CountyMembership("class_teacher", unit, begin),
                    CountyMembership("teacher", school.code, begin),
                )
                demo = "class_teacher" if demo_school and name == "温如玉" else ""
            elif plain < _TEACHERS and one.row["full_time"]:
                plain += 1
                members = (CountyMembership("teacher", school.code, max(SINCE, one.came)),)
                demo = "teacher" if demo_school and first else ""
                first = False
            else:
                continue
            found.append(CountyAccount(username, name, school.code, members, phone, demo))
    return found

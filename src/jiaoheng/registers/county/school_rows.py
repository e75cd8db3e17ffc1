"""The standing form of each school, and the changes that were made to some of them later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import numpy as np

from jiaoheng.packs import load
from jiaoheng.registers.county import people
from jiaoheng.registers.county.classes import stage_of
from jiaoheng.registers.county.places import GRADES, School
from jiaoheng.registers.county.teachers import Teacher
from jiaoheng.registers.model import Data

_LENGTH = {"111": 3, "211": 6, "218": 3, "311": 3, "312": 9, "341": 6, "342": 3, "345": 12, "366": 3, "514": 9}
_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def principals(
    schools: Sequence[School], staff: Mapping[str, Sequence[Teacher]], rng: np.random.Generator
) -> dict[str, str]:
    """School code → principal: those whom the pack names, else the oldest teacher who has no class."""
    named = load("county")["people"]["principals"]
    found = {}
    spare = people.names(rng.random(len(schools)) < 0.4, rng)
    for at, one in enumerate(schools):
        own = [each for each in staff.get(one.code, []) if not each.head_of]
        oldest = max(own, key=lambda each: each.age).row["name"] if own else spare[at]
        found[one.code] = named.get(one.name, str(oldest))
    return found


def school_rows(schools: Sequence[School], leaders: Mapping[str, str], rng: np.random.Generator) -> list[Data]:
    """One form for each school, under the name it has now."""
    villages = load("county")["villages"]
    rows: list[Data] = []
    for one in schools:
        since = int(rng.integers(2019, 2026))
        stages = sorted(
            {stage_of(grade, one.kind == "514") for grade in GRADES[one.kind]} | ({"0"} if one.pre else set())
        )
        place = "城区槐阳路" if one.town else f"{one.township}{villages[one.index % len(villages)]}村"
        start = max(dt.date(since, 8, 1), one.starts_on)
        row: Data = {
            "school_code": one.code,
            "school_name": one.name,
            "short_name": one.name.removeprefix("青槐县").removeprefix(one.township),
            "school_kind": one.kind,
            "ownership": "999" if one.private else "831",
            "urban_rural": one.locality,
            "stages": stages,
            "length_of_schooling": _LENGTH[one.kind],
            "founded_on": one.founded.isoformat(),
            "credit_code": credit_code(one.index),
            "principal": leaders[one.code],
            "principal_phone": people.phones(700_000 + one.index, 1)[0],
            "principal_since": start.isoformat(),
            "principal_until": dt.date(max(2028, start.year + 4), 7, 31).isoformat(),
            "party_secretary": leaders[one.code],
            "office_phone": f"0999-8{one.index:06d}",
            "address": f"青槐县{place}{one.index % 90 + 1}号",
            "postcode": "999990",
            "land_right": "4" if one.private and one.kind == "111" else "1" if one.index % 6 else "2",
            "boarding_school": one.boarding >= 0.3,
        }
        if one.private:
            row["licence_number"] = f"教民1990000{one.code[-3:]}号"
        if one.kind in ("211", "311", "312", "218"):
            near = [villages[(one.index + step) % len(villages)] for step in range(3)]
            row["service_area"] = "、".join(f"{name}村" for name in near)
        rows.append(row)
    return rows


def credit_code(number: int) -> str:
    """A unified social credit code of the fictitious area 990000 with its right last sign (GB 32100—2015)."""
    body = f"12990000{number:08d}K"
    total = sum(_SIGNS.index(sign) * 3**place % 31 for place, sign in enumerate(body))
    return body + _SIGNS[(31 - total % 31) % 31]


def earlier(schools: Sequence[School], rows: Sequence[Data], rng: np.random.Generator) -> list[Data]:
    """The forms as they were in autumn 2024: old names, and other principals where they changed since."""
    names = people.names(rng.random(len(rows)) < 0.4, rng)
    found: list[Data] = []
    for at, (school, row) in enumerate(zip(schools, rows, strict=True)):
        old = dict(row)
        if "was" in school.options:
            old["school_name"] = str(school.options["was"])
            old["short_name"] = str(school.options["was"]).removeprefix(school.township)
        if str(row["principal_since"]) >= "2024-09-10":
            old |= {
                "principal": names[at],
                "party_secretary": names[at],
                "principal_since": max(dt.date(2020, 8, 1), school.starts_on).isoformat(),
                "principal_until": "2025-07-31",
            }
        found.append(old)
    return found

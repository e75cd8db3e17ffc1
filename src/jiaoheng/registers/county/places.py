"""Units of the county: departments, districts, schools with what the pack says of them, and their history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jiaoheng.packs import load
from jiaoheng.registers.county.model import CountyUnit, UnitEvent, UnitFact, UnitParent

COUNTY_START = dt.date(1949, 10, 1)
DISTRICT_START = dt.date(1950, 1, 1)
YEARS = (2024, 2025, 2026)  # school years with records
_CODE_KINDS = {"1": "11", "2": "21", "311": "31", "312": "31", "34": "34", "36": "36", "51": "51"}
_SMALL_SECTIONS = 0.2  # of the sections a grade has, in a county for tests
_DOCUMENT = "青槐教〔{year}〕{number}号"


@dataclass(frozen=True, slots=True)
class School:
    """A school as the generators see it; `index` counts schools, those that ended included."""

    index: int
    code: str
    name: str
    kind: str
    district: str  # newest parent: a district's code or the county's
    township: str
    sections: tuple[int, ...]  # classes of each grade in the newest year
    pre: int  # attached preschool classes
    locality: str
    private: bool
    direct: bool
    boarding: float
    founded: dt.date
    starts_on: dt.date
    ends_on: dt.date | None
    options: Mapping[str, Any]

    @property
    def town(self) -> bool:
        """In the county seat."""
        return self.locality in ("111", "112")

    @property
    def rural(self) -> bool:
        """In a village or the middle of a 乡."""
        return self.locality in ("210", "220")

    def district_on(self, day: dt.date) -> str:
        """Code of the parent on a day."""
        moved = self.options.get("moved")
        return district_codes()[self.options["from"]] if moved is not None and day < moved else self.district

    def open_in(self, year: int) -> bool:
        """Whether it teaches in the autumn of a school year."""
        day = dt.date(year, 10, 15)
        return self.starts_on <= day and (self.ends_on is None or day < self.ends_on)


GRADES: dict[str, tuple[str, ...]] = {
    "111": ("K1", "K2", "K3"),
    "211": ("01", "02", "03", "04", "05", "06"),
    "218": ("01", "02", "03"),
    "311": ("07", "08", "09"),
    "312": ("01", "02", "03", "04", "05", "06", "07", "08", "09"),
    "341": ("07", "08", "09", "10", "11", "12"),
    "342": ("10", "11", "12"),
    "345": ("01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12"),
    "366": ("V1", "V2", "V3"),
    "514": ("01", "02", "03", "04", "05", "06", "07", "08", "09"),
}


def make_schools(scale: float, rng: np.random.Generator) -> list[School]:
    """All schools, or a share of them that keeps every kind, the schools with a history and those with fixed people."""
    pack = load("county")
    districts = district_codes()
    entries = [(township, entry) for township, listed in pack["schools"].items() for entry in listed]
    kept = _kept(entries, scale)
    schools: list[School] = []
    for serial, (township, (name, kind, sections, locality, options)) in enumerate(entries):
        founded = _founded(kind, options, rng)
        if serial not in kept:
            continue
        grades = GRADES[kind]
        listed = tuple(sections) if isinstance(sections, list) else (sections,) * len(grades)
        if scale < 1:
            listed = tuple(max(1, round(one * max(scale, _SMALL_SECTIONS))) for one in listed)
        direct = bool(options.get("direct"))
        schools.append(
            School(
                index=len(schools),
                code=f"{_code_kind(kind)}{pack['county']['province']}{990001 + serial}",
                name=name,
                kind=kind,
                district=pack["county"]["code"] if direct else districts[township],
                township="槐阳镇" if direct else township,
                sections=listed,
                pre=options.get("pre", 0),
                locality=locality,
                private=bool(options.get("private")),
                direct=direct,
                boarding=float(options.get("boarding", 0)),
                founded=founded,
                starts_on=options.get("start", founded),
                ends_on=options.get("end"),
                options=options,
            )
        )
    return schools


def district_codes() -> dict[str, str]:
    """District name → code."""
    pack = load("county")
    return {name: f"{pack['county']['code']}-X{number:02d}" for number, name in enumerate(pack["districts"], 1)}


def _kept(entries: Sequence[tuple[str, Sequence[Any]]], scale: float) -> set[int]:
    if scale >= 1:
        return set(range(len(entries)))
    pack = load("county")
    named = {*pack["mergers"].values(), *pack["fixed"], *pack["people"]["principals"]}
    kept: set[int] = set()
    seen: dict[str, int] = {}
    for serial, (_township, (name, kind, _sections, _locality, options)) in enumerate(entries):
        number = seen.get(kind, 0)
        seen[kind] = number + 1
        history = set(options) & {"end", "start", "moved", "renamed"}
        if number < 1 or history or name in named or int(number * scale) > int((number - 1) * scale):
            kept.add(serial)
    return kept


def _code_kind(kind: str) -> str:
    return next(code for start, code in _CODE_KINDS.items() if kind.startswith(start))


def _founded(kind: str, options: Mapping[str, Any], rng: np.random.Generator) -> dt.date:
    year = int(rng.integers(1951, 1998)) if kind not in ("111", "345") else int(rng.integers(1999, 2019))
    if options.get("private"):
        year = int(rng.integers(2003, 2019))
    return options.get("start") or dt.date(year, 9, 1)


def school_unit(school: School) -> CountyUnit:
    """A school with its names and parents through time."""
    options, start, end = school.options, school.starts_on, school.ends_on
    short = school.name.removeprefix("青槐县").removeprefix(school.township)
    facts: tuple[UnitFact, ...] = (UnitFact(start, end, school.name, school.kind, short),)
    if "was" in options:
        changed = options["renamed"]
        old = UnitFact(start, changed, options["was"], school.kind, options["was"].removeprefix(school.township))
        facts = (old, UnitFact(changed, end, school.name, school.kind, short))
    parents: tuple[UnitParent, ...] = (UnitParent(start, end, school.district),)
    if "from" in options:
        moved = options["moved"]
        parents = (
            UnitParent(start, moved, district_codes()[options["from"]]),
            UnitParent(moved, end, school.district),
        )
    ownership = "999" if school.private else "831"
    return CountyUnit(school.code, "school", start, end, facts, parents, ownership, school.locality, school.township)


def upper_units() -> list[CountyUnit]:
    """The county, its departments and districts."""
    pack = load("county")
    code, name = pack["county"]["code"], pack["county"]["name"]
    found = [CountyUnit(code, "county", COUNTY_START, None, (UnitFact(COUNTY_START, None, name, "", name),))]
    for one in pack["departments"]:
        fact = UnitFact(COUNTY_START, None, f"{pack['county']['bureau']}{one['name']}", "", one["name"])
        parent = UnitParent(COUNTY_START, None, code)
        found.append(CountyUnit(one["code"], "department", COUNTY_START, None, (fact,), (parent,)))
    for district, own in district_codes().items():
        fact = UnitFact(DISTRICT_START, None, f"{district}学区", "", district)
        parent = UnitParent(DISTRICT_START, None, code)
        found.append(CountyUnit(own, "district", DISTRICT_START, None, (fact,), (parent,), township=district))
    return found


def school_events(schools: Sequence[School]) -> list[UnitEvent]:
    """Mergers, closures, moves, renames and new schools, in order of time."""
    pack, districts = load("county"), district_codes()
    by_name = {one.name: one for one in schools}
    found: list[UnitEvent] = []
    for one in schools:
        options = one.options
        if one.ends_on is not None:
            receiver = by_name.get(pack["mergers"].get(one.name, ""))
            kind, other = ("merge", receiver.code) if receiver else ("close", "")
            reason = f"并入{receiver.name}，学生整体转入" if receiver else "生源不足 10 名，学生转入乡中心小学"
            found.append(UnitEvent(kind, one.ends_on, one.code, other, reason=reason, document=_paper(one.ends_on, 31)))
        if "moved" in options:
            before, day = districts[options["from"]], options["moved"]
            reason = "乡镇区划调整，学校随村划转"
            found.append(UnitEvent("move", day, one.code, "", before, one.district, reason, _paper(day, 32)))
        if "renamed" in options:
            day = options["renamed"]
            reason = "城区小学统一按序号命名"
            found.append(UnitEvent("rename", day, one.code, "", options["was"], one.name, reason, _paper(day, 33)))
        if "start" in options:
            day = options["start"]
            found.append(UnitEvent("open", day, one.code, reason="城区新增学位，新建学校", document=_paper(day, 34)))
    return sorted(found, key=lambda one: (one.happened_on, one.unit))


def _paper(day: dt.date, number: int) -> str:
    return _DOCUMENT.format(year=day.year, number=number)

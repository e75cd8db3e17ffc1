"""School conditions, posts, subject staffing and preschool figures: what schools report once a year."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from jiaoheng.packs import load
from jiaoheng.registers.county.classes import NEWEST, Klass, stage_of
from jiaoheng.registers.county.places import School
from jiaoheng.registers.county.teachers import Staff, Teacher
from jiaoheng.registers.model import Data

_RATIO = {
    "1": 19.0,
    "2": 13.5,
    "3": 12.5,
    "4": 12.5,
    "5": 4.0,
    "0": 12.0,
}  # 中央编办发〔2014〕72号; special and preschool: county's own
# ㎡ of teaching rooms, sports grounds and land for one pupil: mean and spread over schools
_TEACHING, _SPORTS, _LAND = (5.6, 0.9), (8.6, 1.8), (24.0, 6.0)
_VALUE, _BOOKS, _COMPUTERS, _ROOMS = (2450, 420), (26, 5), (0.11, 0.025), (2.75, 0.35)
_HOURS = {"01": 2, "02": 7, "03": 5, "04": 3, "05": 3, "06": 3, "07": 3, "08": 2, "09": 2, "10": 2, "11": 1, "12": 4, "13": 2, "14": 2, "15": 1, "18": 1}  # fmt: skip
_LOAD = {"02": 14, "03": 14, "04": 15, "12": 17, "13": 17, "14": 17}
_OTHER_LOAD = 15


@dataclass(slots=True)
class YearSums:
    """A school in a school year: classes, pupils and boarders by stage, from its class rows."""

    classes: dict[str, int]
    pupils: dict[str, int]
    boarders: int = 0

    @property
    def all_classes(self) -> int:
        """Classes of all stages."""
        return sum(self.classes.values())

    @property
    def all_pupils(self) -> int:
        """Pupils of all stages."""
        return sum(self.pupils.values())


def sums_by_school(units: Sequence[str], rows: Sequence[Data]) -> dict[str, YearSums]:
    """School code → sums of its class rows."""
    found: dict[str, YearSums] = {}
    for unit, row in zip(units, rows, strict=True):
        own = found.setdefault(unit, YearSums({}, {}))
        stage = stage_of(str(row["grade"]), row["class_kind"] == "4")
        own.classes[stage] = own.classes.get(stage, 0) + 1
        own.pupils[stage] = own.pupils.get(stage, 0) + int(str(row["total"]))
        own.boarders += int(str(row["boarders"]))
    return found


@dataclass(slots=True)
class Buildings:
    """What stands at a school, for one pupil of its best year; grows a little from year to year."""

    teaching: float
    sports: float
    land: float
    value: float
    books: float
    computers: float
    rooms: float
    indoor: int


def make_buildings(schools: Sequence[School], rng: np.random.Generator) -> dict[str, Buildings]:
    """School code → what it has for one pupil."""
    found = {}
    for one in schools:
        rich = 1.12 if one.rural else 0.94 if one.town else 1.0  # few pupils share what a village school has
        draw = partial(_draw, rng, rich)
        indoor = 600 if one.kind in ("342", "341", "345") else 300 if one.town and one.kind == "311" else 0
        found[one.code] = Buildings(
            teaching=draw(*_TEACHING),
            sports=draw(*_SPORTS),
            land=draw(*_LAND),
            value=draw(*_VALUE),
            books=draw(*_BOOKS),
            computers=draw(*_COMPUTERS),
            rooms=draw(*_ROOMS),
            indoor=indoor,
        )
    return found


def _draw(rng: np.random.Generator, factor: float, mean: float, spread: float) -> float:
    """What one pupil has; never less than the poorest schools."""
    return max(0.45 * mean, float(rng.normal(mean, spread))) * factor


def condition_row(
    school: School,
    year: int,
    sums: YearSums,
    staff: Sequence[Teacher],
    built: Buildings,
    most: int,
    reporter: str,
    phone: str,
) -> Data:
    """The form of a school and year; `most`: pupils of its fullest year, for whom the rooms were built."""
    pupils, classes = sums.all_pupils, sums.all_classes
    back = NEWEST - year
    count = _then(len(staff), back, school.index)
    full = min(count, _then(sum(bool(one.row["full_time"]) for one in staff), back, school.index))
    row: Data = {
        "classes": classes,
        "pupils": pupils,
        "boarders": sums.boarders,
        "teachers": count,
        "full_time_teachers": full,
        "above_standard_teachers": min(full, _then(_above(staff), back, school.index)),
        "backbone_teachers": min(full, max(0, sum("backbone" in one.row for one in staff) - back // 2)),
        "arts_sports_teachers": min(full, sum(one.row["subject"] in ("12", "13", "14") for one in staff)),
        "land_area": _area(built.land * most),
        "building_area": _area(built.teaching * most * 1.7 + built.indoor + (sums.boarders * 4.5)),
        "teaching_area": _area(built.teaching * most + built.indoor),
        "indoor_sports_area": _area(built.indoor),
        "sports_area": _area(built.sports * most),
        "books": round(built.books * most * (1 - 0.06 * back)),
        "equipment_value": _number(built.value * most * (1 - 0.09 * back) / 10000, 2),
        "reporter": reporter,
        "reporter_phone": phone,
    }
    computers = round(built.computers * most * (1 - 0.08 * back))
    if year < 2025:
        return row | {"pc_count": computers, "projectors": max(1, classes // 2)}
    need = math.ceil(classes / 12)
    return row | {
        "dangerous_area": "0",
        "music_rooms": max(0, need - (school.index % 5 == 0)),
        "art_rooms": max(0, need - (school.index % 7 == 0)),
        "computers": computers,
        "pupil_computers": round(computers * 0.7),
        "multimedia_rooms": max(1, min(classes + 4, round(built.rooms * most / 100))),
        "network": "1" if not school.rural or school.index % 3 else "2",
    }


def large_class_plan(sizes: Sequence[int], large: int, huge: int) -> Data:
    """What a school is given to do away with: a quarter of its oversize classes, rounded, all the super ones at least."""
    found, super_ones = sum(one >= large for one in sizes), sum(one >= huge for one in sizes)
    return {
        "classes": len(sizes),
        "large": found,
        "super_large": super_ones,
        "quota": max(super_ones, (found + 2) // 4),
        "finish_by": f"{NEWEST + 1}-07-10",
        "document": f"青教发〔{NEWEST}〕31号",
    }


def _then(number: int, back: int, salt: int) -> int:
    """A number some years ago: a little fewer or more, by school."""
    return max(1, number - back * ((salt % 3) - 1)) if number else 0


def _above(staff: Sequence[Teacher]) -> int:
    """高于规定学历: 专科 and better in primary and preschool, 本科 and better from junior on."""
    found = 0
    for one in staff:
        enough = ("11", "14", "21", "31") if one.row["stage"] in ("0", "1") else ("11", "14", "21")
        found += bool(one.row["full_time"]) and one.row["education_level"] in enough
    return found


def _area(value: float) -> str:
    return _number(value, 2)


def _number(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}".rstrip("0").rstrip(".")
    return text or "0"


def post_row(school: School, year: int, sums: YearSums, staff: Sequence[Teacher], rng: np.random.Generator) -> Data:
    """Posts of a school and year: approved by the ratio of staff to pupils, filled by those in the roster."""
    approved = math.ceil(sum(count / _RATIO[stage] for stage, count in sums.pupils.items()))
    inside = [one for one in staff if one.row["staff_kind"] in ("1", "3")]
    back = NEWEST - year
    drop = min(len(inside) // 10, back) if school.index % 2 else 0
    inside = inside[drop:]
    filled = len(inside)
    approved = max(approved, math.ceil(sums.all_classes * 1.8), filled - filled // 20) if not school.private else 0
    if school.private:
        inside, filled = [], 0
    titles = [str(one.row["teacher_title"]) for one in inside]
    ages = np.array([one.age - back for one in inside])
    senior, middle = sum(one in ("1", "2") for one in titles), titles.count("3")
    return {
        "approved": approved,
        "filled_posts": filled,
        "vacant": max(0, approved - filled),
        "contract_teachers": sum(one.row["staff_kind"] == "4" for one in staff),
        "special_post_teachers": sum(one.row["staff_kind"] == "3" for one in inside),
        "senior_posts": max(senior, math.ceil(approved * 0.25)),
        "senior_filled": senior,
        "middle_posts": max(middle, math.ceil(approved * 0.45)),
        "middle_filled": middle,
        "junior_filled": filled - senior - middle - titles.count("9"),
        "under_35": int((ages < 35).sum()) if filled else 0,
        "from_35_to_44": int(((ages >= 35) & (ages < 45)).sum()) if filled else 0,
        "from_45_to_54": int(((ages >= 45) & (ages < 55)).sum()) if filled else 0,
        "over_54": int((ages >= 55).sum()) if filled else 0,
        "recruited": 0,
        "exchanged_out": 0,
        "exchanged_in": 0,
        "backbone_exchanged_out": 0,
        "retired": int(rng.binomial(max(filled, 1), 0.02)),
    }


def share_out(rows: Sequence[Data], field: str, total: int, weights: Sequence[float], rng: np.random.Generator) -> None:
    """Spread a total of the county over rows by weight; the sum is exact."""
    shares = np.array(weights, dtype=float)
    for row, count in zip(rows, rng.multinomial(total, shares / shares.sum()).tolist(), strict=True):
        row[field] = count


def exchanges(rows: Sequence[Data], share: float, rng: np.random.Generator) -> None:
    """Teachers who changed schools this year: as many leave as come, backbone teachers among them, and those newly hired."""
    totals = load("county")["totals"]
    weights = [float(str(row["filled_posts"])) for row in rows]
    exchanged, backbone = round(totals["exchanged"] * share), round(totals["exchanged_backbone"] * share)
    share_out(rows, "exchanged_out", exchanged, weights, rng)
    share_out(rows, "exchanged_in", exchanged, weights, rng)
    share_out(rows, "recruited", round(totals["recruited"] * share), weights, rng)
    leaving = [row for row in rows for _one in range(int(str(row["exchanged_out"])))]
    for at in rng.permutation(len(leaving))[:backbone].tolist():
        leaving[at]["backbone_exchanged_out"] = int(str(leaving[at]["backbone_exchanged_out"])) + 1


def subject_rows(classes: Sequence[Klass], staff: Sequence[Teacher]) -> list[Data]:
    """Need and teachers of each stage and subject of a school in the newest year."""
    rooms: dict[str, int] = {}
    for one in classes:
        stage = stage_of(one.grade(NEWEST), one.special)
        rooms[stage] = rooms.get(stage, 0) + 1
    rows: list[Data] = []
    for stage, count in sorted(rooms.items()):
        if stage not in ("1", "2", "3"):
            continue
        teachers = [one for one in staff if one.row["stage"] == stage and one.row["full_time"]]
        subjects = sorted({str(one.row["subject"]) for one in teachers} | {"02", "03", "04", "12", "13", "14"})
        for subject in subjects:
            lessons = count * _HOURS.get(subject, 2)
            own = [one for one in teachers if one.row["subject"] == subject]
            rows.append(
                {
                    "stage": stage,
                    "subject": subject,
                    "weekly_lessons": lessons,
                    "teachers": len(own),
                    "qualified": len(own) - len(own) // 8,
                    "part_time": 0,
                    "needed": math.ceil(lessons / _LOAD.get(subject, _OTHER_LOAD)),
                }
            )
    return rows


def preschool_row(
    school: School, year: int, sums: YearSums, staff: Sequence[Teacher], grades: Mapping[str, int]
) -> Data:
    """Preschool figures of a kindergarten or of a school with preschool classes. `grades`: grade → children."""
    children = sums.pupils.get("0", 0)
    mixed = grades.get("K4", 0)
    three = grades.get("K1", 0) + mixed // 3
    four = grades.get("K2", 0) + mixed // 3
    nurses = sum(one.row["stage"] == "0" for one in staff)
    private = school.private
    row: Data = {
        "inclusive_kind": ("2" if school.index % 4 else "3") if private else "1",
        "attached": school.kind != "111",
        "classes": sums.classes.get("0", 0),
        "children": children,
        "age_3": three,
        "age_4": four,
        "age_5": children - three - four,
        "other_ages": 0,
        "staff": nurses + sums.classes.get("0", 0),
        "certified_teachers": nurses,
        "fee": ("680" if school.index % 2 else "720") if private else "260",
        "decision": "4",
    }
    if school.kind == "111" and private and school.index % 5 == 0:
        return row | {"decision": "2", "rectify_by": f"{year + 1}-03-01"}
    if school.kind == "111":
        row |= {"licence_number": f"教民990000{school.code[-3:]}号", "licence_until": f"{NEWEST + 2}-08-31"}
    else:
        row |= {"decision": "1"}
    return row


def populations(
    districts: Sequence[str], children: Mapping[str, int], total: int, year: int, rng: np.random.Generator
) -> list[Data]:
    """Children of 3 to 5 years of each district; the sum is the county's."""
    weights = np.array([children.get(one, 1) + 20 for one in districts], dtype=float)
    shares = rng.multinomial(total, weights / weights.sum()).tolist()
    rows: list[Data] = []
    for count in shares:
        three, four = round(count * 0.31), round(count * 0.33)
        rows.append(
            {
                "age_3": three,
                "age_4": four,
                "age_5": count - three - four,
                "total": count,
                "living_elsewhere": round(count * 0.18),
                "counted_on": f"{year}-10-15",
                "source_office": "县公安局户籍科",
            }
        )
    return rows


def of_school(classes: Sequence[Klass], school: School) -> list[Klass]:
    """Classes of one school."""
    return [one for one in classes if one.school is school]


def staff_of(staff: Staff, schools: Sequence[School]) -> dict[str, list[Teacher]]:
    """School code → working teachers."""
    return {one.code: staff.of(one) for one in schools}

"""Collection rounds: old ones that are through, and two open ones in the middle of their work."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from jiaoheng.packs import load
from jiaoheng.registers.county.model import (
    CommentSeed,
    CountyAccount,
    FilingSeed,
    PeriodKey,
    RoundSeed,
    StepSeed,
)
from jiaoheng.registers.county.places import School
from jiaoheng.registers.model import Data

BEIJING = ZoneInfo("Asia/Shanghai")
# the round of class sizes is over its date: so many schools of 114 stand in each state (the rest is approved)
_SIZES = {"late": 9, "returned": 6, "district": 13, "county": 17}
# the round of school conditions is still open
_CONDITIONS = {"empty": 24, "draft": 12, "returned": 8, "district": 14, "county": 17}
# schools whose state the guide and the pages speak of: rows filled of rows owed, None is all
LATE = {
    "柳渡镇第二初级中学": 0.0,
    "柳渡镇芦塘小学": 0.0,
    "柳渡镇杨湾小学": 0.75,
    "龙潭乡黑石小学": 0.0,
    "龙潭乡初级中学": 0.75,
    "云坪乡岭上小学": 0.0,
    "云坪乡九年一贯制学校": 0.95,
    "白石镇青冈小学": 0.85,
    "槐阳镇第五小学": 0.95,
}
RETURNED = ("柳渡镇中心小学", "桐岭镇桐花小学", "桐岭镇初级中学", "双溪镇第二小学", "枫林镇中心小学", "南坝镇沙坡小学")
_EMPTY_CONDITIONS = ("柳渡镇中心小学",)  # the demonstration's clerk starts with an empty form
_RETURNED_CONDITIONS = ("桐岭镇桐花小学", "龙潭乡中心小学")


@dataclass(frozen=True, slots=True)
class People:
    """Who acts: user names by unit code."""

    clerks: Mapping[str, str]
    districts: Mapping[str, str]
    office: str

    @classmethod
    def of(cls, accounts: Sequence[CountyAccount]) -> People:
        """From the accounts; the office is the one that opens these rounds."""
        clerks = {m.unit: one.username for one in accounts for m in one.memberships if m.role == "clerk"}
        districts = {m.unit: one.username for one in accounts for m in one.memberships if m.role == "district"}
        return cls(clerks, districts, next(one.username for one in accounts if one.demo == "department"))


def moment(day: dt.date, hour: int = 9, minute: int = 0) -> dt.datetime:
    """A moment by the clock of the county."""
    return dt.datetime(day.year, day.month, day.day, hour, minute, tzinfo=BEIJING)


def in_office(at: dt.datetime, latest: dt.datetime) -> dt.datetime:
    """The first moment from `at` on, by the clock of its zone, at which an office sits (a weekday from 8 to 18 o'clock).

    Whole days before it where that lies after `latest`.
    """
    if not 8 <= at.hour < 18:
        at += dt.timedelta(hours=8 if at.hour < 8 else 14)
    while at.weekday() > 4:
        at += dt.timedelta(days=1)
    while at > latest or at.weekday() > 4:
        at -= dt.timedelta(days=1)
    return at


def states(
    schools: Sequence[School], wanted: Mapping[str, int], first: Mapping[str, Sequence[str]], rng: np.random.Generator
) -> dict[str, str]:
    """School code → state: the named schools first, the others by chance; numbers shrink with a small county."""
    names = {one.name: one.code for one in schools}
    share = min(1.0, len(schools) / 114)
    found = {names[name]: state for state, listed in first.items() for name in listed if name in names}
    direct = {one.code for one in schools if one.direct}
    rest = [one.code for one in schools if one.code not in found]
    order = [rest[at] for at in rng.permutation(len(rest)).tolist()]
    for state, number in wanted.items():
        missing = max(1, round(number * share)) - sum(one == state for one in found.values())
        # no district looks at a school that stands directly below the county
        able = [code for code in order if state != "district" or code not in direct][: max(0, missing)]
        found |= dict.fromkeys(able, state)
        order = [code for code in order if code not in found]
    return found | dict.fromkeys(order, "approved")


def size_states(schools: Sequence[School], rng: np.random.Generator) -> dict[str, str]:
    """States of the round of class sizes."""
    return states(schools, _SIZES, {"late": tuple(LATE), "returned": RETURNED}, rng)


def condition_states(schools: Sequence[School], rng: np.random.Generator) -> dict[str, str]:
    """States of the round of school conditions."""
    return states(schools, _CONDITIONS, {"empty": _EMPTY_CONDITIONS, "returned": _RETURNED_CONDITIONS}, rng)


def filled_rows(school: School, state: str, owed: int) -> int:
    """How many of the rows a school has filled in."""
    if state == "empty":
        return 0
    if state == "late":
        share = LATE.get(school.name, 0.5)
        return min(owed - 1, int(owed * share)) if share else 0
    return owed


def filing(
    school: School,
    state: str,
    owed: int,
    filled: int,
    opened: dt.date,
    due: dt.date,
    now: dt.datetime,
    actors: People,
    rng: np.random.Generator,
    comments: Callable[[School], Sequence[tuple[tuple[str, ...], str, object, str]]],
) -> FilingSeed:
    """One school's way through a round, with steps that fit its state."""
    if state in ("late", "draft", "empty"):
        real = "empty" if filled == 0 else "draft"
        touched = moment(due - dt.timedelta(days=int(rng.integers(0, 4))), int(rng.integers(8, 18))) if filled else None
        if touched is not None and touched > now:
            touched = now - dt.timedelta(hours=int(rng.integers(2, 70)))
        reminded = now - dt.timedelta(hours=25) if state == "late" and school.index % 2 else None
        return FilingSeed(school.code, real, filled, owed, touched, reminded_at=reminded)
    span = max(1, min((due - opened).days, (now.date() - opened).days - 3))
    sent = moment(
        opened + dt.timedelta(days=int(rng.integers(0, span))), int(rng.integers(9, 18)), int(rng.integers(0, 60))
    )
    clerk = actors.clerks[school.code]
    steps = [StepSeed("submit", "school", clerk, sent)]
    first = actors.office if school.direct else actors.districts[school.district_on(opened)]
    level = "county" if school.direct else "district"
    if state == "district":
        return FilingSeed(school.code, state, owed, owed, sent, tuple(steps))
    looked = in_office(sent + dt.timedelta(hours=int(rng.integers(20, 60))), now - dt.timedelta(hours=3))
    if state == "returned":
        remarks = tuple(
            CommentSeed(key, field, value, text, first, looked) for key, field, value, text in comments(school)
        )
        steps.append(StepSeed("return", level, first, looked, _reason(remarks)))
        until = moment(now.date() + dt.timedelta(days=3), 17, 30)
        return FilingSeed(school.code, state, owed, owed, looked, tuple(steps), remarks, until)
    if not school.direct:
        steps.append(StepSeed("approve", "district", first, looked))
    if state == "county":
        return FilingSeed(school.code, state, owed, owed, steps[-1].at, tuple(steps))
    done = in_office(looked + dt.timedelta(hours=int(rng.integers(3, 30))), now - dt.timedelta(hours=1))
    done = max(done, looked + dt.timedelta(minutes=20))
    steps.append(StepSeed("approve", "county", actors.office, done))
    return FilingSeed(school.code, "approved", owed, owed, done, tuple(steps))


def _reason(remarks: Sequence[CommentSeed]) -> str:
    return f"{len(remarks)} 格要改，其余没有问题" if remarks else "请补充说明"


def size_comments(
    rows: Mapping[str, Sequence[Data]],
) -> Callable[[School], list[tuple[tuple[str, ...], str, object, str]]]:
    """Remarks of a district at class rows: numbers that pass every check and are still doubted."""

    def remarks(school: School) -> list[tuple[tuple[str, ...], str, object, str]]:
        own = rows.get(school.code, [])
        if not own:
            return []
        first = own[0]
        found: list[tuple[tuple[str, ...], str, object, str]] = [
            (
                (str(first["class_code"]),),
                "room_area",
                first["room_area"],
                f"校舍台账同一间不是 {first['room_area']} ㎡，请核对后改。",
            )
        ]
        if school.name == "柳渡镇中心小学" and len(own) > 3:
            second, third = own[1], own[2]
            found.append(
                (
                    (str(second["class_code"]),),
                    "total",
                    second["total"],
                    "与学生花名册在读人数差 1 名，请核对男、女生。",
                )
            )
            found.append(
                (
                    (str(third["class_code"]),),
                    "head_teacher",
                    third["head_teacher"],
                    "这位老师 9 月已调出，请填现任班主任。",
                )
            )
        return found

    return remarks


def condition_comments(rows: Mapping[str, Data]) -> Callable[[School], list[tuple[tuple[str, ...], str, object, str]]]:
    """Remarks at the form of school conditions."""

    def remarks(school: School) -> list[tuple[tuple[str, ...], str, object, str]]:
        row = rows[school.code]
        listed = [
            ("books", "比去年多出不少，请核对图书账，属实的写明购置时间。"),
            ("sports_area", "运动场改造还没有验收，请按验收面积填。"),
            ("teachers", "与教师花名册差 1 名，请核对。"),
        ]
        field, text = listed[school.index % len(listed)]
        return [((), field, row[field], text)]

    return remarks


def make_round(
    key: str, register: str, period: PeriodKey, title: str, opened: dt.date, due: dt.date, reference: dt.date,
    filings: Sequence[FilingSeed], actors: People, note: str = "", closed: dt.date | None = None,
) -> RoundSeed:  # fmt: skip
    """A round of the basic education office."""
    office = next(one["code"] for one in load("county")["departments"] if one["name"] == "基础教育股")
    return RoundSeed(
        key, register, period, title, office, actors.office, moment(opened, 8, 30), moment(due, 17, 30), reference,
        tuple(filings), note, moment(closed, 18) if closed else None,
    )  # fmt: skip

"""How moments, units and states are said on every page and message of a round."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.ledgers.models import Filing, FilingStep, Round

WEEKDAYS = "一二三四五六日"
LEVELS = {"school": "学校", "district": "学区", "county": "局", "class": "班级"}
READ_LEVELS = {"district": "学区已审", "county": "县级已审"}
MOST_NAMES = 10


def stamp(moment: dt.datetime) -> str:
    """10-06 10:00, Beijing time: short enough for a sentence."""
    return f"{clock.local(moment):%m-%d %H:%M}"


def day_words(moment: dt.datetime | None, today: dt.date) -> str:
    """今天 08:40, 昨天 16:05, 11 月 20 日, 2024 年 11 月 20 日; "" for none."""
    if moment is None:
        return ""
    local = clock.local(moment)
    gap = (today - local.date()).days
    if gap in (0, 1):
        return f"{'今天' if gap == 0 else '昨天'} {local:%H:%M}"
    return clock.day_words(local.date(), today)


def due_words(moment: dt.datetime, today: dt.date) -> str:
    """11 月 20 日（周五）17:30; a deadline at the end of a day is said without its time."""
    local = clock.local(moment)
    time = "" if (local.hour, local.minute) == (23, 59) else f"{local:%H:%M}"
    if local.date() == today:
        return f"今天 {time}".strip()
    return f"{clock.day_words(local.date(), today)}（周{WEEKDAYS[local.weekday()]}）{time}"


def spaced(word: str, due: str) -> str:
    """截止 11 月 20 日, 截止今天 17:30: a space before a figure only."""
    return f"{word} {due}" if due[:1].isdigit() else f"{word}{due}"


def names_words(names: Sequence[str]) -> str:
    """A、B、C 等 12 所: the first names and how many there are."""
    if len(names) <= MOST_NAMES:
        return "、".join(names)
    return f"{'、'.join(names[:MOST_NAMES])} 等 {len(names)} 所"


def measure_of(level: str) -> str:
    """How units of a register's level are counted: 所 for schools."""
    return {"school": "所", "class": "个班", "district": "个学区"}.get(level, "个单位")


def state_words(filing: Filing) -> str:
    """What a school reads of its filing: 县级已审 where the last word is said (P17)."""
    if filing.state == Filing.State.APPROVED:
        return "县级已审" if filing.county_id is not None else "已审定"
    return str(Filing.State(filing.state).label)


def step_words(step: FilingStep) -> str:
    """李四 已于 10-06 10:00 退回修改: names the winner of two decisions."""
    return f"{step.by_name} 已于 {stamp(step.at)} {FilingStep.Kind(step.kind).label}"


def round_words(round_: Round) -> str:
    """A round's name in messages."""
    return f"“{round_.title}”"

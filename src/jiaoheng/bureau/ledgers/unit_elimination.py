"""大班额消除 (M02): the year's quota of the schools below a unit, and how far they are, counted from the classes themselves.

Done is what a school had at the base less what it has now; a school whose classes of this year have not come in yet is
in no figure but the quota, and is named by number.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from urllib.parse import urlencode

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Period, Unit
from jiaoheng.bureau.core.periods import YEAR
from jiaoheng.bureau.ledgers.unit_numbers import Numbers, Size
from jiaoheng.bureau.ledgers.unit_rows import Source, held, names_of, reader, texts, under
from jiaoheng.methods.numbers import percent

PLAN = "large_class_plan"
NONE = "—"
_FIELDS = ("classes", "large", "quota")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a school was given: its classes and large classes at the base, how many have to go."""

    school_id: int
    classes: int
    large: int
    quota: int


@dataclass(frozen=True, slots=True)
class Elimination:
    """The block. `bar`: of the progress, 0 to 100; `why`: where there is no progress to print."""

    period: str
    quota: str
    done: str
    progress: str
    why: str
    bar: int
    share_before: str
    share_now: str
    share_change: str
    left: str
    reported: str
    warning: str
    light: str
    words: str
    query: str

    @property
    def definitions(self) -> tuple[tuple[str, str], ...]:
        """What each figure counts."""
        return DEFINITIONS


DEFINITIONS = (
    ("消除任务", "大班额消除计划台账本学年的控制数之和"),
    ("已消除", "有任务的学校：基数大班额 − 班级与班额台账本学期的大班额；本学期班额没有报的学校不算"),
    ("进度", "已消除 ÷ 全部有任务的学校的消除任务 × 100 %"),
    ("大班额占比", "大班额（含超大班额）÷ 班级数；前后都只算本学期报了班额的学校"),
)


def elimination_of(unit: Unit, now: Numbers, source: Source | None) -> Elimination | None:
    """The block of a county, district or school on the day of `now`; None where nothing was given out this year."""
    year = Period.objects.filter(kind=YEAR, starts_on__lte=now.day).order_by("-starts_on").first()
    if source is None or year is None:
        return None
    plans = _plans(source, unit, year, now.day)
    if not plans:
        return None
    current = now.term is not None and now.term.starts_on >= year.starts_on
    sizes = now.by_unit(Unit.Level.SCHOOL) if current else {}
    pairs = [("unit", str(unit.pk)), ("period", str(year.pk))]
    pairs += [("as_of", now.day.isoformat())] if now.day < clock.today() else []
    return progress_of(plans, sizes, year.name, urlencode(pairs))


def progress_of(plans: Sequence[Plan], sizes: Mapping[int, Size], period: str = "", query: str = "") -> Elimination:
    """The figures of some plans. `sizes`: school → its classes now; a school without large classes known is not in."""
    known = {pk: size for pk, size in sizes.items() if size.classes and size.large is not None}
    there = [one for one in plans if one.school_id in known]
    quota, before = sum(one.quota for one in plans), sum(one.large for one in there)
    left = sum(known[one.school_id].large or 0 for one in there)
    done = before - left
    progress, why = _progress(done, quota, bool(there))
    share_before = _share(before, sum(one.classes for one in there))
    share_now = _share(left, sum(known[one.school_id].classes or 0 for one in there))
    part = Fraction(done, quota) if quota and there else Fraction(0)
    tone, words = ("done", "已完成") if there and done >= quota else ("wait", "进行中")
    silent = len(plans) - len(there)
    return Elimination(
        period=period,
        quota=f"{quota:,}",
        done=NONE if not there else f"{done:,}" if done >= 0 else f"净增 {-done:,}",
        progress=progress,
        why=why,
        bar=max(0, min(100, int(100 * part))),
        share_before=_percent(share_before),
        share_now=_percent(share_now),
        share_change=NONE
        if share_before is None or share_now is None
        else f"{percent(share_now - share_before, 2, signed=True)} 个百分点",
        left=f"{left:,}" if there else NONE,
        reported=f"已报 {len(there)}/{len(plans)}",
        warning=f"有任务的学校里 {silent} 所还没有报本学期班额，不计入已消除" if silent else "",
        light=tone,
        words=words,
        query=query,
    )


def _progress(done: int, quota: int, known: bool) -> tuple[str, str]:
    if not known:
        return NONE, "本学期班额还没有报"
    if not quota:
        return NONE, "消除任务是 0"
    return f"{percent(Fraction(max(done, 0), quota), 2)} %", ""


def _share(large: int, classes: int) -> Fraction | None:
    return Fraction(large, classes) if classes else None


def _percent(share: Fraction | None) -> str:
    return NONE if share is None else f"{percent(share, 2)} %"


def _plans(source: Source, unit: Unit, year: Period, day: dt.date) -> list[Plan]:
    known = source.columns(day)
    columns = [known[name] for name in _FIELDS if name in known]
    if len(columns) != len(_FIELDS):
        return []
    values = reader(columns)
    rows = texts(under(held(source, day).filter(period=year), unit), columns)
    return [
        Plan(found[0], *(int(one or 0) for one in values(found[1:])))
        for found in rows.values_list("unit_id", *names_of(columns))
    ]

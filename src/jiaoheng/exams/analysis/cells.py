"""Small helpers between exact statistics and the cells of a table, and Chinese sentences about them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from jiaoheng.documents.model import Dim, Interval, Kind, Missing, TableColumn, Value
from jiaoheng.methods import intervals as method_intervals
from jiaoheng.methods.numbers import Number, percent, text
from jiaoheng.methods.verdicts import RankInterval, Standing, Verdict

NO_DATA = Missing("没有可统计的成绩")
TOO_FEW = Missing("人数不足 10，不排名、不判断")
ONE_UNIT = Missing("其余单位的人数不足 10，无从比较")
ONE_PUPIL = Missing("不足两名学生，没有抽样区间")


def cell(value: Number | None, why: Missing = NO_DATA) -> Value:
    """A number, or — with its reason."""
    return why if value is None else (value if isinstance(value, int | float | Fraction) else Fraction(value))


def small(value: Value, n: int, least: int = method_intervals.MIN_RANKED) -> Value:
    """Grey where fewer than `least` pupils stand behind the value."""
    if n < least and isinstance(value, int | float | Fraction):
        return Dim(value)
    return value


def interval_cell(interval: method_intervals.Interval | None, why: Missing = ONE_PUPIL) -> Value:
    """An interval of the methods as a table cell."""
    return why if interval is None else Interval(interval.low, interval.high)


def rank_interval_cell(interval: RankInterval | None) -> Value:
    """`3–12` as text; one rank alone as `3`."""
    if interval is None:
        return TOO_FEW
    return str(interval.best) if interval.best == interval.worst else f"{interval.best}–{interval.worst}"


def verdict_cell(verdict: Verdict, n: int) -> Value:
    """高于, 相当, 低于; — where not judged, because of the unit's own `n` pupils or for want of others."""
    if verdict.standing is Standing.NOT_JUDGED:
        return TOO_FEW if n < method_intervals.MIN_RANKED else ONE_UNIT
    return verdict.standing.value


def count(key: str, label: str, definition: str = "", unit: str = "名", group: str = "") -> TableColumn:
    """A column of whole numbers of people."""
    return TableColumn(key, label, Kind.COUNT, 0, unit=unit, definition=definition, group=group)


def marks(key: str, label: str, definition: str = "", digits: int = 2, group: str = "") -> TableColumn:
    """A column of marks."""
    return TableColumn(key, label, Kind.NUMBER, digits, unit="分", definition=definition, group=group)


def share(key: str, label: str, definition: str = "", digits: int = 2, group: str = "") -> TableColumn:
    """A column of shares printed as percentages."""
    return TableColumn(key, label, Kind.PERCENT, digits, unit="%", definition=definition, group=group)


def number(key: str, label: str, definition: str = "", digits: int = 2, group: str = "", unit: str = "") -> TableColumn:
    """A column of plain decimals."""
    return TableColumn(key, label, Kind.NUMBER, digits, unit=unit, definition=definition, group=group)


def word(key: str, label: str, definition: str = "", group: str = "", width: int = 0) -> TableColumn:
    """A column of words."""
    return TableColumn(key, label, Kind.TEXT, definition=definition, group=group, width=width)


def listed(names: Sequence[str], most: int = 6) -> str:
    """`甲校、乙校` and `甲校、乙校等 12 所`-like endings without the measure word: the caller adds it."""
    shown = "、".join(names[:most])
    return shown if len(names) <= most else f"{shown}等 {len(names)} "


def of(names: Sequence[str], measure: str, most: int = 6) -> str:
    """`甲校、乙校` or `甲校、乙校、… 等 12 所`."""
    return listed(names, most) + (measure if len(names) > most else "")


def pct(value: Number | None, digits: int = 2) -> str:
    """`32.67%`, or `—`."""
    return "—" if value is None else percent(value, digits) + "%"


def pts(value: Number | None, digits: int = 2) -> str:
    """`72.50 分`, or `—`."""
    return "—" if value is None else text(value, digits) + " 分"


def thousands(value: int) -> str:
    """`20,000`."""
    return f"{value:,}"

"""Dates, times, years and months as people write them in cells. Time cells are Beijing time; UTC is stored."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

from jiaoheng.registers.model import Field, Wrong
from jiaoheng.sheets.text import number_text
from jiaoheng.sheets.workbook import Cell

BEIJING = dt.timezone(dt.timedelta(hours=8))  # one zone, no summer time since 1991
_SEPARATED = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})[日号]?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_ISO_REST = re.compile(r"[t ]?(\d{1,2})[:时点](\d{1,2})?(?:[:分](\d{1,2})?)?(?:\.\d+)?秒?(z|[+-]\d{2}:?\d{2})?")
_TIME = re.compile(r"(\d{1,2})[:时点](\d{1,2})?(?:[:分](\d{1,2})?)?秒?")
_MONTH = re.compile(r"(\d{4})[-/.年]?(\d{1,2})月?")
_YEAR = re.compile(r"(\d{4})年?(?:度)?")
_WEEKDAY = re.compile(r"\(?(?:星期|周)[一二三四五六日天]\)?")
_EPOCH = dt.date(1899, 12, 30)
_FIRST, _LAST = 1900, 2100


def _text(cell: Cell) -> str:
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        return number_text(cell)
    return unicodedata.normalize("NFKC", str(cell)).strip().lower().lstrip("'’‘`")


def _tight(cell: Cell) -> str:
    return _WEEKDAY.sub("", re.sub(r"\s+", "", _text(cell)))


def _quote(cell: Cell) -> str:
    text = number_text(cell) if isinstance(cell, (int, float)) and not isinstance(cell, bool) else str(cell)
    return text if len(text) <= 60 else text[:59] + "…"


def read_date(cell: Cell, one: Field) -> str | Wrong:
    """A day → ISO text."""
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat()
    if isinstance(cell, dt.date):
        return cell.isoformat()
    if isinstance(cell, (int, float)) and not isinstance(cell, bool) and 20_000 <= cell < 80_000:
        return _serial(cell, one)
    text = _text(cell)
    split = re.fullmatch(r"(.+?\d[日号]?)(?:t|\s+)(\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?)", text)
    text = _WEEKDAY.sub("", re.sub(r"\s+", "", split[1] if split else text))
    match = _SEPARATED.fullmatch(text) or _COMPACT.fullmatch(text)
    if match is None:
        return _wrong_date(cell, one)
    found = _day(match)
    return found.isoformat() if found else _impossible(cell, one)


def _day(match: re.Match[str]) -> dt.date | None:
    try:
        day = dt.date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None
    return day if _FIRST <= day.year <= _LAST else None


def _serial(cell: float, one: Field) -> Wrong:
    day = (_EPOCH + dt.timedelta(days=int(cell))).isoformat()
    told = f"“{number_text(cell)}”是数值，不是日期（作为 Excel 日期序号是 {day}）"
    return Wrong("not-a-date", one.name, told, "请把该单元格设为日期格式，或按 2025-09-01 的样子填写")


def _wrong_date(cell: Cell, one: Field) -> Wrong:
    return Wrong("not-a-date", one.name, f"“{_quote(cell)}”不是日期", "请按 2025-09-01 的样子填写")


def _impossible(cell: Cell, one: Field) -> Wrong:
    return Wrong("date-impossible", one.name, f"“{_quote(cell)}”这一天不存在", "请按 2025-09-01 的样子填写")


def read_datetime(cell: Cell, one: Field) -> str | Wrong:
    """A moment → ISO text in UTC. What names no zone is Beijing time."""
    if isinstance(cell, dt.datetime):
        return stored_moment(cell)
    if isinstance(cell, dt.date):
        return stored_moment(dt.datetime.combine(cell, dt.time()))
    text = _WEEKDAY.sub("", re.sub(r"\s+", " ", _text(cell)))
    match = re.match(r"(\d{4})[-/.年] ?(\d{1,2})[-/.月] ?(\d{1,2})[日号]?", text)
    day = _day(match) if match else None
    if match is not None and day is None:
        return _impossible(cell, one)
    rest = text[match.end() :].strip() if match else ""
    time = _ISO_REST.fullmatch(rest) if rest else None
    if day is None or (rest and time is None):
        told = f"“{_quote(cell)}”不是日期和时间"
        return Wrong("not-a-moment", one.name, told, "请按 2025-09-30 23:30 的样子填写")
    clock = _clock(time) if time else dt.time()
    if clock is None:
        return Wrong("not-a-moment", one.name, f"“{_quote(cell)}”的时间不存在", "请按 2025-09-30 23:30 的样子填写")
    return stored_moment(dt.datetime.combine(day, clock, _zone(time[4] if time else None)))


def _clock(match: re.Match[str]) -> dt.time | None:
    try:
        return dt.time(int(match[1]), int(match[2] or 0), int(match[3] or 0))
    except ValueError:
        return None


def _zone(text: str | None) -> dt.timezone:
    if not text:
        return BEIJING
    if text == "z":
        return dt.UTC
    sign = -1 if text[0] == "-" else 1
    digits = text[1:].replace(":", "")
    return dt.timezone(sign * dt.timedelta(hours=min(14, int(digits[:2])), minutes=min(59, int(digits[2:]))))


def stored_moment(moment: dt.datetime) -> str:
    """A moment as it is stored: UTC, whole seconds; one without a zone is Beijing time."""
    if moment.microsecond:  # spreadsheets count in fractions of a day
        moment = (moment + dt.timedelta(microseconds=500_000)).replace(microsecond=0)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=BEIJING)
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment.year >= 1000 else ""


def local_moment(stored: str) -> dt.datetime:
    """A stored moment as Beijing wall time, without zone (as spreadsheets hold it)."""
    moment = dt.datetime.fromisoformat(stored)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return moment.astimezone(BEIJING).replace(tzinfo=None)


def shown_datetime(stored: str) -> str:
    """A stored moment as people read it: 2025-09-30 23:30, seconds only where there are some."""
    moment = local_moment(stored)
    return moment.strftime("%Y-%m-%d %H:%M:%S" if moment.second else "%Y-%m-%d %H:%M")


def read_time(cell: Cell, one: Field) -> str | Wrong:
    """A time of day → 08:20 (or 08:20:15)."""
    if isinstance(cell, dt.datetime):
        return _stored_time(cell.time())
    if isinstance(cell, dt.time):
        return _stored_time(cell)
    if isinstance(cell, dt.timedelta) and dt.timedelta() <= cell < dt.timedelta(days=1):
        seconds = round(cell.total_seconds())
        return _stored_time(dt.time(seconds // 3600 % 24, seconds // 60 % 60, seconds % 60))
    match = _TIME.fullmatch(_tight(cell))
    clock = _clock(match) if match else None
    if clock is None:
        return Wrong("not-a-time", one.name, f"“{_quote(cell)}”不是时间", "请按 08:20 的样子填写")
    return _stored_time(clock)


def _stored_time(clock: dt.time) -> str:
    if clock.microsecond:
        moved = dt.datetime.combine(dt.date(2000, 1, 1), clock) + dt.timedelta(microseconds=500_000)
        clock = moved.time().replace(microsecond=0)
    return clock.strftime("%H:%M:%S" if clock.second else "%H:%M")


def read_year(cell: Cell, one: Field) -> str | Wrong:
    """A year → 2025."""
    if isinstance(cell, (dt.date, dt.datetime)):
        return str(cell.year)
    match = _YEAR.fullmatch(_tight(cell))
    if match is None or not _FIRST <= int(match[1]) <= _LAST:
        return Wrong("not-a-year", one.name, f"“{_quote(cell)}”不是年份", "请按 2025 的样子填写")
    return match[1]


def read_month(cell: Cell, one: Field) -> str | Wrong:
    """A month → 2025-09; Excel makes the first of the month of a typed 2025-9."""
    if isinstance(cell, (dt.date, dt.datetime)):
        return f"{cell.year}-{cell.month:02d}"
    match = _MONTH.fullmatch(_tight(cell))
    if match is None or not _FIRST <= int(match[1]) <= _LAST or not 1 <= int(match[2]) <= 12:
        return Wrong("not-a-month", one.name, f"“{_quote(cell)}”不是年月", "请按 2025-09 的样子填写")
    return f"{match[1]}-{int(match[2]):02d}"

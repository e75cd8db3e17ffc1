"""Deadlines of a filing: the limit in effect, in time or late, and the words of its light. Working days throughout."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.calendar import work_calendar
from jiaoheng.bureau.ledgers.models import Filing, Round
from jiaoheng.bureau.ledgers.rounds.policy import policy_at
from jiaoheng.methods import working_days
from jiaoheng.methods.working_days import CalendarGapError

OWING = (Filing.State.EMPTY, Filing.State.DRAFT, Filing.State.RETURNED)  # the unit has to do something
UNFILED = (Filing.State.EMPTY, Filing.State.DRAFT)  # has handed in nothing yet
FILED = (Filing.State.RETURNED, Filing.State.DISTRICT, Filing.State.COUNTY, Filing.State.APPROVED)


class Timing(StrEnum):
    """When a submission came, judged by the server's receipt of it."""

    IN_TIME = "按时"
    EXTENDED = "延期内"
    LATE = "逾期"


@dataclass(frozen=True, slots=True)
class Light:
    """A light is a word with a tone (late, soon, ok, back, wait, done); colour alone never tells."""

    tone: str
    words: str


def own_limit(round_: Round, filing: Filing) -> dt.datetime:
    """Until when the unit may file in time: the later of the round's date and its own extension (P07)."""
    if filing.extended_to is None:
        return _moment(round_.due_at)
    return _moment(max(round_.due_at, filing.extended_to))


def limit_of(round_: Round, filing: Filing) -> dt.datetime:
    """The limit that counts now: of a returned filing the date of its correction, else the unit's own limit."""
    if filing.state == Filing.State.RETURNED and filing.returned_due_at is not None:
        return _moment(filing.returned_due_at)
    return own_limit(round_, filing)


def _moment(value: dt.datetime) -> dt.datetime:
    return value


def is_late(round_: Round, filing: Filing, at: dt.datetime) -> bool:
    """Whether the unit has let its limit pass without filing."""
    return filing.state in OWING and at > limit_of(round_, filing)


def timing_of(round_: Round, filing: Filing, received: dt.datetime) -> Timing:
    """In time, inside the unit's own extension, or late. `received`: by the server, of the first content that stayed."""
    if received > own_limit(round_, filing):
        return Timing.LATE
    if filing.extended_to is not None and received > (round_.first_due_at or round_.due_at):
        return Timing.EXTENDED
    return Timing.IN_TIME


class Lights:
    """Lights of one moment; the calendar is looked up once, however many are asked for."""

    def __init__(self, at: dt.datetime) -> None:
        self.at = at
        self.today = clock.local(at).date()
        self._calendar = work_calendar()

    def until(self, limit: dt.datetime) -> Light:
        """还有 2 个工作日, 今天到期, 逾期 3 个工作日."""
        today, day = self.today, clock.local(limit).date()
        days = self._working_days(min(day, today), max(day, today))
        if days is None:  # a year whose holidays nobody knows yet: plain days, and said so
            gap = abs((day - today).days)
            return Light("late", f"逾期 {gap} 天") if self.at > limit else Light("ok", f"还有 {gap} 天（含节假日）")
        if self.at > limit:
            if days:
                return Light("late", f"逾期 {days} 个工作日")
            return Light("late", "今天已过截止时间" if day == today else "逾期不到 1 个工作日")
        if day == today:
            return Light("soon", "今天到期")
        if days == 0:
            return Light("soon", f"还有 {(day - today).days} 天，其间没有工作日")
        return Light("soon" if days <= policy_at(today).soon_days else "ok", f"还有 {days} 个工作日")

    def waiting(self, since: dt.datetime) -> Light:
        """待审 3 个工作日, of a submission that waits for somebody; late once the review should be over."""
        day = clock.local(since).date()
        days = self._working_days(day, self.today)
        if days is None:
            return Light("wait", f"待审 {(self.today - day).days} 天")
        if days == 0:
            return Light("wait", "今天提交" if day == self.today else "待审不到 1 个工作日")
        over = days > policy_at(self.today).review_days
        return Light("late" if over else "wait", f"待审 {days} 个工作日")

    def of_round(self, round_: Round) -> Light:
        """The light beside a round's title."""
        if round_.closed_at is not None and round_.closed_at <= self.at:
            return Light("done", "已结束")
        if self.at < round_.opens_at:
            return Light("wait", f"{clock.words(round_.opens_at)} 开始")
        return self.until(round_.due_at)

    def _working_days(self, first: dt.date, last: dt.date) -> int | None:
        """Working days after the first day up to the last; None where the calendar does not reach."""
        try:
            return working_days.between(self._calendar, first, last)
        except CalendarGapError:
            return None


def light_until(limit: dt.datetime, at: dt.datetime) -> Light:
    """The light of one deadline; for many use `Lights`."""
    return Lights(at).until(limit)


@dataclass(frozen=True, slots=True)
class Window:
    """Whether a unit may file now; `why` is the sentence where it may not (P07: each reason has its own)."""

    is_open: bool
    why: str = ""
    code: str = ""


def window_of(round_: Round, filing: Filing, at: dt.datetime) -> Window:
    """Filing is open from the round's first second until it is closed; an own extension outlasts the closing.

    Late filings are taken until the closing: the board says 逾期, and the figures are there. What an approver returned
    may be mended after it too: he asks for it.
    """
    if at < round_.opens_at:
        return Window(
            False, f"“{round_.title}”于 {clock.words(round_.opens_at)} 开始填报，请到时再提交", "round-not-open"
        )
    closed = round_.closed_at if filing.state != Filing.State.RETURNED else None
    if closed is not None and at >= closed and not (filing.extended_to and at <= filing.extended_to):
        who = "发起股室" if round_.office_id else "发起人"
        return Window(
            False,
            f"“{round_.title}”已于 {clock.words(closed)} 结束。确需补报，请联系{who}（{round_.created_by.name}）延期",
            "round-closed",
        )
    return Window(True)

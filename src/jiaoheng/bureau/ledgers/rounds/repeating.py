"""Rounds that open the next one themselves: monthly, termly and yearly collections.

The next one opens a month (term, year) after this one did, on a working day where this one did, and gives as many
working days as this one gave when it was announced. It is opened by the worker on that day, with this one's register,
units, steps and note; the chain ends when the setting is taken off the newest round.
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.calendar import is_workday, workday_shifted, working_days_between
from jiaoheng.bureau.core.models import Account, Period
from jiaoheng.bureau.core.periods import MONTH, TERM, YEAR, period_of
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.ledgers.models import Round
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.rounds.opening import do_open_round, require_rounds
from jiaoheng.bureau.ledgers.rounds.repeat_choices import check_repeats
from jiaoheng.bureau.ledgers.rounds.telling import round_link, send
from jiaoheng.bureau.ledgers.rounds.words import due_words, round_words

Repeats = Round.Repeats
_MOST_SKIPPED = 24  # rounds that a worker which stood still for long leaves out


@dataclass(frozen=True, slots=True)
class Next:
    """The round that will follow. `skipped`: how many are left out since their limit has passed already."""

    period: Period | None
    title: str
    reference_date: dt.date
    opens_at: dt.datetime
    due_at: dt.datetime
    skipped: int


@audit.action
def do_set_repeat(round_: Round, repeats: str, *, acting_user: Account) -> Round:
    """Let a round open the next one, another time than before, or not any more ("").

    Raises ForbiddenError, RefusedError (`round-repeats`, `round-followed`).
    """
    held = Round.objects.select_for_update(of=("self",)).select_related("register", "scope_unit").get(pk=round_.pk)
    require_rounds(acting_user, held.scope_unit)
    after = Round.objects.filter(follows=held).first()
    if after is not None:
        raise RefusedError("round-followed", f"{round_words(held)}之后已发起{round_words(after)}，请到那一轮里改")
    check_repeats(schema_of(held.register, held.reference_date).period, repeats)
    old, held.repeats = held.repeats, repeats
    held.save(update_fields=["repeats"])
    audit.note(
        "round.repeat",
        actor=acting_user,
        about=("round", held.pk, held.title),
        unit_id=held.scope_unit_id,
        changes=audit.differences(
            {"repeats": Repeats(old).label}, {"repeats": Repeats(repeats).label}, {"repeats": "自动发起下一轮"}
        ),
    )
    return held


def open_due() -> str:
    """Open every next round whose day has come; for the schedule, in any number of workers, any number of times."""
    opened, refused = 0, []
    waiting = Round.objects.exclude(repeats="").filter(next_round__isnull=True)
    for round_ in waiting.select_related("period", "register").order_by("pk"):
        try:
            if next_of(round_).opens_at.date() <= clock.today():
                opened += do_open_next(round_.pk, acting_user=None) is not None
        except RefusedError as error:  # no calendar for the year yet, no unit left: said where the office looks
            refused += [f"{round_words(round_)}：{error}"] if error.code != "round-followed" else []
    return f"自动发起 {opened} 轮" + (f"；{refused[0]}" if refused else "")


@audit.action
def do_open_next(round_id: int, *, acting_user: Account | None) -> Round | None:
    """Open the round after one; where somebody opened it by hand, that one goes on from here and None is returned.

    acting_user: None, the worker. Raises RefusedError as `do_open_round` does, `round-followed` where another worker was
    first or the setting was taken off, `calendar-missing`.
    """
    held = (
        Round.objects.select_for_update(of=("self",))
        .select_related("register", "period", "scope_unit", "office", "created_by")
        .get(pk=round_id)
    )
    if not held.repeats or Round.objects.filter(follows=held).exists():  # another worker was first
        raise RefusedError("round-followed", f"{round_words(held)}的下一轮已发起，或不再自动发起")
    coming = next_of(held)
    by_hand = Round.objects.filter(
        register=held.register, period=coming.period, scope_unit=held.scope_unit, follows__isnull=True
    )
    there = by_hand.exclude(pk=held.pk).first() if coming.period is not None else None
    if there is not None:
        there.follows, there.repeats = held, there.repeats or held.repeats
        there.save(update_fields=["follows", "repeats"])
        reason = f"已有人发起{round_words(there)}，以后接着它自动发起"
        about = ("round", held.pk, held.title)
        audit.note("round.repeat", actor=acting_user, about=about, unit_id=held.scope_unit_id, reason=reason)
        return None
    made = do_open_round(
        held.register,
        coming.period,
        coming.title,
        held.scope_unit,
        held.kinds,
        coming.reference_date,
        coming.opens_at,
        coming.due_at,
        held.reminders,
        acting_user=acting_user,
        office=held.office,
        note=held.note,
        repeats=held.repeats,
        follows=held,
    )
    due = due_words(made.due_at, clock.today())
    send([made.created_by], f"next:{made.pk}", f"已自动发起{round_words(made)}", f"截止 {due}", round_link(made))
    return made


def next_of(round_: Round) -> Next:
    """The round that follows one by its setting. RefusedError `calendar-missing` where its year has no calendar."""
    skipped = 0
    found = _after(round_, 1)
    while found.due_at <= clock.now() and skipped < _MOST_SKIPPED:
        skipped += 1
        found = _after(round_, 1 + skipped)
    return Next(found.period, found.title, found.reference_date, found.opens_at, found.due_at, skipped)


def _after(round_: Round, steps: int) -> Next:
    opens, due = clock.local(round_.opens_at), clock.local(round_.first_due_at or round_.due_at)
    start, days = opens.date(), working_days_between(opens.date(), due.date())
    first = _moved(start, round_.repeats, steps)
    if is_workday(start) and not is_workday(first):
        first = workday_shifted(first, 1)
    last = workday_shifted(first, days) if days else first + (due.date() - start)
    period = round_.period
    for _ in range(steps if period is not None else 0):
        period = period_of(period.kind, period.ends_on)
    return Next(
        period,
        _title(round_, period, first),
        _moved(round_.reference_date, round_.repeats, steps),
        dt.datetime.combine(first, opens.timetz()),
        dt.datetime.combine(last, due.timetz()),
        0,
    )


def _moved(day: dt.date, repeats: str, steps: int) -> dt.date:
    """The same day of a later month (the last one of a shorter), of a later term (as far from its start), year."""
    if repeats == Repeats.TERM:
        term = here = period_of(TERM, day)
        for _ in range(steps):
            term = period_of(TERM, term.ends_on)
        return min(term.starts_on + (day - here.starts_on), term.ends_on - dt.timedelta(days=1))
    months = steps * (12 if repeats == Repeats.YEAR else 1)
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    at_end = day.day == calendar.monthrange(day.year, day.month)[1]
    return dt.date(year, month + 1, last if at_end else min(day.day, last))


def _title(round_: Round, period: Period | None, opens: dt.date) -> str:
    """The title with the next period's name in place of this one's, else behind it."""
    kind = {Repeats.MONTH: MONTH, Repeats.TERM: TERM}.get(Repeats(round_.repeats), YEAR)
    old = round_.period or period_of(kind, clock.local(round_.opens_at).date())
    new = period or period_of(kind, opens)
    title = str(round_.title)
    if old.name in title:
        return title.replace(old.name, new.name)[:100]
    tail = f"（{old.name}）"
    return f"{title.removesuffix(tail)[: 98 - len(new.name)]}（{new.name}）"


def words_of(round_: Round) -> str:
    """每月，下一轮 12 月 8 日（周二）发起，12 月 18 日（周五）截止; 不重复."""
    label = str(Repeats(round_.repeats).label)
    if not round_.repeats:
        return label
    try:
        coming = next_of(round_)
    except RefusedError as refused:
        return f"{label}；{refused}"
    today = clock.today()
    return f"{label}，下一轮 {due_words(coming.opens_at, today)} 发起，{due_words(coming.due_at, today)} 截止"

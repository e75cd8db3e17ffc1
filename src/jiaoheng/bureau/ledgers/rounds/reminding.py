"""催办: dated steps around each unit's limit, sent once by whichever worker comes first; and by hand in one press (P21)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.calendar import workday_shifted
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.refusals import ForbiddenError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import names_at
from jiaoheng.bureau.ledgers.models import Extension, Filing, FilingStep, Reminder, Round
from jiaoheng.bureau.ledgers.rounds.deadlines import OWING, is_late, limit_of
from jiaoheng.bureau.ledgers.rounds.digests import tell_digests
from jiaoheng.bureau.ledgers.rounds.owing import Holder, holders, is_free
from jiaoheng.bureau.ledgers.rounds.policy import Step, policy_at, read_steps
from jiaoheng.bureau.ledgers.rounds.receivers import Directory, directory_of
from jiaoheng.bureau.ledgers.rounds.words import stamp

SENT, NO_RECEIVER, FILED, MISSED = "sent", "no_receiver", "filed", "missed"
MANUAL = "manual"
BY_HAND = ("filler", "head")


@dataclass(frozen=True, slots=True)
class Reminded:
    """What one press of 催办 did, unit by unit, in names."""

    sent: Sequence[str]
    skipped: Sequence[tuple[str, str]]  # unit, reason

    @property
    def words(self) -> str:
        """催办 7 所；2 所跳过：今天 08:30 已催过."""
        told = f"已催办 {len(self.sent)} 所"
        reasons = dict.fromkeys(reason for _, reason in self.skipped)
        return told + (f"；跳过 {len(self.skipped)} 所：{'；'.join(reasons)}" if self.skipped else "")


def steps_of(round_: Round) -> tuple[Step, ...]:
    """The round's own steps."""
    return read_steps(round_.reminders)


def sweep() -> str:
    """Send every step that is due and not sent yet; for the schedule, in any number of workers, any number of times.

    Returns what it did in a few words.
    """
    now = clock.now()
    running = Q(closed_at__isnull=True) | Q(closed_at__gt=now)
    sent, without = 0, []
    for pk in Round.objects.filter(running, opens_at__lte=now).order_by("pk").values_list("pk", flat=True):
        try:
            if _is_due(pk):
                sent += _do_sweep(pk, acting_user=None)
        except RefusedError as refused:  # a year without a published calendar: the office is told where it looks
            without.append(str(refused))
    return f"催办 {sent} 条" + (f"；{without[0]}" if without else "")


def _is_due(round_id: int) -> bool:
    """Whether a sweep would write anything: most of them do not, and then leave no entry and take no lock."""
    round_ = Round.objects.select_related("register", "created_by").get(pk=round_id)
    return bool(_planned(round_))


@audit.action
def _do_sweep(round_id: int, *, acting_user: Account | None) -> int:
    round_ = Round.objects.select_for_update(of=("self",)).select_related("register", "created_by").get(pk=round_id)
    planned = _planned(round_)  # again under the lock: another worker may have been first
    Reminder.objects.bulk_create(planned, batch_size=200, ignore_conflicts=True)
    sent = [one for one in planned if one.outcome == SENT]
    tell_digests({one.receiver_id for one in sent if one.receiver_id}, clock.today())
    audit.note(
        "round.remind",
        actor=acting_user,
        about=("round", round_.pk, round_.title),
        unit_id=round_.scope_unit_id,
        count=len(sent),
        reason=f"定时催办：发出 {len(sent)} 条，未发 {len(planned) - len(sent)} 条",
    )
    return len(sent)


def _planned(round_: Round) -> list[Reminder]:
    """The rows that are due and not there.

    A step before the limit is sent on its day only; one after it also later, where no worker ran on the day, unless the
    next one is due as well. A unit that has filed gets none. What is not sent is written down with its reason.
    """
    today, now = clock.today(), clock.now()
    filings = list(Filing.objects.filter(round=round_).select_related("unit").order_by("pk"))
    where = holders(filings, today)
    filings = [one for one in filings if not is_free(one, where[one.pk])]
    there = set(Reminder.objects.filter(round=round_).exclude(step=MANUAL).values_list("filing_id", "step", "on"))
    since = _limits_set(round_)
    days: dict[tuple[dt.date, int], dt.date] = {}
    made: list[Reminder] = []
    wanted: list[tuple[Filing, Step, dt.date]] = []
    for filing in filings:
        due = _due_steps(round_, filing, since.get(filing.pk), days, today)
        for step, day in due:
            if (filing.pk, step.key, day) in there:
                continue
            if filing.state not in OWING:
                made.append(_row(round_, filing, step, day, None, FILED, _filed_words(filing), now))
            elif day == today or (step.days > 0 and (step, day) == due[-1]):
                wanted.append((filing, step, day))
            else:
                made.append(_row(round_, filing, step, day, None, MISSED, "当天没有发出，日子已过", now))
    if wanted:
        directory = directory_of(round_, [one for one, _, _ in wanted], today)
        for filing, step, day in wanted:
            made += _sent_rows(round_, filing, step, day, directory, where, now)
    return made


def _limits_set(round_: Round) -> dict[int, dt.date]:
    """Filing id → the day on which its present limit was set by an extension or a return: steps count from then on."""
    found: dict[int, dt.date] = {}
    extensions = Extension.objects.filter(filing__round=round_).order_by("at").values_list("filing_id", "at")
    returns = FilingStep.objects.filter(filing__round=round_, kind=FilingStep.Kind.RETURN).order_by("at")
    for filing_id, at in [*extensions, *returns.values_list("filing_id", "at")]:
        day = clock.local(at).date()
        found[filing_id] = max(day, found.get(filing_id, day))
    return found


def _due_steps(
    round_: Round, filing: Filing, since: dt.date | None, days: dict[tuple[dt.date, int], dt.date], today: dt.date
) -> list[tuple[Step, dt.date]]:
    """The steps of a filing whose day has come, in order; `days` remembers what the calendar said."""
    limit = clock.local(limit_of(round_, filing)).date()
    opened = clock.local(round_.opens_at).date()
    due = []
    for step in sorted(steps_of(round_), key=lambda one: one.days):
        key = (limit, step.days)
        if key not in days:
            days[key] = workday_shifted(limit, step.days)
        if opened <= days[key] <= today and (since is None or days[key] > since):
            due.append((step, days[key]))
    return due


def _sent_rows(
    round_: Round,
    filing: Filing,
    step: Step,
    day: dt.date,
    directory: Directory,
    where: Mapping[int, Holder],
    now: dt.datetime,
) -> list[Reminder]:
    heard = directory.hear(filing, where[filing.pk], step.to)
    rows = [_row(round_, filing, step, day, one, SENT, heard.gap, now) for one in heard.accounts]
    if heard.gap or not rows:
        rows.append(_row(round_, filing, step, day, None, NO_RECEIVER, heard.gap or "无接收人", now))
    return rows


def _row(
    round_: Round,
    filing: Filing,
    step: Step,
    day: dt.date,
    receiver: Account | None,
    outcome: str,
    reason: str,
    now: dt.datetime,
) -> Reminder:
    return Reminder(
        round=round_,
        filing=filing,
        step=step.key,
        on=day,
        receiver=receiver,
        outcome=outcome,
        reason=reason[:200],
        at=now,
    )


def _filed_words(filing: Filing) -> str:
    when = f"{stamp(filing.submitted_at)} 已提交" if filing.submitted_at else "已提交"
    return f"{when}，不再催办"


@audit.action
def do_remind(round_: Round, filings: Iterable[Filing] | None = None, *, acting_user: Account) -> Reminded:
    """催办 by hand: the chosen filings, or all late ones. Goes to filler and head; who was reminded today is skipped.

    Raises ForbiddenError where one may neither manage the round nor approve the unit, RefusedError (`nobody-late`).
    """
    held = Round.objects.select_for_update(of=("self",)).select_related("register", "created_by").get(pk=round_.pk)
    today, now = clock.today(), clock.now()
    rows = Filing.objects.filter(round=held).select_related("unit").order_by("pk")
    if filings is not None:
        rows = rows.filter(pk__in=[one.pk for one in filings])
    mine = _mine(list(rows), held, acting_user, chosen=filings is not None)
    if filings is None:
        mine = [one for one in mine if is_late(held, one, now)]
    if not mine:
        raise RefusedError(
            "nobody-late", "没有逾期未交的单位，不用催办" if filings is None else "没有选中单位，请先勾选"
        )
    where, directory = holders(mine, today), directory_of(held, mine, today)
    day = Reminder.objects.filter(round=held, filing__in=mine, outcome=SENT)
    midnight = clock.beijing(today.year, today.month, today.day)
    before = dict(day.filter(at__gte=midnight).order_by("at").values_list("filing_id", "at"))
    names = names_at([one.unit_id for one in mine], today)
    sent: list[str] = []
    skipped: list[tuple[str, str]] = []
    made: list[Reminder] = []
    for filing in mine:
        name = names.get(filing.unit_id, "")
        reason = _why_not(filing, is_free(filing, where[filing.pk]), before.get(filing.pk))
        heard = directory.hear(filing, where[filing.pk], BY_HAND)
        if not reason and not heard.accounts:
            reason = heard.gap or "无接收人"
        if reason:
            skipped.append((name, reason))
            continue
        sent.append(name)
        step = Step(0, BY_HAND)
        for one in heard.accounts:
            row = _row(held, filing, step, today, one, SENT, heard.gap or f"{acting_user.name}催办", now)
            row.step = MANUAL
            made.append(row)
        if heard.gap:
            row = _row(held, filing, step, today, None, NO_RECEIVER, heard.gap, now)
            row.step = MANUAL
            made.append(row)
    Reminder.objects.bulk_create(made, batch_size=200, ignore_conflicts=True)
    tell_digests({one.receiver_id for one in made if one.receiver_id}, today)
    audit.note(
        "round.remind",
        actor=acting_user,
        about=("round", held.pk, held.title),
        unit_id=held.scope_unit_id,
        count=len(sent),
        reason="、".join(sent) or "没有发出",
    )
    return Reminded(sent, skipped)


def _mine(rows: Sequence[Filing], round_: Round, account: Account, *, chosen: bool) -> list[Filing]:
    """The filings that one may remind: as manager of rounds or as approver of the district; others only if not chosen."""
    name = round_.register.name
    scopes = [scope_of(account, can) for can in (Can.ROUNDS, Can.APPROVE_DISTRICT)]
    mine = [one for one in rows if any(scope.covers(one, name) for scope in scopes)]
    if (chosen and len(mine) < len(rows)) or (not any(scopes)):
        raise ForbiddenError("催办由发起股室或学区办理，您没有这些单位的催办权限")
    return mine


def _why_not(filing: Filing, free: bool, before: dt.datetime | None) -> str:
    if free:
        return "不在范围，不用填报"
    if filing.state not in OWING:
        return "已提交"
    if before is not None:
        return f"今天 {clock.local(before):%H:%M} 已催过"
    return ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line of the list of reminders: what was sent or not, to whom, why."""

    on: dt.date
    unit: str
    step: str
    receiver: str
    outcome: str
    reason: str
    at: dt.datetime


_OUTCOMES = {SENT: "已发", NO_RECEIVER: "无接收人", FILED: "未发：已提交", MISSED: "未发：已过"}


def outcomes_of(round_: Round, account: Account) -> list[Outcome]:
    """Every step sent or not sent with its reason, newest first, inside the reader's scope."""
    rows = Reminder.objects.filter(
        scope_of(account, Can.READ).rows(round_.register.name, prefix="filing__"), round=round_
    ).select_related("filing", "receiver")
    rows = list(rows.order_by("-at", "-on", "filing_id", "pk"))
    names = names_at([one.filing.unit_id for one in rows], clock.today())
    words = {one.key: one.words for one in steps_of(round_)} | {MANUAL: "手工催办"}
    return [
        Outcome(
            one.on,
            names.get(one.filing.unit_id, ""),
            words.get(one.step, one.step),
            one.receiver.name if one.receiver else "",
            _OUTCOMES.get(one.outcome, one.outcome),
            one.reason,
            one.at,
        )
        for one in rows
    ]


def default_steps(day: dt.date) -> tuple[Step, ...]:
    """The steps that a new round begins with."""
    return policy_at(day).steps

"""Opening a round, moving its date, closing and reopening it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Period, Unit
from jiaoheng.bureau.core.refusals import ForbiddenError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import line_at, lines_at, name_of
from jiaoheng.bureau.ledgers.models import Filing, RecordVersion, RegisterRow, Round
from jiaoheng.bureau.ledgers.models.records import CURRENT
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.rounds.owing import asked_units
from jiaoheng.bureau.ledgers.rounds.policy import policy_at, read_steps
from jiaoheng.bureau.ledgers.rounds.repeat_choices import check_repeats
from jiaoheng.bureau.ledgers.rounds.telling import tell_moved
from jiaoheng.bureau.ledgers.rounds.words import round_words
from jiaoheng.registers.model import PeriodKind


@audit.action
def do_open_round(
    register: RegisterRow,
    period: Period | None,
    title: str,
    scope_unit: Unit,
    kinds: Sequence[str],
    reference_date: dt.date,
    opens_at: dt.datetime,
    due_at: dt.datetime,
    reminders: Sequence[Mapping[str, Any]] | None = None,
    *,
    acting_user: Account | None,
    office: Unit | None = None,
    note: str = "",
    repeats: str = "",
    follows: Round | None = None,
) -> Round:
    """Open a collection round: one filing for each unit of the register's level that exists on the reference date.

    kinds: codes of school kinds, empty for all. reminders: steps as in `packs/reminders.yaml`, None for the default.
    office: the department that collects; the acting person's own where he has one. repeats: how often the next one
    opens itself (`Round.Repeats`). follows: the round that this one goes on from; acting_user None is the worker, who
    opens in the name of that round's maker. Raises ForbiddenError, RefusedError (`round-dates`, `round-title`,
    `round-period`, `round-empty`, `round-again`, `round-repeats`).
    """
    if acting_user is not None:
        require_rounds(acting_user, scope_unit)
    maker = acting_user or (follows.created_by if follows is not None else None)
    if maker is None:
        raise TypeError("a round without a person goes on from another round")
    schema = schema_of(register, reference_date)
    check_round(register, period, title, scope_unit, opens_at, due_at, schema.period)
    check_repeats(schema.period, repeats)
    steps = policy_at(reference_date).steps if reminders is None else read_steps(reminders)
    made = Round.objects.create(
        register=register,
        period=period,
        title=title.strip(),
        scope_unit=scope_unit,
        office=office or _own_office(acting_user) or register.office,
        kinds=list(kinds),
        reference_date=reference_date,
        opens_at=opens_at,
        due_at=due_at,
        first_due_at=due_at,
        note=note.strip(),
        reminders=[{"days": one.days, "to": list(one.to)} for one in steps],
        created_by=maker,
        created_at=clock.now(),
        repeats=repeats,
        follows=follows,
    )
    count = _plant_filings(made, schema.level, kinds)
    audit.note(
        "round.open",
        actor=acting_user,
        about=("round", made.pk, made.title),
        unit_id=scope_unit.pk,
        changes=audit.differences(
            {},
            {
                "due": _said(due_at),
                "opens": _said(opens_at),
                "day": str(reference_date),
                "units": count,
                "repeats": Round.Repeats(repeats).label if repeats else None,
            },
            {"opens": "开始", "due": "截止", "day": "统计时点", "units": "应交单位", "repeats": "自动发起下一轮"},
        ),
        count=count,
        reason="" if follows is None else f"接着{round_words(follows)}自动发起",
    )
    return made


def _plant_filings(made: Round, level: str, kinds: Sequence[str]) -> int:
    units = asked_units(made.scope_unit, level, made.reference_date, kinds)
    if not units:
        raise RefusedError(
            "round-empty",
            f"{made.reference_date:%Y-%m-%d} 在“{name_of(made.scope_unit, made.reference_date)}”下没有要填报的单位，"
            "请核对统计时点和学校类别",
        )
    lines = lines_at(units, made.reference_date)
    begun = _begun(made)
    Filing.objects.bulk_create(
        [
            Filing(
                round=made,
                unit_id=unit_id,
                state=Filing.State.DRAFT if unit_id in begun else Filing.State.EMPTY,
                county_id=lines[unit_id].county_id,
                district_id=lines[unit_id].district_id,
                school_id=lines[unit_id].school_id,
                class_id=lines[unit_id].class_id,
            )
            for unit_id in units
        ],
        batch_size=100,
    )
    return len(units)


def _begun(made: Round) -> set[int]:
    """Units that hold records of the round's own period already: they have begun. A standing roster proves nothing."""
    if made.period_id is None:
        return set()
    rows = RecordVersion.objects.filter(CURRENT, register=made.register, period=made.period)
    return set(rows.order_by().values_list("unit_id", flat=True).distinct())


def check_round(
    register: RegisterRow,
    period: Period | None,
    title: str,
    scope_unit: Unit,
    opens_at: dt.datetime,
    due_at: dt.datetime,
    kind: PeriodKind,
) -> None:
    """Nothing if such a round may be opened. Raises RefusedError (`round-title`, `-dates`, `-period`, `-again`)."""
    if not title.strip():
        raise RefusedError("round-title", "请填写轮次名称", places={"title": "请填写轮次名称"})
    if due_at <= opens_at:
        told = f"截止时间 {_said(due_at)} 不晚于开始时间 {_said(opens_at)}，请改正其中一个"
        raise RefusedError("round-dates", told, places={"due_at": told})
    wanted = None if kind is PeriodKind.NONE else str(kind)
    if (period.kind if period else None) != wanted:
        word = Period.Kind(wanted).label if wanted else "无期次"
        told = (
            f"“{register.title}”按{word}填报，请选对应的期次" if wanted else f"“{register.title}”不分期次，请不要选期次"
        )
        raise RefusedError("round-period", told, places={"period": told})
    again = Round.objects.filter(
        register=register, period=period, scope_unit=scope_unit, closed_at__isnull=True
    ).first()
    if again is not None and period is not None:
        told = f"“{register.title}”{period.name}已有一轮{round_words(again)}在填报，请在那一轮里改截止日期或延期"
        raise RefusedError("round-again", told, places={"period": told})


@audit.action
def do_move_deadline(round_: Round, due_at: dt.datetime, reason: str, *, acting_user: Account) -> Round:
    """Move the date of a round for everybody; an own extension that is later stays (P07). Tells those who owe."""
    held = _held(round_, acting_user)
    if not reason.strip():
        raise RefusedError("reason-missing", "请写明改截止日期的原因", places={"reason": "请填写"})
    if due_at <= held.opens_at:
        told = f"截止时间 {_said(due_at)} 不晚于开始时间 {_said(held.opens_at)}，请改正"
        raise RefusedError("round-dates", told, places={"due_at": told})
    old, held.due_at = held.due_at, due_at
    held.save(update_fields=["due_at"])
    _note(held, "round.move", acting_user, {"due": _said(old)}, {"due": _said(due_at)}, reason)
    tell_moved(held, old, reason.strip(), acting_user)
    return held


@audit.action
def do_close_round(round_: Round, *, acting_user: Account, reason: str = "") -> Round:
    """End a round: from now on only units with a running extension file."""
    held = _held(round_, acting_user)
    if held.closed_at is not None:
        raise RefusedError("round-closed", f"{round_words(held)}已于 {_said(held.closed_at)} 结束")
    held.closed_at = clock.now()
    held.save(update_fields=["closed_at"])
    _note(held, "round.close", acting_user, {"closed": None}, {"closed": _said(held.closed_at)}, reason)
    return held


@audit.action
def do_reopen(round_: Round, *, acting_user: Account, reason: str) -> Round:
    """Take an ended round up again, with the reason."""
    held = _held(round_, acting_user)
    if held.closed_at is None:
        raise RefusedError("round-open", f"{round_words(held)}正在填报，不用重新开启")
    if not reason.strip():
        raise RefusedError("reason-missing", "请写明重新开启的原因", places={"reason": "请填写"})
    old, held.closed_at = held.closed_at, None
    held.save(update_fields=["closed_at"])
    _note(held, "round.reopen", acting_user, {"closed": _said(old)}, {"closed": None}, reason)
    return held


def _held(round_: Round, account: Account) -> Round:
    held = Round.objects.select_for_update(of=("self",)).select_related("register", "scope_unit").get(pk=round_.pk)
    require_rounds(account, held.scope_unit)
    return held


def require_rounds(account: Account, scope_unit: Unit) -> None:
    """ForbiddenError for who may not manage rounds of a unit."""
    if not scope_of(account, Can.ROUNDS).covers(line_at(scope_unit, clock.today())):
        raise ForbiddenError("您可以查看，但采集轮次由股室发起和管理，请联系发起股室")


def _own_office(account: Account | None) -> Unit | None:
    home = account.home if account is not None else None
    return home if home is not None and home.level == Unit.Level.DEPARTMENT else None


def _note(held: Round, action: str, actor: Account, old: dict[str, Any], new: dict[str, Any], reason: str) -> None:
    audit.note(
        action,
        actor=actor,
        about=("round", held.pk, held.title),
        unit_id=held.scope_unit_id,
        changes=audit.differences(old, new, {"due": "截止", "closed": "结束"}),
        reason=reason.strip(),
    )


def _said(moment: dt.datetime) -> str:
    return f"{clock.local(moment):%Y-%m-%d %H:%M}"

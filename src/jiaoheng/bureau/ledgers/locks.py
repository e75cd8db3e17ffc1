"""Whether the records of a unit may be written now: the five sentences of a round (P07), each with what to do.

Records that no round asks for are free to those who fill them.
"""

from __future__ import annotations

import datetime as dt

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Period, Unit, UnitPath
from jiaoheng.bureau.core.refusals import ForbiddenError, RefusedError
from jiaoheng.bureau.core.tree import holds, line_at, name_of
from jiaoheng.bureau.ledgers.access import fill_scope, whose_right
from jiaoheng.bureau.ledgers.models import Filing, FilingStep, RegisterRow, Round
from jiaoheng.bureau.ledgers.rounds.deadlines import window_of

_LEVELS = {"school": "学校", "district": "学区", "county": "局"}


def check_open(
    register: RegisterRow, unit: Unit, period: Period | None, acting_user: Account | None, at: dt.datetime
) -> Filing | None:
    """The filing that the records of a unit belong to, None where no round asks for them.

    Raises ForbiddenError without the right to fill the unit; RefusedError `round-not-open`, `round-closed`,
    `filing-approved`, `filing-submitted`, `unit-out-of-scope`. The system (no acting user) is not held by rounds.
    """
    if acting_user is None:
        return filing_of(register, unit, period)
    day = clock.local(at).date()
    if not fill_scope(acting_user).covers(line_at(unit, day), register.name) and not _filled_then(
        register, unit, period, acting_user
    ):
        raise ForbiddenError(whose_right(acting_user, Can.FILL))
    filing = filing_of(register, unit, period)
    if filing is None:
        _check_scope(register, unit, period)
        return None
    if filing.dropped_on is not None:
        told = f"“{filing.round.title}”：{filing.dropped_why or '本单位已不在填报范围'}，不用填报"
        raise RefusedError("unit-out-of-scope", told)
    _check_times(filing, at)
    _check_state(filing)
    return filing


def _filled_then(register: RegisterRow, unit: Unit, period: Period | None, account: Account) -> bool:
    """Whether the unit lay in the person's reach in the period itself: last year's rows stay with last year's tree."""
    if period is None:
        return False
    line = line_at(unit, period.ends_on - dt.timedelta(days=1))
    return fill_scope(account).covers(line, register.name)


def filing_of(register: RegisterRow, unit: Unit, period: Period | None) -> Filing | None:
    """The filing of the newest round that asks this unit, or the unit it stands under, for a register and period."""
    rounds = Round.objects.filter(register=register, period=period)
    found: Filing | None = None
    related = ("round", "round__register", "round__period", "round__scope_unit", "unit")
    for one in rounds.order_by("-opens_at", "-pk"):
        ids = line_at(unit, one.reference_date).ids()
        mine = Filing.objects.select_related(*related).filter(round=one, unit_id__in=ids)
        # the nearest one: a class's own filing goes before its school's
        found = max(mine, key=lambda filing: _depth(filing.unit), default=None)
        if found is not None:
            return found
    return None


def _depth(unit: Unit) -> int:
    order = (Unit.Level.COUNTY, Unit.Level.DEPARTMENT, Unit.Level.DISTRICT, Unit.Level.SCHOOL, Unit.Level.CLASS)
    return order.index(Unit.Level(unit.level))


def _check_times(filing: Filing, at: dt.datetime) -> None:
    """What was returned may be mended even after the end of the round: the approver asks for it."""
    window = window_of(filing.round, filing, at)
    if not window.is_open and filing.state != Filing.State.RETURNED:
        raise RefusedError(window.code, window.why)


def _check_state(filing: Filing) -> None:
    if filing.state in (Filing.State.APPROVED, Filing.State.COUNTY, Filing.State.DISTRICT):
        step = _newest_step(filing, FilingStep.Kind.APPROVE)
        if filing.state != Filing.State.DISTRICT and step is not None:
            raise RefusedError(
                "filing-approved",
                f"这份台账已由 {step.by_name} 于 {clock.words(step.at)} 审核通过"
                f"（{_LEVELS.get(step.level, step.level)}）；需要修改的，请审核人退回后再改",
            )
        sent = _newest_step(filing, FilingStep.Kind.SUBMIT)
        moment = sent.at if sent is not None else filing.submitted_at or filing.round.opens_at
        who = sent.by_name if sent is not None else "填报人"
        raise RefusedError(
            "filing-submitted",
            f"这份台账已由 {who} 于 {clock.words(moment)} 提交，正在{Filing.State(filing.state).label}；"
            "需要修改的，请先撤回，或请审核人退回",
        )


def _newest_step(filing: Filing, kind: str) -> FilingStep | None:
    steps = FilingStep.objects.filter(filing=filing, kind=kind, withdrawn_at__isnull=True)
    found: FilingStep | None = steps.filter(content=filing.content).order_by("-at", "-pk").first()
    return found


def _check_scope(register: RegisterRow, unit: Unit, period: Period | None) -> None:
    """A unit that stands under a round's scope and is not asked by it: refused with the reason."""
    for one in Round.objects.filter(register=register, period=period).order_by("-opens_at", "-pk"):
        day = one.reference_date
        name = name_of(unit, day)
        if day < unit.starts_on:
            why = f"“{name}”自 {unit.starts_on:%Y-%m-%d} 起才设立"
        elif unit.ends_on is not None and unit.ends_on <= day:
            why = f"“{name}”已于 {unit.ends_on:%Y-%m-%d} 撤并"
        elif one.kinds and UnitPath.objects.filter(holds(day), unit=unit, ancestor_id=one.scope_unit_id).exists():
            why = f"“{name}”不属于这次采集的学校类别"
        else:
            continue
        raise RefusedError(
            "unit-out-of-scope", f"“{one.title}”的统计时点是 {day:%Y-%m-%d}，{why}，不在填报范围，不用填报"
        )

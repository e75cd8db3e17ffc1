"""The first step of an import: for which unit and which period or round a person may hand in a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Period, Unit
from jiaoheng.bureau.core.periods import period_of
from jiaoheng.bureau.core.refusals import ForbiddenError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import facts_at
from jiaoheng.bureau.ledgers.access import whose_right
from jiaoheng.bureau.ledgers.list_shell import Option
from jiaoheng.bureau.ledgers.models import Filing, ImportBatch, RegisterRow, Round
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.rounds.words import due_words
from jiaoheng.registers.model import PeriodKind

_MOST_UNITS, _MOST_PERIODS, _MOST_RECENT = 300, 8, 6
ROUND, PERIOD = "r", "p"


@dataclass(frozen=True, slots=True)
class Earlier:
    """An import that the person made for this register before."""

    id: int
    name: str
    state: str
    told: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Entrance:
    """What the first step offers. `standing`: the register has no periods and none is running."""

    units: Sequence[Option]
    times: Sequence[Option]
    standing: bool
    unit_id: str
    period_id: int | None
    earlier: Sequence[Earlier]


def entrance_of(account: Account, register: RegisterRow, unit_id: str = "", time: str = "") -> Entrance:
    """The choosers of one person. ForbiddenError where he fills this register nowhere."""
    units = _units(account, register, unit_id)
    if not units:
        raise ForbiddenError(whose_right(account, Can.FILL))
    times = _times(account, register, time)
    chosen = next((one.value for one in times if one.chosen), "")
    return Entrance(
        units=units,
        times=times,
        standing=not times,
        unit_id=next(one.value for one in units if one.chosen),
        period_id=_period_id(chosen),
        earlier=_earlier(account, register),
    )


def _units(account: Account, register: RegisterRow, wanted: str) -> list[Option]:
    scope = scope_of(account, Can.FILL)
    roots = [one.unit_id for one in scope.roots if not one.registers or register.name in one.registers]
    if not roots:
        return []
    today, schema = clock.today(), schema_of(register)
    below = scope.units(today, schema.level.value).values_list("pk", flat=True)[:_MOST_UNITS]
    ids = list(dict.fromkeys([*roots, *below]))
    levels = dict(Unit.objects.filter(pk__in=ids).values_list("pk", "level"))
    facts = facts_at(ids, today)
    known = sorted(facts.values(), key=lambda one: (one.unit_id not in roots, one.sort_key))
    wanted = wanted if wanted in {str(one.unit_id) for one in known} else str(known[0].unit_id) if known else ""
    made = []
    for one in known:
        above = levels.get(one.unit_id) != schema.level.value
        label = f"{one.name}，含下属单位" if above else one.name
        made.append(Option(str(one.unit_id), label, str(one.unit_id) == wanted))
    return made


def _times(account: Account, register: RegisterRow, wanted: str) -> list[Option]:
    today = clock.today()
    running = Round.objects.filter(register=register, closed_at__isnull=True).order_by("-due_at")[:_MOST_PERIODS]
    scope = scope_of(account, Can.FILL)
    mine = set(
        Filing.objects.filter(scope.rows(register.name), round__in=[one.pk for one in running]).values_list(
            "round_id", flat=True
        )
    )
    found = [
        (f"{ROUND}{one.pk}", f"{one.title}，{due_words(one.due_at, today)}截止") for one in running if one.pk in mine
    ]
    kind = schema_of(register).period
    if kind is not PeriodKind.NONE:
        period_of(kind.value, today)  # the present one is there even where nobody needed it yet
        rows = Period.objects.filter(kind=kind.value, starts_on__lte=today).order_by("-starts_on")[:_MOST_PERIODS]
        found += [(f"{PERIOD}{one.pk}", one.name) for one in rows]
    elif found:
        found.append(("", "不在采集中，平时更新"))
    chosen = wanted if wanted in {value for value, _ in found} else found[0][0] if found else ""
    return [Option(value, label, value == chosen) for value, label in found]


def _period_id(chosen: str) -> int | None:
    if chosen.startswith(PERIOD):
        return int(chosen[1:])
    if chosen.startswith(ROUND):
        found = Round.objects.filter(pk=int(chosen[1:])).values_list("period_id", flat=True).first()
        return int(found) if found is not None else None
    return None


def _earlier(account: Account, register: RegisterRow) -> list[Earlier]:
    rows = ImportBatch.objects.filter(owner=account, register=register).select_related("attachment")
    return [
        Earlier(one.pk, one.attachment.name, ImportBatch.State(one.state).label, one.message, one.created_at)
        for one in rows.order_by("-created_at")[:_MOST_RECENT]
    ]

"""Whose rows an import may hold, for which period, and on which day's tree and codes it is judged."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Period, Unit
from jiaoheng.bureau.core.refusals import ForbiddenError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import descendants_at, facts_at, line_at
from jiaoheng.bureau.ledgers.access import whose_right
from jiaoheng.bureau.ledgers.models import ImportBatch, RegisterRow, Round
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.registers.judging import Scope
from jiaoheng.registers.model import PeriodKind, Register


@dataclass(frozen=True, slots=True)
class Ground:
    """What an import stands on. `ids`: unit code → id of the units whose rows may come; `day`: of tree and codes."""

    schema: Register
    period: Period | None
    day: dt.date
    ids: dict[str, int]
    names: dict[str, str]

    @property
    def scope(self) -> Scope:
        """The same for the library floor. Where only one unit can be meant, rows need not name it."""
        code = self.period.code if self.period is not None else ""
        only = next(iter(self.names)) if len(self.names) == 1 else ""
        named = {self.period.name: code} if self.period is not None else {}
        return Scope(self.names, only, code, frozenset({code}), named)


def day_of(period: Period | None, round_: Round | None = None) -> dt.date:
    """The day whose tree and codes hold: the round's reference date, the period's last day, else today."""
    if round_ is not None:
        return round_.reference_date
    today = clock.today()
    if period is None:
        return today
    last: dt.date = period.ends_on - dt.timedelta(days=1)
    return min(last, max(period.starts_on, today))


def ground_of(batch: ImportBatch) -> Ground:
    """The ground of a stored import, as the owner's rights are now."""
    round_ = Round.objects.filter(pk=batch.round_id).first() if batch.round_id else None
    return make_ground(batch.owner, batch.register, batch.unit, batch.period, round_)


def make_ground(
    account: Account, register: RegisterRow, unit: Unit, period: Period | None, round_: Round | None = None
) -> Ground:
    """Check that an import may be made here at all.

    ForbiddenError where the account does not fill the unit; RefusedError where the period is not one of the register's
    or no unit of the register's level stands below.
    """
    day = day_of(period, round_)
    schema = schema_of(register, day)
    if schema.period is PeriodKind.NONE:
        if period is not None:
            raise RefusedError("period-not-asked", f"“{schema.title}”是常年台账，不分期次")
    elif period is None or period.kind != schema.period:
        kind = Period.Kind(schema.period.value).label
        raise RefusedError("period-missing", f"“{schema.title}”按{kind}填报，请先选定{kind}")
    filling = scope_of(account, Can.FILL)
    line = line_at(unit, day)
    below = descendants_at(unit.pk, day, schema.level.value)
    if not filling.covers(line, register.name):
        below = below.filter(pk__in=filling.units(day).values("pk"))  # a form master imports below a school he reads
        if not below.exists():
            raise ForbiddenError(whose_right(account, Can.FILL))
    found = {code: pk for pk, code in below.values_list("pk", "code")}
    if not found:
        level = Unit.Level(schema.level.value).label
        raise RefusedError("no-units", f"“{schema.title}”按{level}填报，这里 {day:%Y-%m-%d} 没有{level}")
    facts = facts_at(found.values(), day)
    names = {code: facts[pk].name if pk in facts else code for code, pk in sorted(found.items())}
    return Ground(schema, period, day, found, names)

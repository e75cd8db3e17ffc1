"""For which units a person may fill in a register: what the form asks first where there are several."""

from __future__ import annotations

from dataclasses import dataclass

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Unit
from jiaoheng.bureau.core.refusals import ForbiddenError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import facts_at
from jiaoheng.bureau.ledgers.access import whose_right
from jiaoheng.bureau.ledgers.models import RegisterRow
from jiaoheng.bureau.ledgers.registry import schema_of


@dataclass(frozen=True, slots=True)
class FillPlace:
    """A unit that the person fills in for."""

    unit_id: int
    name: str


def fill_places(account: Account, register: RegisterRow, text: str = "") -> list[FillPlace]:
    """The units of the register's level inside the person's FILL scope, by name; narrowed by a part of the name.

    Raises ForbiddenError where the person fills in this register nowhere.
    """
    scope = scope_of(account, Can.FILL)
    if not any(not root.registers or register.name in root.registers for root in scope.roots):
        raise ForbiddenError(whose_right(account, Can.FILL))
    level = schema_of(register).level.value
    ids = list(scope.units(level=level).values_list("pk", flat=True))
    facts = sorted(facts_at(ids, clock.today()).values(), key=lambda one: (one.sort_key, one.unit_id))
    return [FillPlace(one.unit_id, one.name) for one in facts if text.strip() in one.name]


def fits(unit: Unit, register: RegisterRow) -> bool:
    """Whether the register holds records of this unit's level."""
    return bool(unit.level == schema_of(register).level.value)

"""Which register, unit and period an address means: all through the doors, with the person's own as defaults."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.access import access_unit, whole_number
from jiaoheng.bureau.core.models import Account, Period, Unit
from jiaoheng.bureau.core.periods import period_of
from jiaoheng.bureau.core.refusals import NotFoundError
from jiaoheng.bureau.ledgers.models import RegisterRow
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.web.current import current_unit
from jiaoheng.registers.model import PeriodKind


def unit_from(request: HttpRequest, values: Mapping[str, str] | None = None) -> Unit:
    """The unit named by `unit`, else the one of the switcher. Raises NotFoundError."""
    asked = (values or request.GET).get("unit", "")
    if asked:
        return access_unit(request.user, asked)
    found = current_unit(request)
    if found is None:
        raise NotFoundError
    return found


def period_from(register: RegisterRow, account: Account, values: Mapping[str, str]) -> Period | None:
    """The period named by `period` (its id), else the present one of the register's kind; None for a standing register."""
    kind = schema_of(register).period
    if kind is PeriodKind.NONE:
        return None
    asked = values.get("period", "")
    if not asked:
        return period_of(kind.value, clock.today())
    found = Period.objects.filter(pk=whole_number(asked), kind=kind.value).first()
    if found is None:
        raise NotFoundError
    return found

"""Who hands a filing in: the unit itself; the wider right of a district or office counts only once the item is its own."""

from __future__ import annotations

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Unit
from jiaoheng.bureau.core.refusals import ForbiddenError
from jiaoheng.bureau.core.scope import Scope, scope_of
from jiaoheng.bureau.core.tree import name_of
from jiaoheng.bureau.ledgers.access import whose_right
from jiaoheng.bureau.ledgers.models import Filing
from jiaoheng.bureau.ledgers.rounds.owing import FREE, Holder, holders

_WIDE = (Unit.Level.COUNTY, Unit.Level.DISTRICT)


def may_file(account: Account, filing: Filing, holder: Holder) -> bool:
    """Whether an account submits (and takes back) a filing: an approver does not hand in what he approves."""
    register = filing.round.register.name
    for root in scope_of(account, Can.FILL).roots:
        own = root.level not in _WIDE or root.unit_id in (holder.unit_id, filing.unit_id)
        if own and Scope((root,)).covers(filing, register):
            return True
    return False


def require_filer(account: Account, filing: Filing) -> Holder:
    """The holder of a filing that an account may hand in; ForbiddenError says whose it is."""
    holder = holders([filing], clock.today())[filing.pk]
    if may_file(account, filing, holder):
        return holder
    if scope_of(account, Can.FILL).covers(filing, filing.round.register.name):
        if holder.hold in FREE:
            return holder  # nobody files it any more: the caller says why
        name = name_of(filing.unit, filing.round.reference_date)
        raise ForbiddenError(f"“{name}”的台账由本单位提交，您可以审核和退回，不能代交；该单位撤并后才转由上级提交")
    raise ForbiddenError(whose_right(account, Can.FILL))

"""The single door to one object: `access_*` gives it, or raises NotFoundError like for a missing one.

Other apps have doors of their own for their objects in their `access.py`; all use `scope_of`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Attachment, Job, Unit, UnitPath
from jiaoheng.bureau.core.refusals import ForbiddenError, NotFoundError
from jiaoheng.bureau.core.scope import Scope, scope_of
from jiaoheng.bureau.core.tree import line_at

# object type → door of the object that a file hangs on: raises NotFoundError where one may not read it; apps add theirs
READERS: dict[str, Callable[[Account, Attachment], None]] = {}


def whole_number(value: object) -> int:
    """An id from a URL or form; anything that is no number is a missing thing."""
    text = str(value)
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise NotFoundError
    return int(text)


def access_unit(account: Account, unit_id: object, can: Can = Can.READ) -> Unit:
    """A unit inside the account's subtrees today, or at any time its membership's units were above it."""
    unit = Unit.objects.filter(pk=whole_number(unit_id)).first()
    if unit is None:
        raise NotFoundError
    reading = scope_of(account, Can.READ) if can is not Can.READ else None
    scope = scope_of(account, can)
    if _inside(scope, unit):
        return unit
    if reading is not None and _inside(reading, unit):
        raise ForbiddenError("您可以查看这个单位，但没有办理这件事的权限，请联系上级管理员")
    raise NotFoundError


def _inside(scope: Scope, unit: Unit) -> bool:
    wanted = [root.unit_id for root in scope.roots]
    if unit.pk in wanted or scope.covers(line_at(unit, clock.today())):
        return True
    # a district still opens the page of a school that stood under it earlier; the page shows that time only
    return UnitPath.objects.filter(unit=unit, ancestor_id__in=wanted).exists()


def access_account(account: Account, other_id: object, can: Can = Can.ACCOUNTS) -> Account:
    """Another person's account, for those who manage accounts of its unit; one's own always."""
    other = Account.objects.select_related("home").filter(pk=whole_number(other_id)).first()
    if other is None:
        raise NotFoundError
    if other.pk == account.pk:
        return other
    if other.home is None or not scope_of(account, can).covers(line_at(other.home, clock.today())):
        raise NotFoundError
    return other


def access_job(account: Account, job_id: object) -> Job:
    """A job of one's own."""
    found = Job.objects.filter(pk=_uuid(job_id), owner=account).first()
    if found is None:
        raise NotFoundError
    return found


def _uuid(value: object) -> uuid.UUID:
    try:
        return uuid.UUID(str(value))
    except ValueError:
        raise NotFoundError from None


def access_attachment(account: Account, attachment_id: object) -> Attachment:
    """A file that one handed in oneself, or whose unit lies in one's reading scope and whose object one may read."""
    found = Attachment.objects.select_related("unit").filter(pk=_uuid(attachment_id)).first()
    if found is None:
        raise NotFoundError
    if found.kind in ("workbook", "result"):  # what a person uploaded or had made is his own
        if found.owner_id != account.pk:
            raise NotFoundError
        return found
    check = READERS.get(found.object_type)
    if check is not None:
        check(account, found)
        return found
    if found.owner_id == account.pk or scope_of(account, Can.READ).covers(line_at(found.unit, clock.today())):
        return found
    raise NotFoundError

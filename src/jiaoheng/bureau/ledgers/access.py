"""Doors to registers, records, rounds, filings and imports."""

from __future__ import annotations

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.access import READERS, whole_number
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Attachment
from jiaoheng.bureau.core.refusals import ForbiddenError, NotFoundError
from jiaoheng.bureau.core.scope import Scope, scope_of
from jiaoheng.bureau.core.tree import names_at
from jiaoheng.bureau.ledgers.models import Filing, ImportBatch, Record, RecordVersion, RegisterRow, Round


def access_register(account: Account, name: object) -> RegisterRow:
    """A register by name. Schemas are no secret: whoever reads any unit may see which registers there are."""
    found = RegisterRow.objects.filter(name=str(name)).first()
    if found is None or not scope_of(account, Can.READ):
        raise NotFoundError
    return found


def newest_version(record: Record) -> RecordVersion:
    """The newest version of a record, a deletion included."""
    found = RecordVersion.objects.filter(record=record).order_by("-number").first()
    if found is None:
        raise NotFoundError
    return found


def access_record(account: Account, record_id: object, can: Can = Can.READ) -> tuple[Record, RecordVersion]:
    """A record and its newest version, by the row's own line of ancestors: last year's row stays with last year's tree."""
    record = Record.objects.select_related("register", "unit", "period").filter(pk=whole_number(record_id)).first()
    if record is None:
        raise NotFoundError
    version = newest_version(record)
    name = record.register.name
    if not scope_of(account, Can.READ).covers(version, name):
        raise NotFoundError
    if can is not Can.READ and not scope_of(account, can).covers(version, name):
        raise ForbiddenError(whose_right(account, can))
    return record, version


def whose_right(account: Account, can: Can) -> str:
    """The sentence of a 403: the units where the account does have this right."""
    words = {Can.FILL: "填报", Can.APPROVE_DISTRICT: "审核", Can.APPROVE_COUNTY: "审定"}.get(can, "办理")
    scope = scope_of(account, can)
    names = names_at([root.unit_id for root in scope.roots], clock.today())
    if not names:
        return f"您可以查看，但没有{words}的权限"
    return f"您可以查看，但只能{words}{'、'.join(names.values())}的台账"


def access_round(account: Account, round_id: object) -> Round:
    """A round in which some filing lies in one's reading scope, or that one may manage."""
    found = Round.objects.select_related("register", "period", "scope_unit").filter(pk=whole_number(round_id)).first()
    if found is None:
        raise NotFoundError
    reading = scope_of(account, Can.READ)
    if Filing.objects.filter(reading.rows(found.register.name), round=found).exists():
        return found
    if any(root.unit_id == found.scope_unit_id for root in scope_of(account, Can.ROUNDS).roots):
        return found
    raise NotFoundError


def access_filing(account: Account, filing_id: object, can: Can = Can.READ) -> Filing:
    """One unit's filing."""
    related = ("round", "round__register", "round__period", "unit")
    found = Filing.objects.select_related(*related).filter(pk=whole_number(filing_id)).first()
    if found is None:
        raise NotFoundError
    name = found.round.register.name
    if not scope_of(account, Can.READ).covers(found, name):
        raise NotFoundError
    if can is not Can.READ and not scope_of(account, can).covers(found, name):
        raise ForbiddenError(whose_right(account, can))
    return found


def access_import(account: Account, batch_id: object) -> ImportBatch:
    """An import of one's own."""
    found = (
        ImportBatch.objects.select_related("register", "unit", "period", "attachment", "job")
        .filter(pk=whole_number(batch_id), owner=account)
        .first()
    )
    if found is None:
        raise NotFoundError
    return found


def fill_scope(account: Account) -> Scope:
    """Where an account writes records."""
    return scope_of(account, Can.FILL)


def _read_record_file(account: Account, attachment: Attachment) -> None:
    access_record(account, attachment.object_id)


def register_readers() -> None:
    """Tell the core which door guards files that hang on records."""
    READERS["record"] = _read_record_file

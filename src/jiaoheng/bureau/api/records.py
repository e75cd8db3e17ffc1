"""One record: read, make, change, delete, take back, its history. Writing needs the version that was seen."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Header, Path, Query, Router, Status

from jiaoheng.bureau.api.auth import READ, WRITE, account_of
from jiaoheng.bureau.api.problems import ApiProblem
from jiaoheng.bureau.api.registers import router as lists
from jiaoheng.bureau.api.schemas import MOST_ID, Id, Named
from jiaoheng.bureau.api.schemas_ledgers import (
    ChangedOut,
    HistoryOut,
    MomentOut,
    RecordChange,
    RecordIn,
    RecordOut,
    RestoreIn,
    SavedOut,
)
from jiaoheng.bureau.core.access import access_unit
from jiaoheng.bureau.core.models import Period, Unit
from jiaoheng.bureau.core.refusals import ConflictError, NotFoundError
from jiaoheng.bureau.ledgers.access import access_record, access_register
from jiaoheng.bureau.ledgers.actions_records import do_save_record
from jiaoheng.bureau.ledgers.actions_records_more import do_delete_record, do_restore_deleted, do_restore_fields
from jiaoheng.bureau.ledgers.history import history_of
from jiaoheng.bureau.ledgers.listing_query import from_parameters
from jiaoheng.bureau.ledgers.record_values import RecordValues, record_values
from jiaoheng.bureau.ledgers.saving import Saved

router = Router(auth=READ, tags=["records"])
_KEY = r"^[!-~]{1,64}$"
SendKey = Annotated[
    str, Header(alias="Idempotency-Key", pattern=_KEY, description="同一次提交的编号：网络不好重发时不会多存一条")
]
IfMatch = Annotated[str, Header(alias="If-Match", max_length=40, description='看到的那一版，如 "3"')]
_ETAG = re.compile(r'(?:W/)?"?v?(\d{1,15})"?')


@router.get("/records/{int:record_id}", response=RecordOut, operation_id="get_record", summary="一条记录")
def record(
    request: HttpRequest,
    response: HttpResponse,
    record_id: Path[Id],
    as_of: Annotated[str, Query(max_length=40, description="那一天结束时或那一刻的情况")] = "",
) -> RecordOut:
    """The newest version, or the one that held at a moment; ETag is its version."""
    moment: dt.datetime | None = from_parameters({"as_of": [as_of]}).as_of
    found = record_values(account_of(request), record_id, moment)
    response["ETag"] = f'"{found.version}"'
    return record_out(found)


@router.get(
    "/records/{int:record_id}/history", response=HistoryOut, operation_id="get_history", summary="一条记录的历史"
)
def history(request: HttpRequest, record_id: Path[Id]) -> HistoryOut:
    """Who changed what, when, by which way, why, newest first."""
    items = [
        MomentOut(
            kind=one.kind,
            at=one.at,
            who=one.who,
            door=one.door,
            sentence=one.sentence,
            reason=one.reason,
            version=one.number,
            restored_from=one.restored_from,
            changes=[
                ChangedOut(field=each.field, title=each.title, old=each.old, new=each.new) for each in one.changes
            ],
        )
        for one in history_of(account_of(request), record_id)
    ]
    return HistoryOut(items=items)


@lists.post(
    "/registers/{slug:name}/records",
    response={201: SavedOut, 200: SavedOut},
    operation_id="create_record",
    auth=WRITE,
    summary="新建一条记录",
)
def create(request: HttpRequest, name: str, sent: RecordIn, key: SendKey = "") -> Status[SavedOut]:
    """201; the same request with the same Idempotency-Key again: 200 with the same record; other content: 409."""
    account = account_of(request)
    register = access_register(account, name)
    unit = access_unit(account, sent.unit)
    period = _period(sent.period)
    saved = do_save_record(
        register, unit, period, sent.values, reason=sent.reason, resend_key=key, source="api", acting_user=account
    )
    return Status(200 if saved.repeated or not saved.is_new else 201, _saved(saved))


def _period(code: str | None) -> Period | None:
    if code is None:
        return None
    found = Period.objects.filter(code=code).first()
    if found is None:
        told = f"没有期次“{code}”，请用期次列表里的代码"
        raise ApiProblem(400, "period-unknown", told, places={"period": told})
    return found


@router.patch(
    "/records/{int:record_id}", response=SavedOut, operation_id="change_record", auth=WRITE, summary="改一条记录"
)
def change(
    request: HttpRequest, record_id: Path[Id], sent: RecordChange, key: SendKey = "", match: IfMatch = ""
) -> SavedOut:
    """Changes the fields that are sent. 428 without a version; 409 with both versions where somebody changed it since."""
    account = account_of(request)
    found, _newest = access_record(account, record_id)
    base = base_of(match, sent.base)
    unit: Unit = found.unit
    try:
        saved = do_save_record(
            found.register,
            unit,
            found.period,
            sent.values,
            record_id=found.pk,
            base=base,
            reason=sent.reason,
            resend_key=key,
            source="api",
            acting_user=account,
        )
    except ConflictError as error:
        raise _with_current(request, record_id, error) from error
    return _saved(saved)


@router.delete(
    "/records/{int:record_id}", response=SavedOut, operation_id="delete_record", auth=WRITE, summary="删除一条记录"
)
def delete(
    request: HttpRequest,
    record_id: Path[Id],
    reason: Annotated[str, Query(min_length=1, max_length=500, description="为什么删，写入历史")],
    match: IfMatch = "",
) -> SavedOut:
    """Its history stays, and it can be taken back."""
    base = base_of(match, None)
    try:
        saved = do_delete_record(record_id, base=base, reason=reason, acting_user=account_of(request))
    except ConflictError as error:
        raise _with_current(request, record_id, error) from error
    return _saved(saved)


@router.post(
    "/records/{int:record_id}/undelete",
    response=SavedOut,
    operation_id="undelete_record",
    auth=WRITE,
    summary="恢复删除的记录",
)
def undelete(request: HttpRequest, record_id: Path[Id]) -> SavedOut:
    """Take a deleted record back as it was; refused where its key is used by another one now."""
    return _saved(do_restore_deleted(record_id, acting_user=account_of(request)))


@router.post(
    "/records/{int:record_id}/restore", response=SavedOut, operation_id="restore_record", auth=WRITE, summary="还原几项"
)
def restore(request: HttpRequest, record_id: Path[Id], sent: RestoreIn, match: IfMatch = "") -> SavedOut:
    """Put chosen fields back to what version `version` said; the others stay."""
    base = base_of(match, sent.base)
    try:
        saved = do_restore_fields(
            record_id, sent.version, sent.names, base=base, reason=sent.reason, acting_user=account_of(request)
        )
    except ConflictError as error:
        raise _with_current(request, record_id, error) from error
    return _saved(saved)


def base_of(match: str, given: int | None) -> int:
    """The version that was seen, from If-Match or the body. ApiProblem 428 without, 400 where they differ."""
    if match:
        found = _ETAG.fullmatch(match.strip())
        if found is None or (given is not None and int(found[1]) != given):
            raise ApiProblem(400, "version-unreadable", f'If-Match“{match}”无法识别，请写看到的版本号，如 "3"')
        return min(int(found[1]), MOST_ID)
    if given is None:
        told = "没有说明是在哪一版上改的，请先读出来，再把版本号写在 If-Match 或内容里"
        raise ApiProblem(428, "version-needed", told, places={"If-Match": "请写看到的版本号"})
    return given


def _with_current(request: HttpRequest, record_id: int, error: ConflictError) -> ConflictError:
    """The conflict with the version that stands now, as this reader may see it."""
    try:
        now = record_values(account_of(request), record_id)
    except NotFoundError:
        return error
    error.detail["current"] = record_out(now).model_dump(mode="json")
    return error


def _saved(saved: Saved) -> SavedOut:
    return SavedOut(
        id=saved.record_id,
        version=saved.number,
        created=saved.is_new,
        repeated=saved.repeated,
        unchanged=saved.unchanged,
        warnings=dict(saved.warnings),
    )


def record_out(one: RecordValues) -> RecordOut:
    """A record as it is sent."""
    return RecordOut(
        id=one.record_id,
        register_name=one.register,
        version=one.version,
        schema_version=one.schema_version,
        unit=Named(id=one.unit.pk, name=one.unit_name),
        period_id=one.period_id,
        period=one.period_code,
        name=one.name,
        deleted=one.deleted,
        changed_at=one.changed_at,
        changed_by=one.changed_by,
        reason=one.reason,
        values=one.values,
    )

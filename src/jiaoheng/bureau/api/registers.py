"""Registers, their schemas, their records as pages and as one file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from jiaoheng.bureau.api.auth import EXPORT, READ, account_of
from jiaoheng.bureau.api.paging import Paging
from jiaoheng.bureau.api.schemas import Id
from jiaoheng.bureau.api.schemas_ledgers import FieldOut, RegisterOut, RowOut, RowsOut, SchemaOut
from jiaoheng.bureau.core.refusals import NotFoundError
from jiaoheng.bureau.ledgers.access import access_register
from jiaoheng.bureau.ledgers.bulk_read import bulk_read
from jiaoheng.bureau.ledgers.listing_query import ListQuery, from_parameters
from jiaoheng.bureau.ledgers.listing_values import values_page
from jiaoheng.bureau.ledgers.registry import registers_of, schema_of, schema_versions
from jiaoheng.registers.model import Field as RegisterField
from jiaoheng.registers.model import Register, as_schema

router = Router(auth=READ, tags=["registers"])
_FILTER = r"^[A-Za-z0-9_]{1,60}:(is|in|from|to|begins|blank|filled)(:[^\x00]{0,200})?$"
Filters = Annotated[
    list[Annotated[str, Field(pattern=_FILTER)]],
    Field(max_length=30, description="字段:方式:值，如 total:from:45；方式 is in from to begins blank filled"),
]


class ListAsked(Schema):
    """What a list is asked for."""

    period: Annotated[Id, Field(description="期次的 id")] | None = None
    unit: Annotated[Id, Field(description="这个单位及其下属")] | None = None
    filter: Filters = []
    q: Annotated[str, Field(max_length=100, description="含有这些字；证件号要写全")] = ""
    sort: Annotated[str, Field(pattern=r"^-?[A-Za-z0-9_]{0,60}$", description="可筛选的字段，前面加 - 为倒序")] = ""
    columns: Annotated[str, Field(max_length=2000, description="要哪些字段，逗号分开；不写为全部")] = ""
    as_of: Annotated[str, Field(max_length=40, description="那一天结束时（2025-10-15）或那一刻的情况")] = ""
    id: Annotated[list[Id], Field(max_length=100, description="只要这些记录")] = []


class RowsAsked(ListAsked, Paging):
    """What one page of a list is asked for."""

    count: Annotated[bool, Field(description="同时数出总数")] = False


@router.get("/registers", response=list[RegisterOut], operation_id="list_registers", summary="台账")
def registers(request: HttpRequest) -> list[RegisterOut]:
    """Every register that one may see, with what lies in one's scope."""
    return [
        RegisterOut(
            name=one.name,
            title=one.title,
            description=one.description,
            office=one.office,
            version=one.version,
            effective_from=one.effective_from,
            level=one.level.value,
            period=one.period.value,
            records=one.records,
            units=one.units,
            changed_at=one.changed_at,
        )
        for one in registers_of(account_of(request))
    ]


@router.get("/registers/{slug:name}", response=SchemaOut, operation_id="get_register", summary="一个台账的表样")
def register(
    request: HttpRequest,
    name: str,
    version: Annotated[int, Query(ge=1, le=100_000, description="第几版，不写为今天的")] | None = None,
) -> SchemaOut:
    """What the register asks, in the version of today or another one."""
    row = access_register(account_of(request), name)
    if version is None:
        return _schema(schema_of(row))
    found = next((one for one in schema_versions(row) if one.version == version), None)
    if found is None:
        raise NotFoundError
    return _schema(found)


def _schema(one: Register) -> SchemaOut:
    return SchemaOut(
        name=one.name,
        title=one.title,
        version=one.version,
        effective_from=one.effective_from,
        level=one.level.value,
        period=one.period.value,
        key=list(one.key),
        description=one.description,
        columns=[_field(one, each) for each in one.fields],
    )


def _field(schema: Register, one: RegisterField) -> FieldOut:
    return FieldOut(
        name=one.name,
        type=one.type.value,
        title=one.title,
        help=one.help,
        unit=one.unit,
        group=one.group,
        required=one.required,
        unique=one.unique,
        minimum=_bound(one.minimum),
        maximum=_bound(one.maximum),
        max_length=one.max_length,
        decimals=one.decimals,
        codes=one.codes,
        reference=one.reference,
        filter=one.name in schema.slots,
        protected=bool(one.sensitive),
    )


def _bound(value: Any) -> str | None:
    return None if value is None else str(as_schema(value))


@router.get("/registers/{slug:name}/records", response=RowsOut, operation_id="list_records", summary="台账的记录")
def records(request: HttpRequest, name: str, asked: Query[RowsAsked]) -> RowsOut:
    """Records of one's own scope, filtered, sorted, paged by key; protected columns are masked."""
    query = query_of(asked)
    found = values_page(account_of(request), name, query, after=asked.cursor, size=asked.limit, with_count=asked.count)
    items = [
        RowOut(
            id=one.record_id,
            version=one.version,
            unit_id=one.unit_id,
            unit_name=one.unit_name,
            period_id=one.period_id,
            period=one.period_code,
            schema_version=one.schema_version,
            name=one.name,
            values=one.values,
        )
        for one in found.rows
    ]
    return RowsOut(items=items, next=found.after or None, total=found.total)


def query_of(asked: ListAsked) -> ListQuery:
    """The question of a list. RefusedError `list-parameter` for what cannot be read."""
    pairs: dict[str, list[str]] = {}
    for one in asked.filter:
        field, operator, *rest = one.split(":", 2)
        value = rest[0] if rest else "1" if operator in ("blank", "filled") else ""
        pairs.setdefault(f"f.{field}.{operator}", []).append(value)
    pairs |= {
        name: [str(value)]
        for name in ("period", "unit", "q", "sort", "columns", "as_of")
        if (value := getattr(asked, name))
    }
    pairs["id"] = [str(one) for one in asked.id]
    return from_parameters(pairs)


class FileAsked(ListAsked):
    """What a whole file is asked for."""

    format: Literal["csv", "parquet"] = "csv"


@router.get(
    "/registers/{slug:name}/file",
    operation_id="read_register",
    auth=EXPORT,
    summary="整个台账一次取走",
    response={200: None},
    openapi_extra={
        "responses": {
            200: {
                "description": "OK",
                "content": {
                    "text/csv": {"schema": {"type": "string"}},
                    "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
                },
            }
        }
    },
)
def whole(request: HttpRequest, name: str, asked: Query[FileAsked]) -> HttpResponse:
    """Every row of the list as CSV (UTF-8, streamed) or Parquet (typed); masked, as it stands or stood; one entry each."""
    row = access_register(account_of(request), name)
    made = bulk_read(row, query_of(asked), form=asked.format, acting_user=account_of(request))
    if made.path is not None:
        response = FileResponse(made.path.open("rb"), content_type="application/vnd.apache.parquet")
        made.path.unlink()  # the open file is served; nothing stays on the disk
    else:
        response = StreamingHttpResponse(made.lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{row.name}.{asked.format}"'
    response["X-Row-Count"] = str(made.count)
    return response

"""`snapshot(register, as_of)`: a register's records as they stood on a day, as a typed table for figures.

Columns of the record itself begin with `_` (no field may): `_record`, `_version`, `_unit`, `_period`, the ids of the
ancestors at the record's own date `_county`, `_district`, `_school`, `_class`, `_schema` (表样版本), `_valid_from` and
`_valid_to` (naive UTC). The other columns are the fields over all versions of the register up to that day: a renamed
field is one column, a dropped one stays, what was not asked is NULL and so counts in no mean.

| field type | column type |
|---|---|
| integer | BIGINT |
| number | DECIMAL(38, n), exact |
| date, datetime | DATE, TIMESTAMP (naive UTC) |
| boolean | BOOLEAN |
| array, file | VARCHAR[] |
| anything else | VARCHAR |
"""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING, Any

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Period
from jiaoheng.bureau.ledgers.models import Filing, RegisterRow
from jiaoheng.bureau.ledgers.registry import schema_versions
from jiaoheng.bureau.ledgers.snapshot_columns import RECORD_HEADS, columns_of, heads_on, version_on
from jiaoheng.bureau.ledgers.snapshot_files import parquet_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

_engines = threading.local()  # a DuckDB connection serves one thread
AsOf = dt.date | dt.datetime | None


def snapshot(
    register: RegisterRow | str, as_of: AsOf = None, *, period: Period | None = None, approved: bool = False
) -> ir.Table:
    """The records as they stood at `as_of`: a moment, the end of a day in Beijing, or now.

    period: only that period's. approved: of each unit and period the versions that were approved, none where nothing
    was. Raises LookupError where the register is unknown or has no schema.
    """
    import ibis

    row = _row(register)
    versions = schema_versions(row)
    if not versions:
        raise LookupError(f"register {row.name} has no schema")
    table = engine().read_parquet(str(parquet_of(row, versions)))
    moment = moment_of(as_of)
    if period is not None:
        table = table.filter(table["_period"] == period.pk)
    if approved:
        table = _approved(table, row, period, moment)
    else:
        at = ibis.literal(_naive(moment))
        table = table.filter(table["_valid_from"] <= at, table["_valid_to"].isnull() | (table["_valid_to"] > at))
    number = version_on(versions, day_of(as_of))
    known = [one.name for one in columns_of(versions) if one.since <= number]
    return table.select(*RECORD_HEADS, *known)


def heads(register: RegisterRow | str, as_of: AsOf = None) -> dict[str, str]:
    """Column → its head as of the day: 电脑台数 before the register called it 计算机台数."""
    return heads_on(schema_versions(_row(register)), day_of(as_of))


def engine() -> Any:
    """This thread's engine connection."""
    from jiaoheng.engine.connection import connect

    found = getattr(_engines, "connection", None)
    if found is None:
        found = _engines.connection = connect()
    return found


def moment_of(as_of: AsOf) -> dt.datetime:
    """The moment that is meant: a day means its last microsecond in Beijing."""
    if as_of is None:
        return clock.now()
    if isinstance(as_of, dt.datetime):
        return as_of.astimezone(dt.UTC)
    return clock.at_end_of(as_of).replace(microsecond=999_999)


def day_of(as_of: AsOf) -> dt.date:
    """The day in Beijing that a moment lies in; whose heads and labels are shown."""
    return clock.local(moment_of(as_of)).date()


def _row(register: RegisterRow | str) -> RegisterRow:
    if isinstance(register, RegisterRow):
        return register
    found = RegisterRow.objects.filter(name=register).first()
    if found is None:
        raise LookupError(f"no register {register}")
    return found


def _naive(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC).replace(tzinfo=None)


def _approved(table: ir.Table, row: RegisterRow, period: Period | None, moment: dt.datetime) -> ir.Table:
    """Of each unit and period the versions of the moment that its newest approval belongs to."""
    import ibis

    filings = Filing.objects.filter(round__register=row, approved_as_of__lte=moment)
    if period is not None:
        filings = filings.filter(round__period=period)
    newest: dict[tuple[int, int], dt.datetime] = {}
    for unit, when, at in filings.values_list("unit_id", "round__period_id", "approved_as_of").order_by(
        "approved_as_of"
    ):
        newest[unit, when or 0] = _naive(at)
    rows = [(unit, when, at) for (unit, when), at in newest.items()]
    shape = ibis.schema({"a_unit": "int64", "a_period": "int64", "a_at": "timestamp"})
    columns = list(zip(*rows, strict=True)) if rows else [(), (), ()]
    import polars as pl

    frame = pl.DataFrame(
        {
            "a_unit": pl.Series(columns[0], dtype=pl.Int64),
            "a_period": pl.Series(columns[1], dtype=pl.Int64),
            "a_at": pl.Series(columns[2], dtype=pl.Datetime("us")),
        }
    )
    given = ibis.memtable(frame, schema=shape)
    joined = table.join(given, [table["_unit"] == given["a_unit"], table["_period"].fill_null(0) == given["a_period"]])
    at = joined["a_at"]
    return joined.filter(joined["_valid_from"] <= at, joined["_valid_to"].isnull() | (joined["_valid_to"] > at))

"""A whole register for a program: CSV line by line, or Parquet with typed columns; masked, as of any moment, one entry."""

from __future__ import annotations

import csv
import datetime as dt
import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiaoheng.bureau.core import audit, clock, limits
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.ledgers.list_words import query_words
from jiaoheng.bureau.ledgers.listing import count
from jiaoheng.bureau.ledgers.listing_columns import layout_of
from jiaoheng.bureau.ledgers.listing_query import ListQuery
from jiaoheng.bureau.ledgers.listing_values import ValueRow, iter_values, list_fields
from jiaoheng.bureau.ledgers.models import RegisterRow
from jiaoheng.documents.safe_text import neutralise
from jiaoheng.registers.model import Field, FieldType, Value

if TYPE_CHECKING:
    import polars as pl

MOST = {"csv": 2_000_000, "parquet": 500_000}  # rows: a parquet file is made in memory
HEADS = ("_record", "_version", "_unit", "_unit_name", "_period", "_schema")  # no field may begin with _


@dataclass(frozen=True, slots=True)
class BulkRead:
    """What was made: `lines` of a CSV, or the `path` of a Parquet file that the receiver removes."""

    count: int
    lines: Iterator[str] | None
    path: Path | None


def bulk_read(register: RegisterRow, query: ListQuery, *, form: str, acting_user: Account) -> BulkRead:
    """Every row of a list (`listing_values`) as `csv` or `parquet`, noted as an export before the first byte leaves.

    RefusedError `export-too-large` with both numbers, and those of the list; all before anything is sent.
    """
    rows = count(acting_user, register.name, query)
    limits.check_export(acting_user, rows)
    if rows > MOST[form]:
        told = f"共 {rows:,} 行，一次最多取 {MOST[form]:,} 行。请分单位或分期次取"
        raise RefusedError("export-too-large", told)
    fields = list_fields(acting_user, register.name, query)
    parts = iter_values(acting_user, register.name, query)
    day = clock.local(query.as_of).date() if query.as_of else clock.today()
    audit.note(
        "export",
        actor=acting_user,
        about=("register", register.pk, register.title),
        unit_id=acting_user.home_id,
        count=rows,
        reason=f"接口取 {form}，{query_words(layout_of(register, day), query)}",
    )
    if form == "csv":
        return BulkRead(rows, _lines(fields, parts), None)
    return BulkRead(rows, None, _parquet(fields, parts))


def _lead(row: ValueRow) -> list[Any]:
    return [row.record_id, row.version, row.unit_id, row.unit_name, row.period_code, row.schema_version]


def _lines(fields: Sequence[Field], parts: Iterator[list[ValueRow]]) -> Iterator[str]:
    """RFC 4180 with CRLF; lists joined by 、; a text that a spreadsheet would run gets a leading apostrophe, since a
    CSV ends up in one sooner or later. Parquet has the exact texts."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([*HEADS, *(one.name for one in fields)])
    for part in parts:
        for row in part:
            lead = [neutralise(one) if isinstance(one, str) else one for one in _lead(row)]
            writer.writerow([*lead, *(_csv_text(one, row.values.get(one.name)) for one in fields)])
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()


def _csv_text(one: Field, value: Value | None) -> str:
    number = one.type in (FieldType.INTEGER, FieldType.NUMBER) and not one.sensitive
    return _text(value) if number else neutralise(_text(value))


def _text(value: Value | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "、".join(value) if isinstance(value, list) else str(value)


def _parquet(fields: Sequence[Field], parts: Iterator[list[ValueRow]]) -> Path:
    import polars as pl

    frames = [_frame(fields, part) for part in parts] or [_frame(fields, [])]
    with tempfile.NamedTemporaryFile(suffix=".parquet", delete=False) as file:
        path = Path(file.name)
    try:
        pl.concat(frames, how="vertical").write_parquet(path, compression="zstd")
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _frame(fields: Sequence[Field], rows: Sequence[ValueRow]) -> pl.DataFrame:
    import polars as pl

    leads = list(zip(*(_lead(row) for row in rows), strict=True)) if rows else [()] * len(HEADS)
    kinds = (pl.Int64, pl.Int64, pl.Int64, pl.String, pl.String, pl.Int64)
    made = {name: pl.Series(name, column, dtype=kind) for name, column, kind in zip(HEADS, leads, kinds, strict=True)}
    for one in fields:
        made[one.name] = _column(one, [row.values.get(one.name) for row in rows])
    return pl.DataFrame(made)


_SCALE = 6  # decimals of a number whose register does not say how many


def _column(one: Field, values: Sequence[Value | None]) -> pl.Series:
    """A typed column; a value that an earlier version stored in another type is null in it."""
    import polars as pl

    kind: Any = pl.String
    make: Callable[[Any], Any] = _text
    if one.sensitive:
        pass
    elif one.type in (FieldType.ARRAY, FieldType.FILE):
        kind, make = pl.List(pl.String), list
    elif one.type is FieldType.BOOLEAN:
        kind, make = pl.Boolean, bool
    elif one.type is FieldType.INTEGER:
        kind, make = pl.Int64, int
    elif one.type is FieldType.NUMBER:
        kind, make = pl.Decimal(38, _SCALE if one.decimals is None else one.decimals), _decimal
    elif one.type is FieldType.DATE:
        kind, make = pl.Date, dt.date.fromisoformat
    elif one.type is FieldType.DATETIME:
        kind, make = pl.Datetime("us", "UTC"), _moment
    return pl.Series(one.name, [_made(make, value) for value in values], dtype=kind)


def _made(make: Callable[[Any], Any], value: Value | None) -> Any:
    if value is None:
        return None
    try:
        return make(value)
    except (ValueError, TypeError, ArithmeticError):
        return None


def _decimal(value: Any) -> Decimal:
    return Decimal(str(value))


def _moment(value: Any) -> dt.datetime:
    return dt.datetime.fromisoformat(value).astimezone(dt.UTC)

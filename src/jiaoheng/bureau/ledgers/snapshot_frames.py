"""The rows of a register's versions as a typed table: all of them, or those of an older table and what came since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import orjson
from django.db import connection

from jiaoheng.bureau.ledgers import bulk
from jiaoheng.bureau.ledgers.models import RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.snapshot_columns import Column
from jiaoheng.registers.model import FieldType

if TYPE_CHECKING:
    import polars as pl

_PART = 20_000  # rows fetched at a time: memory stays small, decoding stays wide
_MOST_SCALE = 18  # of the 38 digits that a DECIMAL has
_IDS = (
    "record_id",
    "number",
    "unit_id",
    "period_id",
    "county_id",
    "district_id",
    "school_id",
    "class_id",
    "schema_version",
)
_ID_NAMES = ("_record", "_version", "_unit", "_period", "_county", "_district", "_school", "_class", "_schema")


def whole(row: RegisterRow, columns: Sequence[Column], newest: int) -> pl.DataFrame:
    """Every version up to the newest one of a state."""
    return _frame(row, columns, 0, newest)


def added(row: RegisterRow, since: int) -> int:
    """How many versions came after one."""
    return int(RecordVersion.objects.filter(register=row, pk__gt=since).count())


def carried_on(
    older: pl.DataFrame, row: RegisterRow, columns: Sequence[Column], since: int, newest: int
) -> pl.DataFrame:
    """The table of the versions up to `since` with what came after it; versions that were closed meanwhile end."""
    import polars as pl

    came = RecordVersion.objects.filter(register=row, pk__gt=since, pk__lte=newest)  # a deletion closes too
    records = sorted(set(came.values_list("record_id", flat=True)))
    ends: list[tuple[Any, ...]] = []
    for part in bulk.chunks(records):
        closed = RecordVersion.objects.filter(record_id__in=part, pk__lte=since, valid_to__isnull=False)
        ends += closed.values_list("record_id", "number", "valid_to")
    closing = pl.DataFrame(
        {
            "_record": pl.Series([one[0] for one in ends], dtype=pl.Int64),
            "_version": pl.Series([one[1] for one in ends], dtype=pl.Int64),
            "_end": _moments("_end", [one[2] for one in ends]),
        }
    )
    kept = older.join(closing, on=["_record", "_version"], how="left", maintain_order="left")
    kept = kept.with_columns(pl.coalesce("_end", "_valid_to").alias("_valid_to")).select(older.columns)
    fresh = _frame(row, columns, since, newest)
    scales = {
        name: max(kind.scale, fresh.schema[name].scale)  # type: ignore[attr-defined]
        for name, kind in older.schema.items()
        if isinstance(kind, pl.Decimal)
    }
    same = [pl.col(name).cast(pl.Decimal(38, scale)) for name, scale in scales.items()]
    return pl.concat([kept.with_columns(same), fresh.with_columns(same)], how="vertical")


def _frame(row: RegisterRow, columns: Sequence[Column], since: int, newest: int) -> pl.DataFrame:
    import polars as pl

    parts = [_typed(part, columns) for part in _parts(row, since, newest)] or [_typed([], columns)]
    frame = pl.concat(parts, how="vertical")
    return frame.with_columns(
        _number(one, frame.get_column(one.name)) for one in columns if one.type is FieldType.NUMBER
    )


def _parts(row: RegisterRow, since: int, newest: int) -> Iterator[list[tuple[Any, ...]]]:
    names = ", ".join(connection.ops.quote_name(one) for one in (*_IDS, "valid_from", "valid_to", "data"))
    table = connection.ops.quote_name(RecordVersion._meta.db_table)
    sql = f"SELECT {names} FROM {table} WHERE register_id = %s AND id > %s AND id <= %s AND NOT deleted ORDER BY id"  # noqa: S608 (names are ours)
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, [row.pk, since, newest])
        while part := cursor.fetchmany(_PART):
            yield part


def _typed(part: Sequence[tuple[Any, ...]], columns: Sequence[Column]) -> pl.DataFrame:
    import polars as pl

    listed = {FieldType.ARRAY, FieldType.FILE}
    names = {name: one for one in columns for name in one.names}
    shape = pl.Struct(
        {name: pl.List(pl.String) if one.type in listed else pl.String for name, one in names.items()}
        or {"_": pl.String}
    )
    taken = list(zip(*part, strict=True)) if part else [()] * (len(_IDS) + 3)
    frame = pl.DataFrame(
        {name: pl.Series(name, taken[place], dtype=pl.Int64) for place, name in enumerate(_ID_NAMES)}
        | {
            "_valid_from": _moments("_valid_from", taken[-3]),
            "_valid_to": _moments("_valid_to", taken[-2]),
            "_data": pl.Series("_data", [_text(one) for one in taken[-1]], dtype=pl.String),
        }
    )
    frame = frame.with_columns(pl.col("_data").str.json_decode(shape))
    values = [
        pl.coalesce(pl.col("_data").struct.field(name) for name in one.names).pipe(_cast, one.type).alias(one.name)
        for one in columns
    ]
    return frame.select(*_ID_NAMES, "_valid_from", "_valid_to", *values)


def _cast(value: pl.Expr, kind: FieldType) -> pl.Expr:
    import polars as pl

    if kind is FieldType.INTEGER:
        return value.cast(pl.Int64, strict=False)
    if kind is FieldType.BOOLEAN:
        return value.eq("true")
    if kind is FieldType.DATE:
        return value.str.to_date("%Y-%m-%d", strict=False)
    if kind is FieldType.DATETIME:
        return value.str.strip_suffix("Z").str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False, time_unit="us")
    return value  # numbers are cast when the scale of all of them is known


def _number(one: Column, values: pl.Series) -> pl.Series:
    """Exact decimals: the scale that the schema says, or that of the longest number there is."""
    import polars as pl

    scale = one.decimals or 0
    found = values.str.extract(r"\.([0-9]+)$").str.len_bytes().max()
    scale = max(scale, int(found) if isinstance(found, int) else 0)
    return values.cast(pl.Decimal(38, min(scale, _MOST_SCALE)), strict=False).alias(one.name)


def _moments(name: str, values: Sequence[Any]) -> pl.Series:
    """Moments as naive UTC: SQLite keeps them as text with or without a fraction, PostgreSQL gives datetimes."""
    import polars as pl

    if any(isinstance(one, str) for one in values):
        text = pl.Series(name, values, dtype=pl.String)
        whole = text.str.slice(0, 19).str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us")
        micro = text.str.slice(20, 6).str.pad_end(6, "0").cast(pl.Int64, strict=False).fill_null(0)
        return (whole + micro.cast(pl.Duration("us"))).alias(name)
    return pl.Series(name, values, dtype=pl.Datetime("us", "UTC" if any(values) else None)).dt.replace_time_zone(None)


def _text(data: Any) -> str:
    return data if isinstance(data, str) else orjson.dumps(data).decode()

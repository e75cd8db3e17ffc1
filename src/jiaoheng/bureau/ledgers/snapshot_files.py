"""All versions of a register's records as one typed Parquet file, made once for each state of the register.

The file is named after the state: how many versions there are, which is the newest, which schemas hold. So a file is
never wrong, only superseded; two processes that make the same one at once replace it with an equal one.
"""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from django.conf import settings
from django.db import connection
from django.db.models import Count, Max

from jiaoheng.bureau.core import durable
from jiaoheng.bureau.core.models import UnitPath, UnitSuccession
from jiaoheng.bureau.ledgers.models import RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.snapshot_columns import Column, columns_of
from jiaoheng.registers.model import FieldType, Register

if TYPE_CHECKING:
    import polars as pl

_LAYOUT = 1  # raise when the file's columns change
MOST_BYTES = 2 << 30
_GRACE = 3600  # seconds that a superseded file stays: a query that began on it must end on it
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


def parquet_of(row: RegisterRow, versions: Sequence[Register]) -> Path:
    """The file of the register's present state, made if it is not there."""
    path = _folder() / row.name / f"{_mark(row)}.parquet"
    if path.is_file():
        _touch(path)
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = _frame(row, columns_of(versions))
    temporary = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        frame.write_parquet(temporary, compression="zstd", compression_level=1)
        durable.keep(temporary)  # a half file under a name that is never stale would be read for good
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sweep(keep=path)
    return path


def sweep(keep: Path | None = None) -> int:
    """Remove superseded files that nobody touched for an hour, then the oldest while all are too large; how many."""
    files = sorted(_stats(_folder().rglob("*.parquet")), key=lambda one: one[1])
    newest = {path.parent: path for path, _at, _size in files}
    total, removed, limit = sum(size for _path, _at, size in files), 0, time.time() - _GRACE
    for path, at, size in files:
        if path == keep or at > limit:
            continue
        if newest[path.parent] != path or total > MOST_BYTES:
            path.unlink(missing_ok=True)
            total, removed = total - size, removed + 1
    for part, at, _size in _stats(_folder().rglob(".*.part")):
        if at < limit:  # of a process that was killed
            part.unlink(missing_ok=True)
            removed += 1
    return removed


def _folder() -> Path:
    return Path(settings.SNAPSHOTS)


def _stats(paths: Iterator[Path]) -> list[tuple[Path, float, int]]:
    found = []
    for path in paths:
        try:
            stat = path.stat()
        except FileNotFoundError:  # another process swept it
            continue
        found.append((path, stat.st_mtime, stat.st_size))
    return found


def _touch(path: Path) -> None:
    try:
        os.utime(path)
    except FileNotFoundError:
        return


def _mark(row: RegisterRow) -> str:
    """What the file depends on. The count too: of two transactions the later number may be committed first."""
    stored = RecordVersion.objects.filter(register=row)
    found = stored.aggregate(count=Count("pk"), newest=Max("pk"))
    last = stored.filter(pk=found["newest"]).values_list("valid_from", "author_name", "data").first()
    schemas = row.versions.order_by("number").values_list("hash", flat=True)
    # a back-dated change of the tree corrects the ancestors of rows in place (relining), and always leaves one of these
    paths = UnitPath.objects.aggregate(count=Count("pk"), newest=Max("pk"))
    moved = UnitSuccession.objects.aggregate(newest=Max("pk"))["newest"]
    parts = [_LAYOUT, found["count"], found["newest"], paths["count"], paths["newest"], moved, *schemas, repr(last)]
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()[:32]


def _frame(row: RegisterRow, columns: Sequence[Column]) -> pl.DataFrame:
    import polars as pl

    parts = [_typed(part, columns) for part in _parts(row)] or [_typed([], columns)]
    whole = pl.concat(parts, how="vertical")
    return whole.with_columns(
        _number(one, whole.get_column(one.name)) for one in columns if one.type is FieldType.NUMBER
    )


def _parts(row: RegisterRow) -> Iterator[list[tuple[Any, ...]]]:
    names = ", ".join(connection.ops.quote_name(one) for one in (*_IDS, "valid_from", "valid_to", "data"))
    table = connection.ops.quote_name(RecordVersion._meta.db_table)
    sql = f"SELECT {names} FROM {table} WHERE register_id = %s AND NOT deleted ORDER BY id"  # noqa: S608 (names are ours)
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, [row.pk])
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

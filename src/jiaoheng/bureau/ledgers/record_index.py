"""Records in the search index: at once for a few, by the worker for a whole file.

A record is found by its identity and by its searchable fields; protected values never enter the index (P06).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction

from jiaoheng.bureau.core import jobs, search_index
from jiaoheng.bureau.core.models import Job
from jiaoheng.bureau.core.tree import Line
from jiaoheng.bureau.ledgers.bulk import chunks
from jiaoheng.bureau.ledgers.changes import carried, period_day
from jiaoheng.bureau.ledgers.masking_rules import identity_words
from jiaoheng.bureau.ledgers.models import RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.models.records import CURRENT
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.registers.model import Data, FieldType, Register

AT_ONCE = 2_000  # records: an entry has some twenty grams, so a larger file would keep its person waiting
KIND = "search-records"
_PART = 5_000
_MOST_JOBS = 50
Entry = tuple[object, str, Sequence[str], Line]


def is_searched(schema: Register) -> bool:
    """Whether the records of a register are in the index."""
    return any(one.search for one in schema.fields)


def index_now(schema: Register, rows: Iterable[tuple[int, Data, Line]], *, fresh: bool = False) -> None:
    """Index records given as (id, content, line of the unit), replacing what stood there."""
    codes = [one.name for one in schema.fields if one.search and not one.sensitive and one.type is FieldType.STRING]
    at = period_day(None)
    entries: list[Entry] = []
    for record_id, data, line in rows:
        name = identity_words(schema, data, at)
        entries.append((record_id, name, [str(data[code]) for code in codes if code in data], line))
    search_index.index_records(schema.name, entries, fresh=fresh)


def index_later(row: RegisterRow, count: int, batch_at: str) -> None:
    """Let the worker index what was written to a register from a moment on."""
    arguments = {"register": row.name, "since": batch_at}
    jobs.enqueue(KIND, f"“{row.title}”{count} 条记录编入检索", arguments, owner=None)


def indexing_words(registers: Iterable[str] | None = None) -> str:
    """What a search says while the worker has not yet indexed a large writing: of these registers, of all for None."""
    rows = Job.objects.filter(kind=KIND, state__in=(Job.State.WAITING, Job.State.RUNNING))
    waiting = {str(one.get("register", "")) for one in rows.values_list("arguments", flat=True)[:_MOST_JOBS]}
    found = waiting if registers is None else waiting & set(registers)
    if not found:
        return ""
    titles = "、".join(RegisterRow.objects.filter(name__in=found).order_by("pk").values_list("title", flat=True))
    return f"“{titles}”刚导入的记录还在编入检索，几分钟内可以查到；不查找时列表里已经有这些记录"


@jobs.kind(KIND)
def index_written(run: jobs.Run) -> dict[str, Any]:
    """Index the current records of a register whose newest version is not older than a moment."""
    row = RegisterRow.objects.get(name=run.arguments["register"])
    rows = RecordVersion.objects.filter(CURRENT, register=row)
    if run.arguments.get("since"):
        rows = rows.filter(valid_from__gte=run.arguments["since"])
    ids = list(rows.order_by("record_id").values_list("pk", flat=True))
    schema = schema_of(row)
    run.progress(0, len(ids))
    with transaction.atomic():
        run.seal({"count": len(ids)})
        for start in range(0, len(ids), _PART):
            run.progress(start, len(ids))
            _index_versions(schema, ids[start : start + _PART])
    return {"count": len(ids)}


def _index_versions(schema: Register, version_ids: Sequence[int]) -> None:
    columns = ("record_id", "data", "unit_id", "county_id", "district_id", "school_id", "class_id")
    for part in chunks(version_ids):
        rows = RecordVersion.objects.filter(pk__in=part).values_list(*columns)
        index_now(schema, ((one[0], carried(schema, one[1]), Line(*one[2:])) for one in rows))


def index_changes(
    row: RegisterRow,
    schema: Register,
    lines: Mapping[int, Line],
    kept: Sequence[tuple[int, int, Data]],
    gone: Sequence[int],
    *,
    fresh: bool,
    since: str,
) -> None:
    """After a writing: `kept` as (record id, unit id, content), `gone` the deleted ones."""
    if not is_searched(schema):
        return
    search_index.drop("record", gone)
    if len(kept) > AT_ONCE:
        index_later(row, len(kept), since)
    else:
        index_now(schema, ((record, data, lines[unit]) for record, unit, data in kept), fresh=fresh)

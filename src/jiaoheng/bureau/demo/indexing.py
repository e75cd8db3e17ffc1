"""The search index of the whole county at once: cheaper than after each of its batches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, models

from jiaoheng.bureau.core import audit, search_index
from jiaoheng.bureau.core.models import Account, SearchGram, Unit
from jiaoheng.bureau.core.tree import Line
from jiaoheng.bureau.ledgers.changes import carried
from jiaoheng.bureau.ledgers.models import RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.models.records import CURRENT
from jiaoheng.bureau.ledgers.record_index import index_now, is_searched
from jiaoheng.bureau.ledgers.registry import schema_of

_PART = 5_000
_COLUMNS = ("record_id", "data", "unit_id", "county_id", "district_id", "school_id", "class_id")


@audit.action
def do_index_all(*, acting_user: Account | None) -> int:
    """Index units, people and the current records of every searched register. Returns the number of things."""
    with _without_indexes(SearchGram):
        units, people = list(Unit.objects.all()), list(Account.objects.all())
        search_index.index_units(units)
        search_index.index_accounts(people)
        count = len(units) + len(people) + sum(_index_register(row) for row in RegisterRow.objects.order_by("pk"))
    audit.note("search.index", actor=acting_user, about=("search", "", "检索"), count=count)
    return count


def _index_register(row: RegisterRow) -> int:
    schema = schema_of(row)
    if not is_searched(schema):
        return 0
    count = after = 0
    while True:
        rows = RecordVersion.objects.filter(CURRENT, register=row, record_id__gt=after).order_by("record_id")
        found = list(rows.values_list(*_COLUMNS)[:_PART])
        index_now(schema, ((one[0], carried(schema, one[1]), Line(*one[2:])) for one in found), fresh=True)
        count += len(found)
        if len(found) < _PART:
            return count
        after = found[-1][0]


@contextmanager
def _without_indexes(model: type[models.Model]) -> Iterator[None]:
    """SQLite: fill a table first and build its indexes afterwards, in order; elsewhere nothing changes.

    Inside the transaction of an action: where the filling fails the indexes are there as before.
    """
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = %s AND sql IS NOT NULL",
            [model._meta.db_table],
        )
        indexes = cursor.fetchall()
        for name, _sql in indexes:
            cursor.execute(f"DROP INDEX {connection.ops.quote_name(name)}")
        yield
        for _name, sql in indexes:
            cursor.execute(sql)

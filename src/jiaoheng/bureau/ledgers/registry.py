"""The registers that are loaded, as schema objects with the code tables of the database."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from django.db.models import Count, Max

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.ledgers.models import CodeRow, RegisterRow, RegisterVersion
from jiaoheng.registers.loading import from_json
from jiaoheng.registers.model import CodeItem, CodeTable, Register

Stamp = tuple[int, str]


def code_tables() -> Mapping[str, CodeTable]:
    """Every code table of the database; a change is seen at the next call."""
    return _code_tables(_stamp())


def _stamp() -> Stamp:
    found = CodeRow.objects.aggregate(count=Count("pk"), newest=Max("changed_at"))
    return int(found["count"]), str(found["newest"])


@lru_cache(maxsize=4)
def _code_tables(stamp: Stamp) -> Mapping[str, CodeTable]:
    rows: dict[str, list[CodeItem]] = defaultdict(list)
    titles: dict[str, str] = {}
    for row in CodeRow.objects.order_by("table", "order", "starts_on"):
        rows[row.table].append(CodeItem(row.code, row.label, row.starts_on, row.ends_on))
        titles[row.table] = row.table_title
    return {name: CodeTable(name, titles[name], tuple(items)) for name, items in rows.items()}


def version_at(register: RegisterRow, at: dt.date | None = None) -> RegisterVersion:
    """The stored version that holds on a day (today), else the first one. LookupError where none is loaded."""
    versions = RegisterVersion.objects.filter(register=register).order_by("-effective_from", "-number")
    found = versions.filter(effective_from__lte=at or clock.today()).first() or versions.last()
    if found is None:
        raise LookupError(f"register {register.name} has no schema")
    return found


def schema_of(register: RegisterRow, at: dt.date | None = None) -> Register:
    """The schema of a register that holds on a day (today), with the code tables of the database."""
    return schema_version(version_at(register, at))


def schema_numbered(register: RegisterRow, number: int) -> Register:
    """One version of a register's schema by its number."""
    return schema_version(RegisterVersion.objects.get(register=register, number=number))


def schema_version(version: RegisterVersion) -> Register:
    """The schema object of a stored version."""
    return _schema(version.pk, version.hash, _stamp())


@lru_cache(maxsize=256)
def _schema(pk: int, digest: str, stamp: Stamp) -> Register:
    """Cached by content: the same version with the same code tables is parsed once a process."""
    found = from_json(RegisterVersion.objects.get(pk=pk).schema)
    tables = code_tables()
    used = {one.codes for one in found.fields if one.codes}
    return replace(found, tables={name: tables.get(name) or found.tables[name] for name in used})

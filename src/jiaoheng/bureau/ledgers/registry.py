"""The registers that are loaded, as schema objects with the code tables of the database.

Asked on every request, so each call costs one light query: it names the stored versions and stamps the code tables;
what belongs to them is parsed once a process and kept by its content. While a page is read (`remembered`) a register
is asked for once.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache

from django.db.models import Count, F, Max, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.scope import Root, Scope, scope_of
from jiaoheng.bureau.ledgers.models import CodeRow, RecordVersion, RegisterRow, RegisterVersion
from jiaoheng.bureau.ledgers.models.records import CURRENT
from jiaoheng.registers.loading import from_json
from jiaoheng.registers.model import CodeItem, CodeTable, Level, PeriodKind, Register

Stamp = tuple[int, str, int]  # rows, newest change, newest row: writers never set the same change twice
_asked: ContextVar[dict[int, list[RegisterVersion]] | None] = ContextVar("register versions", default=None)


@contextlib.contextmanager
def remembered() -> Iterator[None]:
    """Within a request that only reads, the versions of a register are asked for once: every part of a page needs them.

    Not for requests that may change registers or code tables: they would not see it.
    """
    token = _asked.set({})
    try:
        yield
    finally:
        _asked.reset(token)


def code_tables() -> Mapping[str, CodeTable]:
    """Every code table of the database; a change is seen at the next call."""
    found = CodeRow.objects.aggregate(count=Count("pk"), at=Max("changed_at"), newest=Max("pk"))
    return _code_tables((int(found["count"]), str(found["at"]), int(found["newest"] or 0)))


@lru_cache(maxsize=4)
def _code_tables(stamp: Stamp) -> Mapping[str, CodeTable]:
    rows: dict[str, list[CodeItem]] = defaultdict(list)
    titles: dict[str, str] = {}
    for row in CodeRow.objects.order_by("table", "order", F("starts_on").asc(nulls_first=True), "pk"):
        rows[row.table].append(CodeItem(row.code, row.label, row.starts_on, row.ends_on))
        titles[row.table] = row.table_title
    return {name: CodeTable(name, titles[name], tuple(items)) for name, items in rows.items()}


def version_at(register: RegisterRow, at: dt.date | None = None) -> RegisterVersion:
    """The stored version that holds on a day (today), else the first one. LookupError where none is loaded."""
    return _chosen(register, _versions(register), at)


def schema_of(register: RegisterRow, at: dt.date | None = None) -> Register:
    """The schema of a register that holds on a day (today), with the code tables of the database."""
    return schema_version(version_at(register, at))


def schema_numbered(register: RegisterRow, number: int) -> Register:
    """One version of a register's schema by its number. RegisterVersion.DoesNotExist where there is none."""
    for one in _versions(register):
        if one.number == number:
            return schema_version(one)
    raise RegisterVersion.DoesNotExist


def schema_versions(register: RegisterRow) -> list[Register]:
    """Every version of a register's schema, oldest first, in one query."""
    return [schema_version(one) for one in _versions(register)]


def versions_of_several(registers: Sequence[RegisterRow]) -> dict[int, list[Register]]:
    """Register id → every version of its schema, oldest first, of all of them in one query."""
    found: dict[int, list[Register]] = {one.pk: [] for one in registers}
    for one in _stamped().filter(register__in=registers).order_by("number"):
        found[one.register_id].append(schema_version(one))
    return found


def schema_version(version: RegisterVersion) -> Register:
    """The schema object of a stored version; one that came from elsewhere than this module costs one more query."""
    if not hasattr(version, "codes_count"):
        version = _stamped().get(pk=version.pk)
    stamp = (int(version.codes_count), str(version.codes_at), int(version.codes_newest))
    return _schema(version.pk, version.hash, stamp)


def schemas(at: dt.date | None = None) -> dict[str, Register]:
    """Name → schema that holds on a day (today) of every register that is not closed, in one query."""
    groups: dict[int, list[RegisterVersion]] = defaultdict(list)
    for one in _stamped().filter(register__closed_at__isnull=True).select_related("register"):
        groups[one.register_id].append(one)
    found = {group[0].register.name: schema_version(_chosen(group[0].register, group, at)) for group in groups.values()}
    return dict(sorted(found.items(), key=lambda item: item[1].title))


def titles_at(register: RegisterRow, day: dt.date | None = None) -> dict[str, str]:
    """Field name → its head on a day (today): of the version that held then, and of earlier ones for dropped fields."""
    versions = schema_versions(register)
    held = [one for one in versions if one.effective_from <= (day or clock.today())] or versions[:1]
    return {one.name: one.title for version in held for one in version.fields}


@dataclass(frozen=True, slots=True)
class RegisterCount:
    """One register in the list of registers: what it holds, how many current records one may read, since when."""

    id: int
    name: str
    title: str
    description: str
    office: str
    version: int
    effective_from: dt.date
    level: Level
    period: PeriodKind
    fields: int
    records: int
    units: int
    changed_at: dt.datetime | None
    own: bool  # made by the bureau from a sheet


def registers_of(account: Account) -> list[RegisterCount]:
    """The registers that an account may see, by title, with the counts of what lies in its reading scope."""
    scope = scope_of(account, Can.READ)
    if not scope:
        return []
    rows = {row.name: row for row in RegisterRow.objects.filter(closed_at__isnull=True)}
    counts = _counts(scope, rows)
    made = []
    for name, schema in schemas().items():
        if all(root.registers and name not in root.registers for root in scope.roots):
            continue
        row = rows[name]
        records, units, at = counts.get(row.pk, (0, 0, None))
        made.append(
            RegisterCount(
                row.pk,
                name,
                schema.title,
                schema.description,
                schema.department,
                schema.version,
                schema.effective_from,
                schema.level,
                schema.period,
                len(schema.fields),
                records,
                units,
                at,
                row.made_by_id is not None,
            )
        )
    return made


def _counts(scope: Scope, rows: Mapping[str, RegisterRow]) -> dict[int, tuple[int, int, dt.datetime | None]]:
    """Register id → current records in the scope, their units, the newest change: one query for registers read alike."""
    alike: dict[tuple[Root, ...], list[str]] = defaultdict(list)
    for name in rows:
        roots = tuple(root for root in scope.roots if not root.registers or name in root.registers)
        if roots:
            alike[roots].append(name)
    found = {}
    for names in alike.values():
        current = RecordVersion.objects.filter(
            CURRENT, scope.rows(names[0]), register__in=[rows[name].pk for name in names]
        )
        counted = current.order_by().values_list("register_id")
        for pk, *said in counted.annotate(
            records=Count("pk"), units=Count("unit_id", distinct=True), at=Max("valid_from")
        ):
            found[pk] = (said[0], said[1], said[2])
    return found


def forget() -> None:
    """Empty this process's caches: for tests, whose rolled-back rows come again with the same numbers."""
    _schema.cache_clear()
    _code_tables.cache_clear()


def _stamped() -> QuerySet[RegisterVersion]:
    """Versions without their schemas, each row with the stamp of the code tables."""
    counted = CodeRow.objects.order_by().annotate(all=Value(1)).values("all").annotate(rows=Count("pk")).values("rows")
    return RegisterVersion.objects.defer("schema").annotate(
        codes_count=Coalesce(Subquery(counted), 0),
        codes_at=Subquery(CodeRow.objects.order_by("-changed_at").values("changed_at")[:1]),
        codes_newest=Coalesce(Subquery(CodeRow.objects.order_by("-pk").values("pk")[:1]), 0),
    )


def _versions(register: RegisterRow) -> list[RegisterVersion]:
    """A register's versions with their stamps, oldest first."""
    asked = _asked.get()
    if asked is not None and register.pk in asked:
        return asked[register.pk]
    found = list(_stamped().filter(register=register).order_by("number"))
    if asked is not None:
        asked[register.pk] = found
    return found


def _chosen(register: RegisterRow, versions: list[RegisterVersion], at: dt.date | None) -> RegisterVersion:
    if not versions:
        raise LookupError(f"register {register.name} has no schema")
    ordered = sorted(versions, key=lambda one: (one.effective_from, one.number))
    day = at or clock.today()
    return next((one for one in reversed(ordered) if one.effective_from <= day), ordered[0])


@lru_cache(maxsize=256)
def _schema(pk: int, digest: str, stamp: Stamp) -> Register:
    """Cached by content: the same version with the same code tables is parsed once a process."""
    found = from_json(RegisterVersion.objects.get(pk=pk).schema)
    tables = _code_tables(stamp)
    used = {one.codes for one in found.fields if one.codes}
    return replace(found, tables={name: tables.get(name) or found.tables[name] for name in used})


def newest_schema(register: RegisterRow) -> Register:
    """The newest version of a register's schema, whether it holds already or not: its slots lay out the index columns."""
    return schema_version(_versions(register)[-1])

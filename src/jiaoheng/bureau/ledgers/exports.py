"""Downloads of a register: the rows that the screen shows, in its order, as a workbook that is its own import template.

The caller chooses the rows (`list_exports.from_list`, `from_ticked`, `everything`); here they become a file, complete or refused.
Protected columns are masked unless the person may see full numbers and says for what; every export leaves an entry.
"""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from jiaoheng.bureau.core import audit, clock, jobs, limits
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Attachment, Period, Unit
from jiaoheng.bureau.core.refusals import ForbiddenError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import facts_at
from jiaoheng.bureau.ledgers import bulk, sealing
from jiaoheng.bureau.ledgers.actions_unmask import check_purpose
from jiaoheng.bureau.ledgers.changes import carried
from jiaoheng.bureau.ledgers.imports.files import RESULTS, below, keep
from jiaoheng.bureau.ledgers.models import RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.models.records import CURRENT
from jiaoheng.bureau.ledgers.registry import schema_of, schema_versions
from jiaoheng.registers.export import TooManyRowsError, write_csv, write_xlsx
from jiaoheng.registers.export_rows import ExportNote, ExportRow, ExportRows
from jiaoheng.registers.model import Data, Register

KEPT = dt.timedelta(days=7)  # a download stays fetchable that long
MOST_CSV = 2_000_000  # rows: beyond, the machine's memory and not the format is the limit


class Head(NamedTuple):
    """A version of a record, without its content."""

    record_id: int
    number: int
    unit_id: int
    period_id: int | None
    schema_version: int
    pk: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """What to export: rows in the screen's order (`Head` or RecordVersion), and how to say it.

    `filter`: the filter in words; `as_of`: the moment whose versions these are, None for now; `day`: of labels.
    """

    rows: Sequence[Any]
    filter: str = ""
    as_of: dt.datetime | None = None
    fields: tuple[str, ...] | None = None
    period: Period | None = None


def everything(
    account: Account, register: RegisterRow, period: Period | None = None, unit: Unit | None = None
) -> Chosen:
    """All present records that one may read, by unit and key; of one period, of one unit and what stands below it."""
    rows = RecordVersion.objects.filter(CURRENT, scope_of(account, Can.READ).rows(register.name), register=register)
    words = []
    if period is not None:
        rows = rows.filter(period=period)
        words.append(period.name)
    if unit is not None:
        column = "unit_id" if unit.level == Unit.Level.DEPARTMENT else f"{unit.level}_id"
        rows = rows.filter(**{column: unit.pk})
        words.append(facts_at([unit.pk], clock.today())[unit.pk].name)
    ordered = rows.order_by("unit__code", "period__starts_on", "record__key", "record_id")
    return Chosen(_heads(ordered), "，".join(words), period=period)


def _heads(rows: Any) -> list[Head]:
    return list(map(Head._make, rows.values_list(*Head._fields).iterator()))


@dataclass(frozen=True, slots=True)
class Ticked:
    """Ticked rows: all of them, also those that the present filter hides."""

    chosen: Chosen
    hidden: int

    @property
    def words(self) -> str:
        """What the button says before anything is downloaded: 3，其中 1 条不在当前筛选."""
        count = len(self.chosen.rows)
        return f"{count}，其中 {self.hidden} 条不在当前筛选" if self.hidden else str(count)


def ticked(account: Account, register: RegisterRow, shown: Iterable[int], ids: Sequence[int]) -> Ticked:
    """The ticked records that one may read, in the screen's order, those that its filter hides last.

    shown: record ids of the screen's whole filtered list, in its order.
    """
    order = {record_id: number for number, record_id in enumerate(shown)}
    readable = scope_of(account, Can.READ).rows(register.name)
    found: list[Head] = []
    for part in bulk.chunks(dict.fromkeys(ids)):
        found += _heads(RecordVersion.objects.filter(CURRENT, readable, register=register, record_id__in=part))
    found.sort(key=lambda one: (order.get(one.record_id, len(order)), one.record_id))
    hidden = sum(one.record_id not in order for one in found)
    return Ticked(Chosen(found, f"勾选的 {len(found)} 条"), hidden)


def do_export(
    register: RegisterRow,
    chosen: Chosen,
    *,
    form: str = "xlsx",
    purpose: str = "",
    run: jobs.Run | None = None,
    acting_user: Account,
) -> Attachment:
    """Write the chosen rows as `xlsx` or `csv`; the file belongs to the person alone.

    purpose: for what full numbers are needed; without it protected columns are masked. ForbiddenError where a purpose
    is given without the right; RefusedError `export-too-large` with both numbers. run: the job that is done with it.
    """
    rows = chosen.rows
    limits.check_export(acting_user, len(rows))
    schema = schema_of(register)
    full = bool(purpose.strip())
    if full:
        check_purpose(purpose)
        _check_full(register, rows, acting_user)
    made = _make(register, schema, chosen, form, purpose.strip(), acting_user)
    try:
        return _keep(register, chosen, made, run, acting_user=acting_user)
    except Exception:
        made.path.unlink(missing_ok=True)
        raise


def _check_full(register: RegisterRow, rows: Sequence[Any], account: Account) -> None:
    """Full numbers of exactly these versions: each must lie where the person may export them."""
    scope = scope_of(account, Can.EXPORT_FULL)
    wanted = {(row.record_id, row.number) for row in rows}
    found: set[tuple[int, int]] = set()
    for part in bulk.chunks(sorted({record_id for record_id, _ in wanted})):
        mine = RecordVersion.objects.filter(scope.rows(register.name), register=register, record_id__in=part)
        found |= set(mine.values_list("record_id", "number"))
    if not scope or wanted - found:
        raise ForbiddenError("您可以导出脱敏的表，导出完整号码是县局股室的权限")


@dataclass(frozen=True, slots=True)
class _File:
    """A file that is written and not yet kept."""

    path: Path
    name: str
    title: str
    count: int
    full: str  # the full numbers in it and what for, in words
    protected: tuple[tuple[str, str], ...] = ()  # the protected columns that stand in full: name and title


def _make(
    register: RegisterRow, schema: Register, chosen: Chosen, form: str, purpose: str, acting_user: Account
) -> _File:
    """The long part: no transaction is open here, or nobody could write anything meanwhile."""
    if acting_user.home is None:
        raise ForbiddenError("您的账号没有所在单位，请联系管理员")
    moment = clock.local(clock.now())
    who = audit.actor_words(acting_user)
    protected = [one for one in schema.fields if one.sensitive and (chosen.fields is None or one.name in chosen.fields)]
    masked = [] if purpose else [one.name for one in protected]
    as_of = clock.local(chosen.as_of) if chosen.as_of is not None else moment
    note = ExportNote(
        filter=chosen.filter,
        as_of=f"{as_of:%Y-%m-%d %H:%M}",
        made_by=who,
        made_at=f"{moment:%Y-%m-%d %H:%M}",
        watermark=f"{who} {moment:%Y-%m-%d %H:%M} 导出" + (f"，用途：{purpose}" if purpose else ""),
    )
    path = below(RESULTS, f"{secrets.token_hex(16)}.{form}")
    made = export_rows(chosen.rows, as_of.date(), schema if purpose else None)
    versions = schema_versions(register)
    day = as_of.date()
    try:
        if form == "csv":
            if len(made) > MOST_CSV:
                raise TooManyRowsError(f"共 {len(made):,} 行，一次最多导出 {MOST_CSV:,} 行。请分单位或分期次导出")
            write_csv(schema, path, made, at=day, versions=versions, fields=chosen.fields, masked=masked)
        else:
            period = chosen.period.code if chosen.period is not None else ""
            write_xlsx(
                schema, path, made, note, at=day, versions=versions, fields=chosen.fields, masked=masked, period=period
            )
    except TooManyRowsError as error:
        path.unlink(missing_ok=True)
        raise RefusedError("export-too-large", str(error)) from error
    name = f"{schema.title}_{moment:%Y%m%d_%H%M}.{form}"
    titles = tuple((one.name, one.title) for one in protected) if purpose else ()
    return _File(path, name, schema.title, len(made), _full_words(purpose, protected, len(made)), titles)


@audit.action
def _keep(
    register: RegisterRow, chosen: Chosen, made: _File, run: jobs.Run | None, *, acting_user: Account
) -> Attachment:
    pk = uuid.uuid4()
    if run is not None:
        run.seal({"link": f"/files/{pk}"}, f"共 {made.count:,} 行")
    home, secret = acting_user.home, bool(made.protected)
    kept = keep(made.path, made.name, "result", unit=home, owner=acting_user, pk=pk, secret=secret)
    kept.expires_at = clock.now() + KEPT
    kept.save(update_fields=["expires_at"])
    audit.note(
        "export.full" if made.protected else "export",
        actor=acting_user,
        about=("register", register.pk, made.title),
        unit_id=kept.unit_id,
        count=made.count,
        changes=[{"field": name, "title": title, "old": None, "new": None} for name, title in made.protected],
        reason="；".join(part for part in (chosen.filter, made.full) if part),
        digest=kept.sha256,
    )
    return kept


def _full_words(purpose: str, protected: Sequence[Any], count: int) -> str:
    if not purpose or not protected:
        return ""
    titles = "、".join(one.title for one in protected)
    return f"完整{titles} {count} 人，用途：{purpose}"


def export_rows(rows: Sequence[Any], day: dt.date, full: Register | None = None) -> Sequence[ExportRow]:
    """Record versions as the library floor exports them; the contents of heads are fetched part by part.

    `full`: the schema by which protected values are opened; without it they are their masks."""
    units = {row.unit_id for row in rows}
    facts = facts_at(units, day)
    codes = {
        pk: code
        for part in bulk.chunks(sorted(units))
        for pk, code in Unit.objects.filter(pk__in=part).values_list("pk", "code")
    }
    names = {pk: one.name for pk, one in facts.items()}
    periods = dict(Period.objects.filter(pk__in={row.period_id for row in rows} - {None}).values_list("pk", "name"))
    heads = bool(rows) and isinstance(rows[0], Head)
    made = [
        ExportRow(
            {} if heads else row.data if full is None else sealing.content_of(row, full),
            str(row.record_id),
            row.number,
            codes.get(row.unit_id, ""),
            names.get(row.unit_id, ""),
            periods.get(row.period_id, ""),
            row.schema_version,
        )
        for row in rows
    ]
    if not heads:
        return made

    def fetch(start: int, stop: int) -> Sequence[Data]:
        found = bulk.contents_of([row.pk for row in rows[start:stop]])
        return found if full is None else [sealing.opened(full, carried(full, one)) for one in found]

    return ExportRows(made, fetch)

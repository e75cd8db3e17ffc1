"""The third step: everything at once or nothing, against the records as they stand at that moment."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F

from jiaoheng.bureau.core import audit, clock, jobs
from jiaoheng.bureau.core.models import Account, Job, Unit
from jiaoheng.bureau.core.refusals import ConflictError, RefusedError
from jiaoheng.bureau.ledgers import bulk, locks
from jiaoheng.bureau.ledgers.changes import Change, key_of
from jiaoheng.bureau.ledgers.imports import current, preview
from jiaoheng.bureau.ledgers.imports.answers import Said
from jiaoheng.bureau.ledgers.imports.drafts import keep_drafts
from jiaoheng.bureau.ledgers.imports.preview import PlannedRow
from jiaoheng.bureau.ledgers.imports.scope import Ground, ground_of
from jiaoheng.bureau.ledgers.imports.starting import AT_ONCE, do_queue_reading, preview_of, refresh
from jiaoheng.bureau.ledgers.masking_rules import identity_words
from jiaoheng.bureau.ledgers.models import Filing, ImportBatch, Record, RecordVersion, Round
from jiaoheng.bureau.ledgers.prepared import Prepared, from_line
from jiaoheng.bureau.ledgers.registry import newest_schema
from jiaoheng.bureau.ledgers.writing import Batch, stored_as_prepared, write, write_prepared
from jiaoheng.registers.collecting import uncollected

WRITE = "import-write"
MOST_AT_ONCE = 5_000  # rows written while the person waits
PART = 20_000  # rows in memory at once while they are written


@dataclass(slots=True)
class _Load:
    """The rows of a preview, as text until their turn: a large import never lies in memory whole."""

    lines: list[bytes]
    units: tuple[int, ...]
    basis_units: tuple[int, ...]
    counts: dict[str, int]

    @property
    def rows(self) -> int:
        """How many rows the preview holds for writing."""
        return self.counts["new"] + self.counts["changed"] + self.counts["drafts"]

    def parts(self, layout: int) -> Iterator[Prepared | list[PlannedRow]]:
        """The rows, up to PART at once; those made ready for a layout as they are (0: none of them)."""
        part: list[PlannedRow] = []
        ready: Prepared | None = None
        for line in self.lines:
            if layout and preview.is_prepared(line):
                more = from_line(line)
                if more.fits(layout):
                    if part:
                        yield part
                        part = []
                    if ready is None:
                        ready = more
                    else:
                        ready.add(more)
                    if len(ready.units) >= PART:
                        yield ready
                        ready = None
                    continue
            if ready is not None:
                yield ready
                ready = None
            part += preview.rows_of(line)
            if len(part) >= PART:
                yield part
                part = []
        if ready is not None:
            yield ready
        if part:
            yield part


def do_confirm_import(batch: ImportBatch, *, at_once: bool | None = None, acting_user: Account) -> ImportBatch:
    """Write what the preview shows, in one transaction; a large one is queued (state writing, `batch.job`).

    RefusedError where it cannot be confirmed (wrong cells, open questions, nothing to write, closed round).
    ConflictError `preview-stale` where a record that it touches was changed since: nothing is stored, the preview is
    made anew, `detail["changed"]` says what changed.
    """
    shown = preview_of(batch)
    if shown.blocked:
        raise RefusedError("import-blocked", shown.blocked)
    small = shown.counts["rows"] <= MOST_AT_ONCE
    if not (at_once if at_once is not None else small):
        _queue(batch, acting_user=acting_user)
        return batch
    load = _load(batch, shown, lambda done, total: None)
    try:
        _store(batch, load, None, acting_user=acting_user)
    except ConflictError:
        _make_anew(batch, acting_user)
        raise
    return batch


@audit.action
def _queue(batch: ImportBatch, *, acting_user: Account) -> None:
    now = ImportBatch.objects.select_for_update().get(pk=batch.pk)
    if now.state != ImportBatch.State.PREVIEW:
        raise RefusedError("import-over", f"这次导入{ImportBatch.State(now.state).label}，不能再确认")
    title = f"导入 {batch.register.title}：{batch.attachment.name}"
    arguments = {"import": batch.pk, "link": f"/imports/{batch.pk}/"}
    batch.job = jobs.enqueue(WRITE, title, arguments, owner=acting_user, unit=batch.unit)
    batch.state = ImportBatch.State.WRITING.value
    batch.save(update_fields=["job", "state"])
    audit.note("import.queue", actor=acting_user, about=("import", batch.pk, title), unit_id=batch.unit_id)


def _load(batch: ImportBatch, shown: preview.Preview, count: Any) -> _Load:
    found, total = [], shown.counts["new"] + shown.counts["changed"] + shown.counts["drafts"]
    for number, line in enumerate(preview.lines(batch.preview), start=1):
        found.append(line)
        count(min(number * preview.LINE, total), total)
    return _Load(found, shown.units, tuple(shown.extra["basis_units"]), shown.counts)


@jobs.kind(WRITE, ended=lambda job: _writing_ended(job))
def write_in_worker(run: jobs.Run) -> dict[str, Any]:
    """The job: load the rows (counted), then store them in one short transaction."""
    related = ("register", "unit", "period", "attachment", "owner")
    batch = ImportBatch.objects.select_related(*related).get(pk=run.arguments["import"])
    if batch.state not in (ImportBatch.State.WRITING, ImportBatch.State.PREVIEW):
        return {"message": f"这次导入{ImportBatch.State(batch.state).label}"}
    load = _load(batch, preview_of(batch), run.progress)
    try:
        _store(batch, load, run, acting_user=batch.owner)
    except ConflictError:
        _make_anew(batch, batch.owner)
        raise
    return {"link": f"/imports/{batch.pk}/"}


def _writing_ended(job: Job) -> None:
    """A writing that did not end well: the preview stands again, nothing is stored."""
    found = ImportBatch.objects.filter(pk=job.arguments.get("import"), state=ImportBatch.State.WRITING)
    found.update(state=ImportBatch.State.PREVIEW, message=job.message)


@audit.action
def _store(batch: ImportBatch, load: _Load, run: jobs.Run | None, *, acting_user: Account) -> None:
    message = _done_words(load.counts)
    if run is not None:
        run.seal({"link": f"/imports/{batch.pk}/"}, message)
    now = ImportBatch.objects.select_for_update().get(pk=batch.pk)
    if now.state not in (ImportBatch.State.PREVIEW, ImportBatch.State.WRITING):
        raise RefusedError("import-over", f"这次导入{ImportBatch.State(now.state).label}，不能再确认")
    ground = ground_of(batch)
    outside = set(load.units) - set(ground.ids.values())
    if outside:
        raise RefusedError("import-outside", f"文件里有 {len(outside)} 个单位已不在您的填报范围，请重新上传")
    filings = open_filings(batch, set(load.units), acting_user)
    count, digest, drafts = _write_parts(batch, ground, load, acting_user)
    touch(filings)
    counts = {**batch.counts, "written": count, "draft_ids": drafts}
    batch.state, batch.confirmed_at, batch.message, batch.counts = "done", clock.now(), message, counts
    folder, batch.preview = batch.preview, ""
    batch.save(update_fields=["state", "confirmed_at", "message", "counts", "preview"])
    audit.note(
        "import.confirm",
        actor=acting_user,
        about=("import", batch.pk, f"{batch.register.title}：{batch.attachment.name}"),
        unit_id=batch.unit_id,
        count=count + len(drafts),
        reason=message,
        digest=digest,
    )
    transaction.on_commit(lambda: preview.discard(folder))


@uncollected()
def _write_parts(batch: ImportBatch, ground: Ground, load: _Load, acting_user: Account) -> tuple[int, str, list[int]]:
    """Write the rows part by part, all in the caller's transaction: how many, their digest, ids of the drafts.

    ConflictError where a record is not as the preview saw it; all such records are named.
    """
    round_ = Round.objects.filter(pk=batch.round_id).first() if batch.round_id else None
    day = round_.reference_date if round_ is not None else None
    reason = f"导入“{batch.attachment.name}”"[:500]
    made = Batch(batch.register, ground.schema, batch.period, acting_user, "file", reason, batch.pk)
    untouched = current.fingerprint(batch.register, batch.period, load.basis_units) == batch.basis
    drafts: list[int] = []
    stale: list[str] = []
    digest, count = hashlib.sha256(), 0
    # what was made ready is stored so where nothing moved meanwhile: neither a record nor the register's columns
    ready = newest_schema(batch.register).version if untouched and stored_as_prepared(made, load.rows) else 0
    for part in load.parts(ready):
        if isinstance(part, Prepared):
            count += write_prepared(made, part, day=day)
            continue
        changes = [Change(row.unit, row.data, row.record, row.version) for row in part if not row.draft]
        if not untouched:
            stale += [*_moved(ground, changes), *_taken(batch, ground, changes)]
        if stale:
            continue  # nothing of it will stay: only what else is stale is looked for
        count += len(write(made, changes, day=day))
        drafts += keep_drafts(batch, [row for row in part if row.draft], ground)
    for line in load.lines:
        digest.update(line)
    if stale:
        shown = "；".join(stale[:5]) + (f"等 {len(stale)} 处" if len(stale) > 5 else "")
        told = f"核对之后有记录被改动，没有写入任何数据：{shown}。已按现在的记录重新核对，请再确认"
        raise ConflictError("preview-stale", told, changed=stale)
    return count, digest.hexdigest(), drafts


def _done_words(counts: dict[str, int]) -> str:
    words = [f"新增 {counts['new']} 条", f"变更 {counts['changed']} 条"]
    if counts["drafts"]:
        words.append(f"草稿 {counts['drafts']} 条")
    return f"已导入：{'，'.join(words)}"


def open_filings(batch: ImportBatch, unit_ids: set[int], acting_user: Account) -> list[Filing]:
    """The filings that these units' records belong to; refused where one of them may not be written now."""
    if not Round.objects.filter(register=batch.register, period=batch.period).exists():
        return []
    found: dict[int, Filing] = {}
    at = clock.now()
    for unit in Unit.objects.filter(pk__in=unit_ids).order_by("pk"):
        filing = locks.check_open(batch.register, unit, batch.period, acting_user, at)
        if filing is not None:
            found[filing.pk] = filing
    return list(found.values())


def touch(filings: Sequence[Filing]) -> None:
    """Say at the filings that their records were written."""
    mine = Filing.objects.filter(pk__in=[one.pk for one in filings])
    mine.update(touched_at=clock.now())
    mine.filter(state=Filing.State.EMPTY).update(state=Filing.State.DRAFT, version=F("version") + 1)


def _moved(ground: Ground, changes: Sequence[Change]) -> list[str]:
    base = {one.record_id: one.base for one in changes if one.record_id is not None}
    told = []
    for part in bulk.chunks(sorted(base)):
        rows = RecordVersion.objects.filter(record_id__in=part, valid_to__isnull=True)
        for record_id, number, deleted in rows.values_list("record_id", "number", "deleted"):
            if number != base[record_id] or deleted:
                told.append(_sentence(ground, record_id))
    return told


def _sentence(ground: Ground, record_id: int) -> str:
    version = RecordVersion.objects.filter(record_id=record_id, valid_to__isnull=True).get()
    name = identity_words(ground.schema, version.data, ground.day) or f"编号 {record_id}"
    return (
        f"“{name}”由 {version.author_name} 于 {clock.words(version.valid_from)} {'删除' if version.deleted else '改动'}"
    )


def _taken(batch: ImportBatch, ground: Ground, changes: Sequence[Change]) -> list[str]:
    """Keys of new rows that somebody else has added since; by unit and key."""
    new = {(one.unit_id, key_of(ground.schema, one.data or {})) for one in changes if one.record_id is None}
    if not new:
        return []
    rows = Record.objects.filter(register=batch.register, period=batch.period, deleted_at__isnull=True)
    told = []
    for part in bulk.chunks(sorted({unit for unit, _ in new})):
        for pk, unit_id, key in rows.filter(unit_id__in=part).values_list("pk", "unit_id", "key"):
            if (unit_id, key) in new:
                told.append(_sentence(ground, pk))
    return told


def _make_anew(batch: ImportBatch, acting_user: Account) -> None:
    """A fresh preview; rows without hidden ids count as made from what the stale preview showed."""
    batch.refresh_from_db()
    said = Said.of(batch.answers)
    for row in preview.planned(batch.preview):
        if row.record is not None and row.version is not None:
            said.seen.setdefault(str(row.record), row.version)
    batch.answers = said.stored()
    batch.save(update_fields=["answers"])
    if batch.attachment.size <= AT_ONCE:
        refresh(batch)
    else:
        do_queue_reading(batch, acting_user=acting_user)

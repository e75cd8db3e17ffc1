"""An import taken back: what it added goes, what it changed stands as before, what was touched since stays and is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jiaoheng.bureau.core import audit, clock, jobs
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.ledgers import bulk
from jiaoheng.bureau.ledgers.changes import Change
from jiaoheng.bureau.ledgers.imports.confirming import open_filings, touch
from jiaoheng.bureau.ledgers.imports.scope import ground_of
from jiaoheng.bureau.ledgers.masking_rules import identity_words
from jiaoheng.bureau.ledgers.models import Draft, ImportBatch, RecordVersion
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.writing import Batch, digest, write

MOST_AT_ONCE = 5_000
UNDO = "import-undo"


@dataclass(frozen=True, slots=True)
class Undone:
    """What the undoing of an import does: records removed, put back, kept with who touched them since."""

    removed: int
    put_back: int
    drafts: int
    kept: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """One line for the page: 删去 2 条，还原 1 条；1 条此后被改过，保留。"""
        words = [f"删去 {self.removed} 条", f"还原 {self.put_back} 条"]
        if self.drafts:
            words.append(f"删去草稿 {self.drafts} 条")
        said = "，".join(words)
        return f"{said}；{len(self.kept)} 条此后被改过，保留" if self.kept else said


def preview_undo(batch: ImportBatch) -> Undone:
    """What an undoing would do now, for the page that asks. RefusedError where the import is not done."""
    changes, kept = _changes(batch)
    return _told(batch, changes, kept)


def do_undo_import(batch: ImportBatch, *, at_once: bool | None = None, acting_user: Account) -> Undone:
    """Take a confirmed import back, in one transaction; a large one is queued (`batch.job`).

    RefusedError where it is not done, or where a round has approved, received or closed what it wrote.
    """
    small = int(batch.counts.get("written", 0)) <= MOST_AT_ONCE
    if not (at_once if at_once is not None else small):
        _queue(batch, acting_user=acting_user)
        return preview_undo(batch)
    return _undo(batch, None, acting_user=acting_user)


@audit.action
def _queue(batch: ImportBatch, *, acting_user: Account) -> None:
    title = f"撤销导入 {batch.register.title}：{batch.attachment.name}"
    arguments = {"import": batch.pk, "link": f"/imports/{batch.pk}/"}
    batch.job = jobs.enqueue(UNDO, title, arguments, owner=acting_user, unit=batch.unit)
    batch.save(update_fields=["job"])
    audit.note("import.queue", actor=acting_user, about=("import", batch.pk, title), unit_id=batch.unit_id)


@jobs.kind(UNDO)
def undo_in_worker(run: jobs.Run) -> dict[str, Any]:
    """The job of a large undoing."""
    related = ("register", "unit", "period", "attachment", "owner")
    batch = ImportBatch.objects.select_related(*related).get(pk=run.arguments["import"])
    run.progress(0, int(batch.counts.get("written", 0)))
    _undo(batch, run, acting_user=batch.owner)
    return {"link": f"/imports/{batch.pk}/"}


@audit.action
def _undo(batch: ImportBatch, run: jobs.Run | None, *, acting_user: Account) -> Undone:
    now = ImportBatch.objects.select_for_update().get(pk=batch.pk)
    if now.state != ImportBatch.State.DONE:
        raise RefusedError("import-not-done", f"这次导入{ImportBatch.State(now.state).label}，没有可撤销的内容")
    changes, kept = _changes(batch)
    undone = _told(batch, changes, kept)
    if run is not None:
        run.seal({"link": f"/imports/{batch.pk}/"}, f"已撤销：{undone.sentence}")
    filings = open_filings(batch, {one.unit_id for one in changes}, acting_user)
    ground = ground_of(batch)
    reason = f"撤销导入“{batch.attachment.name}”"
    write(Batch(batch.register, ground.schema, batch.period, acting_user, "undo", reason[:500]), changes)
    Draft.objects.filter(pk__in=batch.counts.get("draft_ids", []), account=batch.owner).delete()
    touch(filings)
    batch.state, batch.undone_at, batch.message = "undone", clock.now(), f"已撤销：{undone.sentence}"
    batch.counts = {**batch.counts, "removed": undone.removed, "put_back": undone.put_back, "kept": list(undone.kept)}
    batch.save(update_fields=["state", "undone_at", "message", "counts"])
    about = ("import", batch.pk, f"{batch.register.title}：{batch.attachment.name}")
    audit.note(
        "import.undo",
        actor=acting_user,
        about=about,
        unit_id=batch.unit_id,
        count=len(changes),
        reason=undone.sentence,
        digest=digest(changes),
    )
    return undone


def _told(batch: ImportBatch, changes: list[Change], kept: list[str]) -> Undone:
    removed = sum(one.data is None for one in changes)
    drafts = Draft.objects.filter(pk__in=batch.counts.get("draft_ids", []), account=batch.owner).count()
    return Undone(removed, len(changes) - removed, drafts, tuple(kept))


def _changes(batch: ImportBatch) -> tuple[list[Change], list[str]]:
    """What would be written, and who touched the rest since."""
    written = {
        one.record_id: one
        for one in RecordVersion.objects.filter(
            register=batch.register, valid_from__gte=batch.created_at, batch_id=batch.pk
        )
    }
    newest: dict[int, RecordVersion] = {}
    before: dict[int, RecordVersion] = {}
    for part in bulk.chunks(written):
        for one in RecordVersion.objects.filter(record_id__in=part).order_by("number"):
            newest[one.record_id] = one
            if one.number == written[one.record_id].number - 1:
                before[one.record_id] = one
    schema, day = schema_of(batch.register), clock.today()
    changes: list[Change] = []
    kept: list[str] = []
    for record_id, mine in written.items():
        last, old = newest[record_id], before.get(record_id)
        if last.number != mine.number:
            name = identity_words(schema, last.data, day) or f"编号 {record_id}"
            kept.append(
                f"“{name}”由 {last.author_name} 于 {clock.words(last.valid_from)} {'删除' if last.deleted else '改过'}"
            )
        elif old is None:
            changes.append(Change(mine.unit_id, None, record_id, mine.number))
        else:
            data = None if old.deleted else dict(old.data)
            changes.append(Change(mine.unit_id, data, record_id, mine.number, old.number))
    return changes, kept

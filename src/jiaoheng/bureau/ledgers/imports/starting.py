"""The first step: a file is taken in and read, at once where it is small, by the worker where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from jiaoheng.bureau.core import audit, clock, jobs
from jiaoheng.bureau.core.models import Account, Job, Period, Unit
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.tree import name_of
from jiaoheng.bureau.ledgers.imports import files, preview
from jiaoheng.bureau.ledgers.imports.answers import Said
from jiaoheng.bureau.ledgers.imports.previewing import make_preview
from jiaoheng.bureau.ledgers.imports.scope import make_ground
from jiaoheng.bureau.ledgers.models import ImportBatch, RegisterRow, Round

AT_ONCE = 250_000  # bytes: a workbook of some 2,000 rows is read while the person waits
READ = "import-read"
OPEN = (ImportBatch.State.READING, ImportBatch.State.PREVIEW, ImportBatch.State.REFUSED)


def do_start_import(
    register: RegisterRow,
    unit: Unit,
    uploads: Sequence[tuple[Any, str]],
    *,
    period: Period | None = None,
    round_: Round | None = None,
    answers: dict[tuple[str, ...], str] | None = None,
    at_once: bool | None = None,
    acting_user: Account,
) -> ImportBatch:
    """Take one file or several (open binary files with their names) in and read them.

    Returns the import in state preview, or reading with a job where it is large (`at_once` None: by size). A file
    that cannot be taken is a preview that says why. ForbiddenError, RefusedError where no import may be made here.
    """
    batch = _take_in(register, unit, uploads, period=period, round_=round_, answers=answers, acting_user=acting_user)
    with files.plain(batch.attachment) as path:
        small = batch.attachment.size <= AT_ONCE and not files.is_bundle(path)
    if at_once if at_once is not None else small:
        refresh(batch)
    else:
        do_queue_reading(batch, acting_user=acting_user)
    return batch


@audit.action
def _take_in(
    register: RegisterRow,
    unit: Unit,
    uploads: Sequence[tuple[Any, str]],
    *,
    period: Period | None,
    round_: Round | None,
    answers: dict[tuple[str, ...], str] | None,
    acting_user: Account,
) -> ImportBatch:
    if not uploads:
        raise RefusedError("no-file", "没有选择文件")
    if round_ is not None:
        period = round_.period
    ground = make_ground(acting_user, register, unit, period, round_)
    if len(uploads) == 1:
        attachment = files.store(*uploads[0], unit=unit, owner=acting_user)
    else:
        attachment = files.store_many(uploads, unit=unit, owner=acting_user)
    batch = ImportBatch.objects.create(
        register=register,
        unit=unit,
        period=period,
        round_id=round_.pk if round_ is not None else None,
        attachment=attachment,
        owner=acting_user,
        answers=Said(dict(answers or {})).stored(),
        created_at=clock.now(),
    )
    about = ("import", batch.pk, f"{ground.schema.title}：{attachment.name}")
    audit.note("import.start", actor=acting_user, about=about, unit_id=unit.pk, digest=attachment.sha256)
    return batch


@audit.action
def do_queue_reading(batch: ImportBatch, *, acting_user: Account | None) -> Job:
    """Let the worker read an import's file (again); its owner is told."""
    title = f"核对 {batch.attachment.name}"
    arguments = {"import": batch.pk, "link": f"/imports/{batch.pk}/"}
    batch.job = jobs.enqueue(READ, title, arguments, owner=batch.owner, unit=batch.unit)
    batch.state = ImportBatch.State.READING.value
    batch.save(update_fields=["job", "state"])
    audit.note("import.queue", actor=acting_user, about=("import", batch.pk, title), unit_id=batch.unit_id)
    return batch.job


def refresh(batch: ImportBatch, count: Any = None) -> preview.Preview:
    """Read the file here and now and keep the new preview; the old one is discarded."""
    made, folder, basis = make_preview(batch, count or (lambda done, total: None))
    put_preview(batch, made, folder, basis)
    return made


def put_preview(batch: ImportBatch, made: preview.Preview, folder: str, basis: str) -> None:
    """The preview of a file as its import's state."""
    old = batch.preview
    batch.preview, batch.basis, batch.counts = folder, basis, made.counts
    batch.state = ImportBatch.State.PREVIEW.value
    batch.message = (made.blocked or made.sentence)[:1000]
    batch.save(update_fields=["preview", "basis", "counts", "state", "message"])
    transaction.on_commit(lambda: preview.discard(old))


def preview_of(batch: ImportBatch) -> preview.Preview:
    """What step two shows. RefusedError while the worker still reads, or where the preview was cleaned away."""
    if not batch.preview:
        raise RefusedError("not-read-yet", "文件还在核对，结果会出现在待办中")
    try:
        return preview.load(batch.preview)
    except FileNotFoundError:
        raise RefusedError("preview-gone", "核对结果已过保存期，请重新上传文件") from None


@jobs.kind(READ, ended=lambda job: _reading_ended(job))
def read_in_worker(run: jobs.Run) -> dict[str, Any]:
    """The job: read, then keep the preview."""
    batch = ImportBatch.objects.select_related("register", "unit", "period", "attachment", "owner").get(
        pk=run.arguments["import"]
    )
    if batch.state != ImportBatch.State.READING:
        return {"message": "这次导入已取消"}
    made, folder, basis = make_preview(batch, run.progress)
    link = {"link": f"/imports/{batch.pk}/"}
    with transaction.atomic():
        run.seal(link, made.blocked or made.sentence)
        put_preview(batch, made, folder, basis)
    return link


def _reading_ended(job: Job) -> None:
    """A reading that did not end well leaves nothing but its message."""
    batch = ImportBatch.objects.filter(pk=job.arguments.get("import"), state=ImportBatch.State.READING).first()
    if batch is None:
        return
    batch.message = job.message
    if job.state == Job.State.CANCELLED:
        batch.state = ImportBatch.State.CANCELLED.value
    batch.save(update_fields=["message", "state"])


@audit.action
def do_cancel_import(batch: ImportBatch, *, acting_user: Account) -> ImportBatch:
    """Give an import up before it is confirmed: nothing of it was stored, its preview and file go."""
    batch = ImportBatch.objects.select_for_update().get(pk=batch.pk)
    if batch.state not in [one.value for one in OPEN]:
        raise RefusedError("import-over", f"这次导入{ImportBatch.State(batch.state).label}，不能取消")
    if batch.job is not None and batch.job.state in (Job.State.WAITING, Job.State.RUNNING):
        Job.objects.filter(pk=batch.job_id).update(cancel_asked=True)
        waiting = Job.objects.filter(pk=batch.job_id, state=Job.State.WAITING)
        waiting.update(state=Job.State.CANCELLED, finished_at=clock.now(), message="已取消，没有写入任何数据")
    folder, batch.preview, batch.state = batch.preview, "", ImportBatch.State.CANCELLED.value
    transaction.on_commit(lambda: preview.discard(folder))
    batch.message = "已取消，没有写入任何数据"
    batch.save(update_fields=["preview", "state", "message"])
    where = name_of(batch.unit, clock.today())
    about = ("import", batch.pk, f"{batch.register.title}：{batch.attachment.name}（{where}）")
    audit.note("import.cancel", actor=acting_user, about=about, unit_id=batch.unit_id)
    return batch

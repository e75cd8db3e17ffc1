"""Imports: upload, check cell by cell, confirm, and take back; waiting for the worker in between."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from jiaoheng.bureau.core.access import access_unit
from jiaoheng.bureau.core.actions_jobs import do_cancel_job, do_rerun_job
from jiaoheng.bureau.core.job_page import job_page
from jiaoheng.bureau.core.models import Job
from jiaoheng.bureau.core.refusals import ConflictError, RefusedError
from jiaoheng.bureau.ledgers.access import access_import, access_register, access_round
from jiaoheng.bureau.ledgers.imports.answering import do_keep_answers, do_settle_import
from jiaoheng.bureau.ledgers.imports.confirming import do_confirm_import
from jiaoheng.bureau.ledgers.imports.entrance import PERIOD, ROUND, entrance_of
from jiaoheng.bureau.ledgers.imports.marked import do_take_marked
from jiaoheng.bureau.ledgers.imports.outcome import outcome_of
from jiaoheng.bureau.ledgers.imports.review import has_unjudged, review_of, said_for_all
from jiaoheng.bureau.ledgers.imports.review_fixes import Asked
from jiaoheng.bureau.ledgers.imports.review_questions import question_key
from jiaoheng.bureau.ledgers.imports.starting import do_cancel_import, do_start_import, preview_of
from jiaoheng.bureau.ledgers.imports.undoing import do_undo_import, preview_undo
from jiaoheng.bureau.ledgers.models import ImportBatch, RegisterRow
from jiaoheng.bureau.web.current import KEY
from jiaoheng.bureau.web.pages import Crumbs, page, see_other
from jiaoheng.bureau.web.places import period_from

_BUSY = (Job.State.WAITING, Job.State.RUNNING)
_STOPPED = (Job.State.INTERRUPTED, Job.State.FAILED)


@require_http_methods(["GET", "HEAD", "POST"])
def import_new(request: HttpRequest, name: str) -> HttpResponse:
    """The first step: choose unit and period, hand in one file, several, or a zip."""
    register = access_register(request.user, name)
    if request.method == "POST":
        try:
            return _start(request, register)
        except RefusedError as refused:
            return _new_page(request, register, str(refused))
    return _new_page(request, register)


def _start(request: HttpRequest, register: RegisterRow) -> HttpResponse:
    if not request.POST.get("unit"):
        raise RefusedError("unit-missing", "请选择单位")
    unit = access_unit(request.user, request.POST["unit"])
    time = request.POST.get("time", "")
    round_ = access_round(request.user, time[len(ROUND) :]) if time.startswith(ROUND) else None
    asked = {"period": time[len(PERIOD) :]} if time.startswith(PERIOD) else {}
    period = None if round_ is not None else period_from(register, request.user, asked)
    uploads = [(one, one.name) for one in request.FILES.getlist("files")]
    batch = do_start_import(register, unit, uploads, period=period, round_=round_, acting_user=request.user)
    return see_other("import", batch.pk)


def _new_page(request: HttpRequest, register: RegisterRow, refusal: str = "") -> HttpResponse:
    sent = request.POST if request.method == "POST" else request.GET
    time = sent.get("time", "") or (f"{ROUND}{sent['round']}" if sent.get("round") else "")
    time = time or (f"{PERIOD}{sent['period']}" if sent.get("period") else "")
    unit = sent.get("unit", "") or str(request.session.get(KEY, ""))
    context = {
        "register": register,
        "entrance": entrance_of(request.user, register, unit, time),
        "errors": [{"anchor": "files", "text": refusal}] if refusal else [],
    }
    title = f"导入 {register.title}"
    return page(
        request, "web/import_new.html", title, context, crumbs=_crumbs(register), status=400 if refusal else 200
    )


def _crumbs(register: RegisterRow) -> Crumbs:
    return [("台账", reverse("ledgers")), (register.title, reverse("ledger", args=[register.name]))]


@require_http_methods(["GET", "HEAD"])
def import_(request: HttpRequest, import_id: str) -> HttpResponse:
    """An import where it stands: being read, to be checked, to be confirmed, done, undone, cancelled."""
    batch = access_import(request.user, import_id)
    if batch.job is not None and batch.job.state in _BUSY:
        return _progress(request, batch, batch.job)
    if request.htmx and request.GET.get("part") == "progress":
        return HttpResponseClientRefresh()
    if batch.state in (ImportBatch.State.READING, ImportBatch.State.WRITING) and batch.job is not None:
        return _progress(request, batch, batch.job)
    if batch.state == ImportBatch.State.PREVIEW:
        return _review(request, batch)
    return _over(request, batch)


def _progress(request: HttpRequest, batch: ImportBatch, job: Job) -> HttpResponse:
    context = {"batch": batch, "job": job_page(job), "reading": batch.state == ImportBatch.State.READING}
    if request.htmx and request.GET.get("part") == "progress":
        return page(request, "web/parts/import_progress.html", "", context)
    return page(request, "web/import_progress.html", job.title, context, crumbs=_crumbs(batch.register))


def _review(request: HttpRequest, batch: ImportBatch) -> HttpResponse:
    try:
        review = review_of(
            batch,
            request.GET.get("kind", ""),
            request.GET.get("page", "1"),
            fixes=Asked(*(request.GET.get(name, "") for name in ("wrong", "column", "each", "fixes"))),
            asks=request.GET.get("ask", ""),
            asks_number=request.GET.get("asks", "1"),
        )
    except RefusedError as refused:
        return _gone(request, batch, str(refused))
    stopped = batch.job is not None and batch.job.state in _STOPPED
    context: dict[str, Any] = {
        "batch": batch,
        "review": review,
        "stopped": job_page(batch.job) if stopped and batch.job is not None else None,
        "last_step": review.state == "ready" and not review.kept and request.GET.get("step") == "confirm",
    }
    template = "web/import_refused.html" if review.state == "refused" else "web/import.html"
    title = f"导入 {batch.register.title}"
    return page(request, template, title, context, crumbs=_crumbs(batch.register))


def _gone(request: HttpRequest, batch: ImportBatch, sentence: str) -> HttpResponse:
    context = {"batch": batch, "sentence": sentence}
    title = f"导入 {batch.register.title}"
    return page(request, "web/import_gone.html", title, context, crumbs=_crumbs(batch.register), status=400)


def _over(request: HttpRequest, batch: ImportBatch) -> HttpResponse:
    asks = batch.state == ImportBatch.State.DONE and request.GET.get("step") == "undo"
    context = {"batch": batch, "outcome": outcome_of(batch), "undo": preview_undo(batch) if asks else None}
    return page(
        request, "web/import_done.html", f"导入 {batch.register.title}", context, crumbs=_crumbs(batch.register)
    )


@require_POST
def import_answer(request: HttpRequest, import_id: str) -> HttpResponse:
    """Corrected cells and answers of the second step at once; what is right then goes on to the third.

    `go`: only keep them and show another page of wrong cells or questions. `all`: one answer for all questions alike.
    """
    batch = access_import(request.user, import_id)
    answers = {question_key(name): value for name, value in _sent(request, "q-").items() if value.strip()}
    if "go" in request.POST:
        answers = {key: value for key, value in answers.items() if key in _changed_answers(request)}
    for_all, spread = said_for_all(batch, _mended(request, "same-"), request.POST.get("all", ""))
    cells = {**spread, **_mended(request, "cell-")}
    answers |= for_all
    if "go" in request.POST:
        if cells or answers:
            do_keep_answers(batch, answers, cells, acting_user=request.user)
        return see_other("import", batch.pk, query=_onward(request.POST["go"]))
    if not cells and not answers and not has_unjudged(batch):
        if not preview_of(batch).blocked:
            return see_other("import", batch.pk, query="step=confirm")
        messages.warning(request, "没有改动：请改正有误的格子，或取走标注工作簿改好再传")
        return see_other("import", batch.pk)
    shown = do_settle_import(batch, answers, cells, acting_user=request.user)
    if shown is not None and not shown.blocked:
        return see_other("import", batch.pk, query="step=confirm")
    return see_other("import", batch.pk)


_GO = ("wrong", "column", "each", "fixes", "ask", "asks", "kind", "page")


def _onward(go: str) -> str:
    """The query of the page to go on to: of what was sent, the names that the page knows."""
    return urlencode([(name, value) for name, value in parse_qsl(go, max_num_fields=20) if name in _GO])


def _sent(request: HttpRequest, prefix: str) -> dict[str, str]:
    return {name[len(prefix) :]: value for name, value in request.POST.items() if name.startswith(prefix)}


def _mended(request: HttpRequest, prefix: str) -> dict[str, str]:
    """The texts that are no longer what stood there."""
    was = _sent(request, "was-")
    return {key: text for key, text in _sent(request, prefix).items() if text.strip() != was.get(key, "").strip()}


def _changed_answers(request: HttpRequest) -> set[tuple[str, ...]]:
    """Questions whose answer is another one than the page showed: turning a page takes no default for granted."""
    shown = _sent(request, "shown-")
    return {question_key(name) for name, value in _sent(request, "q-").items() if value != shown.get(name, "")}


@require_POST
def import_confirm(request: HttpRequest, import_id: str) -> HttpResponse:
    """Write everything that the preview shows, or nothing."""
    batch = access_import(request.user, import_id)
    if has_unjudged(batch):
        do_settle_import(batch, {}, {}, acting_user=request.user)
        messages.warning(request, "您又改过，已按您改的重新核对，请再看一遍")
        return see_other("import", batch.pk)
    try:
        done = do_confirm_import(batch, acting_user=request.user)
    except ConflictError as conflict:
        messages.warning(request, f"{conflict}。已按台账现在的内容重新核对，请再看一遍")
        return see_other("import", batch.pk)
    if done.state == ImportBatch.State.DONE:
        messages.success(request, done.message)
    return see_other("import", batch.pk)


@require_POST
def import_undo(request: HttpRequest, import_id: str) -> HttpResponse:
    """Take a confirmed import back."""
    batch = access_import(request.user, import_id)
    undone = do_undo_import(batch, acting_user=request.user)
    batch.refresh_from_db()
    if batch.state == ImportBatch.State.UNDONE:
        messages.success(request, f"已撤销：{undone.sentence}")
    return see_other("import", batch.pk)


@require_POST
def import_cancel(request: HttpRequest, import_id: str) -> HttpResponse:
    """Give an import up: nothing of it was stored."""
    batch = access_import(request.user, import_id)
    if batch.state == ImportBatch.State.WRITING and batch.job is not None:
        do_cancel_job(batch.job, acting_user=request.user)
        return see_other("import", batch.pk)
    do_cancel_import(batch, acting_user=request.user)
    messages.success(request, "已取消，台账一格未动")
    return see_other("import", batch.pk)


@require_POST
def import_rerun(request: HttpRequest, import_id: str) -> HttpResponse:
    """重新执行 of a broken run, from the beginning."""
    batch = access_import(request.user, import_id)
    if batch.job is None:
        raise RefusedError("job-not-over", "这次导入没有可重新执行的作业")
    do_rerun_job(batch.job, acting_user=request.user)
    return see_other("import", batch.pk)


@require_POST
def import_marked(request: HttpRequest, import_id: str) -> HttpResponse:
    """The uploader's own workbook with the wrong cells marked."""
    made = do_take_marked(access_import(request.user, import_id), acting_user=request.user)
    return see_other("file", str(made.pk))


urls = [
    path("ledgers/<slug:name>/import", import_new, name="import_new"),
    path("imports/<int:import_id>/", import_, name="import"),
    path("imports/<int:import_id>/answer", import_answer, name="import_answer"),
    path("imports/<int:import_id>/fix", import_answer, name="import_fix"),
    path("imports/<int:import_id>/confirm", import_confirm, name="import_confirm"),
    path("imports/<int:import_id>/undo", import_undo, name="import_undo"),
    path("imports/<int:import_id>/cancel", import_cancel, name="import_cancel"),
    path("imports/<int:import_id>/rerun", import_rerun, name="import_rerun"),
    path("imports/<int:import_id>/marked", import_marked, name="import_marked"),
]

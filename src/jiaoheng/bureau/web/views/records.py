"""Records: the form, two editors at once, the object page, restoring, deleting, looking at a protected value."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.dateparse import parse_date, parse_datetime
from django.views.decorators.http import require_http_methods, require_POST

from jiaoheng.bureau.core.access import access_unit, whole_number
from jiaoheng.bureau.core.actions_files import store_file
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.files import file_lines
from jiaoheng.bureau.core.models import Unit
from jiaoheng.bureau.core.refusals import ConflictError, RefusedError
from jiaoheng.bureau.ledgers.access import access_record, access_register
from jiaoheng.bureau.ledgers.actions_drafts import do_drop_draft, do_save_draft
from jiaoheng.bureau.ledgers.actions_records import do_merge_mine, do_save_record
from jiaoheng.bureau.ledgers.actions_records_more import do_delete_record, do_restore_deleted, do_restore_fields
from jiaoheng.bureau.ledgers.actions_unmask import do_unmask
from jiaoheng.bureau.ledgers.fill_places import fill_places, fits
from jiaoheng.bureau.ledgers.form_model import Form, edit_form, new_form
from jiaoheng.bureau.ledgers.models import Record, RegisterRow
from jiaoheng.bureau.ledgers.record_page import record_page
from jiaoheng.bureau.ledgers.record_then import record_then
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.saving import warning_words
from jiaoheng.bureau.web.pages import own_address, page, see_other
from jiaoheng.bureau.web.places import period_from, unit_from

FIELD = "f-"


@require_http_methods(["GET", "HEAD", "POST"])
def record_new(request: HttpRequest, name: str) -> HttpResponse:
    """The form of a new record (or of the only one that a unit has for the period)."""
    register = access_register(request.user, name)
    values = request.POST if request.method == "POST" else request.GET
    unit = unit_from(request, values)
    if not values.get("unit") and not fits(unit, register):
        return _choose_unit(request, register)
    period = period_from(register, request.user, values)
    if request.method == "POST":
        # a form that opened on the only record of its unit and period says which one it is
        open_one = request.POST.get("record", "")
        record = access_record(request.user, open_one, Can.FILL)[0] if open_one else None
        return _save(request, register, unit, record)
    form = new_form(request.user, register, unit, period, with_draft="fresh" not in request.GET)
    return _form_page(request, register, form)


def _choose_unit(request: HttpRequest, register: RegisterRow) -> HttpResponse:
    text = request.GET.get("text", "")
    places = fill_places(request.user, register, text)
    if len(places) == 1 and not text:
        return see_other("record_new", register.name, query=urlencode({"unit": places[0].unit_id}))
    context = {"register": register, "places": places, "text": text, "period": request.GET.get("period", "")}
    crumbs = [(register.title, reverse("ledger", args=[register.name]))]
    return page(request, "web/choose_unit.html", "选单位", context, crumbs=crumbs)


@require_http_methods(["GET", "HEAD", "POST"])
def record_edit(request: HttpRequest, record_id: str) -> HttpResponse:
    """The form of a record."""
    record, _ = access_record(request.user, record_id, Can.FILL)
    if request.method == "POST":
        return _save(request, record.register, record.unit, record)
    form = edit_form(request.user, record.pk, with_draft="fresh" not in request.GET)
    return _form_page(request, record.register, form)


def _save(request: HttpRequest, register: RegisterRow, unit: Unit, record: Record | None) -> HttpResponse:
    typed = _typed(request)
    period = record.period if record is not None else period_from(register, request.user, request.POST)
    base = _number(request.POST.get("base", ""))
    if request.POST.get("act") == "draft":
        do_save_draft(register, unit, period, typed, record=record, base=base, acting_user=request.user)
        messages.success(request, "草稿已存，可以离开，回来接着填")
        return see_other(request.get_full_path())
    try:
        with_files = _with_files(request, typed, unit)
        if record is not None and request.POST.get("over"):
            saved = do_merge_mine(
                register,
                unit,
                period,
                with_files,
                record_id=record.pk,
                base=base or 0,
                over=_number(request.POST["over"]) or 0,
                choices=_choices(request),
                reason=request.POST.get("reason", ""),
                acting_user=request.user,
            )
        else:
            saved = do_save_record(
                register,
                unit,
                period,
                with_files,
                record_id=record.pk if record is not None else None,
                base=base,
                reason=request.POST.get("reason", ""),
                resend_key=request.POST.get("resend_key", ""),
                acting_user=request.user,
            )
    except ConflictError as error:
        return _conflict_page(request, register, record, typed, error)
    except RefusedError as error:
        form = (
            edit_form(request.user, record.pk, typed=typed, places=error.places, base=base)
            if record is not None
            else new_form(request.user, register, unit, period, typed=typed, places=error.places)
        )
        return _form_page(request, register, form, refused=str(error), status=400)
    if saved.unchanged:
        messages.info(request, "内容与原来相同，没有改动")
    else:
        messages.success(request, "已保存" + ("" if saved.is_new else f"，第 {saved.number} 版"))
    for sentence in warning_words(schema_of(register), saved):
        messages.warning(request, sentence)
    return see_other("record", saved.record_id, query=urlencode({"draft": request.POST.get("draft_key", "")}))


def _form_page(
    request: HttpRequest, register: RegisterRow, form: Form, *, refused: str = "", status: int = 200
) -> HttpResponse:
    title = form.record_name or form.title
    errors = [{"anchor": f"field-{one.field}", "text": f"{one.title}：{one.text}"} for one in form.problems]
    if refused and not errors:
        errors = [{"anchor": "main", "text": refused}]
    crumbs = [(register.title, reverse("ledger", args=[register.name]))]
    files = [file for field in form.fields for file in _files(field)]
    key = f"{form.register}:{form.unit_id}:{form.period_id or ''}:{form.record_id or ''}"
    context = {
        "form": form,
        "errors": errors if status != 200 or form.typed_from_draft else [],
        "errors_title": "提交前要改" if form.typed_from_draft and status == 200 else "没有保存，要改",
        "draft_key": key,
        "resend_key": request.POST.get("resend_key") or secrets.token_urlsafe(12),
        "files": {one.id: one for one in file_lines(files, request.user, form.record_id or "")},
        "as_draft": status == 200 and form.typed_from_draft,
    }
    return page(request, "web/record_form.html", title, context, crumbs=crumbs, status=status)


def _files(field: Any) -> tuple[str, ...]:
    return tuple(field.chosen) if field.kind in ("file", "photo") else ()


def _conflict_page(
    request: HttpRequest, register: RegisterRow, record: Record | None, typed: Mapping[str, Any], error: ConflictError
) -> HttpResponse:
    context = {
        "register": register,
        "record": record,
        "sentence": str(error),
        "rows": error.detail.get("rows", ()),
        "over": error.detail.get("newest"),
        "detail": error.detail,
        "base": request.POST.get("base", ""),
        "typed": [
            (name, one) for name, value in typed.items() for one in (value if isinstance(value, list) else [value])
        ],
        "reason": request.POST.get("reason", ""),
    }
    crumbs = [(register.title, reverse("ledger", args=[register.name]))]
    return page(request, "web/record_conflict.html", "两个人同时改了这条记录", context, crumbs=crumbs, status=409)


@require_POST
def draft_save(request: HttpRequest) -> HttpResponse:
    """The page's own call that keeps what was typed: 204 when the server has it."""
    register = access_register(request.user, request.POST.get("register", ""))
    record = None
    if request.POST.get("record"):
        record, _ = access_record(request.user, request.POST["record"], Can.FILL)
    unit = record.unit if record is not None else access_unit(request.user, request.POST.get("unit", ""))
    period = record.period if record is not None else period_from(register, request.user, request.POST)
    device = parse_datetime(request.POST.get("device_at", "")) if request.POST.get("device_at") else None
    do_save_draft(
        register,
        unit,
        period,
        _typed(request),
        record=record,
        base=_number(request.POST.get("base", "")),
        device_at=device if device is not None and device.tzinfo is not None else None,
        acting_user=request.user,
    )
    return HttpResponse(status=204)


@require_POST
def draft_drop(request: HttpRequest, draft_id: str) -> HttpResponse:
    """Throw one's own draft away and open the form as it stands."""
    do_drop_draft(draft_id, acting_user=request.user)
    messages.success(request, "草稿已删，表里是台账现在的内容")
    return see_other(own_address(request, request.POST.get("next", ""), reverse("home")))


def _typed(request: HttpRequest) -> dict[str, Any]:
    """Field → text as typed; a list for fields of several choices or files, marked by a hidden `many` entry."""
    many = set(request.POST.getlist("many"))
    typed: dict[str, Any] = {}
    for key in request.POST:
        if key.startswith(FIELD):
            typed[key[len(FIELD) :]] = request.POST.get(key, "")
    for name in many:
        typed[name] = [value for value in request.POST.getlist(FIELD + name) if value]
    return typed


def _with_files(request: HttpRequest, typed: dict[str, Any], unit: Unit) -> dict[str, Any]:
    """What was typed, with uploaded photos and documents stored and named; what is wrong with one stands at its field."""
    for key in request.FILES:
        if not key.startswith(FIELD):
            continue
        name = key[len(FIELD) :]
        ids = list(typed.get(name) or [])
        for file in request.FILES.getlist(key):
            kind = "photo" if request.POST.get(f"kind-{name}") == "photo" else "document"
            try:
                ids.append(str(store_file(file, file.name, kind, unit=unit, acting_user=request.user).pk))
            except RefusedError as error:
                raise RefusedError(error.code, str(error), places={name: str(error)}) from error
        typed[name] = list(dict.fromkeys(ids))
    return typed


def _choices(request: HttpRequest) -> dict[str, str]:
    return {key[len("choose-") :]: value for key, value in request.POST.items() if key.startswith("choose-")}


def _number(text: str) -> int | None:
    return whole_number(text) if text else None


_TONES = {
    "已审定": "done",
    "退回待改": "back",
    "待学区审核": "wait",
    "待局审定": "wait",
    "填报中": "fill",
    "未开始": "none",
}


@require_http_methods(["GET", "HEAD"])
def record(request: HttpRequest, record_id: str) -> HttpResponse:
    """A record's page: facts with their state, and its whole history."""
    return _record_page(request, record_id)


def _record_page(request: HttpRequest, record_id: str, revealed: Mapping[str, str] | None = None) -> HttpResponse:
    one = record_page(request.user, record_id)
    day = parse_date(request.GET.get("as_of", "") or "x")
    files = [file for group in one.groups for fact in group.facts for file in fact.files]
    context = {
        "one": one,
        "tone": _TONES.get(one.state, "none"),
        "revealed": revealed or {},
        "files": {line.id: line for line in file_lines(files, request.user, record_id)},
        "as_of": request.GET.get("as_of", ""),
        "then": record_then(request.user, record_id, day) if day is not None else None,
        "draft_done": request.GET.get("draft", ""),
    }
    crumbs = [(one.register_title, reverse("ledger", args=[one.register]))]
    return page(request, "web/record.html", one.title, context, crumbs=crumbs)


@require_POST
def record_restore(request: HttpRequest, record_id: str) -> HttpResponse:
    """Put one field back to what an earlier version said, or a deleted record back."""
    if request.POST.get("deleted"):
        do_restore_deleted(record_id, acting_user=request.user)
        messages.success(request, "记录已恢复")
        return see_other("record", record_id)
    saved = do_restore_fields(
        record_id,
        _number(request.POST.get("number", "")) or 0,
        request.POST.getlist("field"),
        base=_number(request.POST.get("base", "")),
        acting_user=request.user,
    )
    messages.success(request, f"已还原，成为第 {saved.number} 版；其余各项没有动")
    return see_other("record", record_id)


@require_POST
def record_delete(request: HttpRequest, record_id: str) -> HttpResponse:
    """Delete a record; its history stays."""
    do_delete_record(
        record_id,
        base=_number(request.POST.get("base", "")),
        reason=request.POST.get("reason", ""),
        acting_user=request.user,
    )
    messages.success(request, "记录已删除，历史里可以恢复")
    return see_other("record", record_id)


@require_POST
def record_reveal(request: HttpRequest, record_id: str) -> HttpResponse:
    """Show one protected value this once, with its purpose in the trail; the address of the page never holds it."""
    field = request.POST.get("field", "")
    value = do_unmask(record_id, field, request.POST.get("purpose", ""), acting_user=request.user)
    return _record_page(request, record_id, {field: value})


urls = [
    path("records/<int:record_id>/", record, name="record"),
    path("records/<int:record_id>/restore", record_restore, name="record_restore"),
    path("records/<int:record_id>/delete", record_delete, name="record_delete"),
    path("records/<int:record_id>/reveal", record_reveal, name="record_reveal"),
    path("ledgers/<slug:name>/new", record_new, name="record_new"),
    path("records/<int:record_id>/edit", record_edit, name="record_edit"),
    path("drafts/", draft_save, name="draft_save"),
    path("drafts/<int:draft_id>/drop", draft_drop, name="draft_drop"),
]

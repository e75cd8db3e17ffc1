"""Registers made from a sheet and changed by versions; code tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_http_methods

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.actions_files import store_file
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.refusals import NotFoundError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.ledgers.access import access_register
from jiaoheng.bureau.ledgers.actions_codes import (
    check_may_change,
    do_add_code,
    do_delete_code,
    do_end_code,
    do_rename_code,
)
from jiaoheng.bureau.ledgers.actions_registers_own import (
    do_change_register,
    do_drop_register_draft,
    do_edit_register_draft,
    do_make_register,
    do_propose_register,
    preview_change,
)
from jiaoheng.bureau.ledgers.code_lists import access_codes, code_lines, code_page
from jiaoheng.bureau.ledgers.models import RegisterDraft, RegisterRow
from jiaoheng.bureau.ledgers.register_drafts import register_drafts
from jiaoheng.bureau.ledgers.register_forms import (
    SPARE,
    Typed,
    effective_day,
    fates_of,
    form_of,
    read_form,
    schema_from,
    typed_of,
)
from jiaoheng.bureau.ledgers.register_from_sheet import access_register_draft, proposed
from jiaoheng.bureau.ledgers.registry import newest_schema
from jiaoheng.bureau.ledgers.schema_edits import as_json
from jiaoheng.bureau.web.current import current_unit
from jiaoheng.bureau.web.pages import page, see_other

_MORE = 10


@require_http_methods(["GET", "HEAD", "POST"])
def register_make(request: HttpRequest) -> HttpResponse:
    """Upload a sheet with heads: a register is proposed from it."""
    check_may_change(request.user)
    refusal = ""
    if request.method == "POST":
        try:
            return _propose(request)
        except RefusedError as refused:
            refusal = str(refused)
    context = {
        "drafts": register_drafts(request.user),
        "errors": [{"anchor": "file", "text": refusal}] if refusal else [],
        "sheet": request.POST.get("sheet", ""),
        "asked_title": request.POST.get("title", ""),
    }
    crumbs = [("台账", reverse("ledgers"))]
    status = 400 if refusal else 200
    return page(request, "web/register_make.html", "用 Excel 表头建台账", context, crumbs=crumbs, status=status)


def _propose(request: HttpRequest) -> HttpResponse:
    upload, unit = request.FILES.get("file"), current_unit(request)
    if upload is None:
        raise RefusedError("no-file", "没有选择文件")
    if unit is None:
        raise NotFoundError
    kept = store_file(upload, upload.name, "workbook", unit=unit, acting_user=request.user)
    draft = do_propose_register(
        kept, acting_user=request.user, sheet=request.POST.get("sheet", ""), title=request.POST.get("title", "")
    )
    return see_other("register_draft", draft.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def register_draft(request: HttpRequest, draft_id: int) -> HttpResponse:
    """The proposal: every column editable; 保存草稿 or 建成台账."""
    check_may_change(request.user)
    draft = access_register_draft(request.user, draft_id)
    if request.method != "POST":
        return _draft_page(request, draft, typed_of(proposed(draft).register))
    act, typed = request.POST.get("act", "save"), read_form(request.POST)
    if act == "drop":
        do_drop_register_draft(draft, acting_user=request.user)
        messages.success(request, "草稿已删除")
        return see_other("register_make")
    if act == "more":
        return _draft_page(request, draft, typed, spare=_MORE)
    try:
        schema = schema_from(draft.schema, typed)
        do_edit_register_draft(draft, schema, acting_user=request.user)
        if act == "make":
            row = do_make_register(draft.schema, acting_user=request.user, draft=draft)
            messages.success(request, f"“{row.title}”已建成，现在就能填")
            return see_other("ledger", row.name)
    except RefusedError as refused:
        return _draft_page(request, draft, typed, refused=refused)
    messages.success(request, "草稿已存，还没有启用")
    return see_other("register_draft", draft.pk)


def _draft_page(
    request: HttpRequest,
    draft: RegisterDraft,
    typed: Typed,
    *,
    refused: RefusedError | None = None,
    spare: int = SPARE,
) -> HttpResponse:
    shown = proposed(draft)
    places = refused.places if refused is not None else {}
    form = form_of(typed, columns=draft.columns, places=places, spare=spare)
    context = {"draft": shown, "form": form, "errors": _errors(refused, form.fields)}
    crumbs = [("台账", reverse("ledgers")), ("用 Excel 表头建台账", reverse("register_make"))]
    status = 400 if refused is not None else 200
    return page(request, "web/register_draft.html", typed.title or "新台账", context, crumbs=crumbs, status=status)


def _errors(refused: RefusedError | None, rows: Sequence[Any]) -> list[dict[str, str]]:
    """The summary on top: a line a sentence, each with a link to its row."""
    if refused is None:
        return []
    anchors = {line.said: f"f{line.number}-title" for line in rows if line.said}
    others: Mapping[str, str] = {name: name for name in ("title", "effective_from") if name in refused.places}
    last = next(iter(others), "rows")
    return [{"anchor": anchors.get(line, last), "text": line} for line in str(refused).split("\n")]


@require_http_methods(["GET", "HEAD", "POST"])
def register_change(request: HttpRequest, name: str) -> HttpResponse:
    """A new version of a register from a day on: first what happens to each field, then it is done."""
    row = access_register(request.user, name)
    check_may_change(request.user)
    newest = newest_schema(row)
    crumbs = [("台账", reverse("ledgers")), (row.title, reverse("ledger", args=[name]))]
    if row.made_by_id is None:
        return page(request, "web/register_pack.html", "改表样", {"register": row, "schema": newest}, crumbs=crumbs)
    typed, fates, refused, spare = typed_of(newest, clock.today()), None, None, SPARE
    if request.method == "POST":
        typed, act = read_form(request.POST), request.POST.get("act", "look")
        spare = _MORE if act == "more" else SPARE
        try:
            if act == "confirm":
                return _changed(request, row, as_json(newest), typed)
            if act == "look":
                schema = schema_from(as_json(newest), typed)
                fates = fates_of(preview_change(row, schema, effective_day(typed)))
        except RefusedError as error:
            refused = error
    form = form_of(typed, places=refused.places if refused is not None else {}, spare=spare)
    context = {
        "register": row,
        "schema": newest,
        "form": form,
        "fates": fates,
        "errors": _errors(refused, form.fields),
    }
    status = 400 if refused is not None else 200
    return page(request, "web/register_change.html", f"改“{row.title}”的表样", context, crumbs=crumbs, status=status)


def _changed(request: HttpRequest, row: RegisterRow, base: Mapping[str, Any], typed: Typed) -> HttpResponse:
    day = effective_day(typed)
    do_change_register(row, schema_from(base, typed), day, acting_user=request.user)
    messages.success(request, f"新表样 {day:%Y-%m-%d} 起用，以前的记录照旧能看")
    return see_other("ledger_about", row.name)


@require_http_methods(["GET", "HEAD"])
def codes(request: HttpRequest) -> HttpResponse:
    """Every code table."""
    crumbs = [("台账", reverse("ledgers"))]
    return page(request, "web/codes.html", "代码表", {"tables": code_lines(request.user)}, crumbs=crumbs)


@require_http_methods(["GET", "HEAD", "POST"])
def code_table(request: HttpRequest, table: str) -> HttpResponse:
    """One code table: choices added, ended, renamed from a day, deleted where nothing ever used them."""
    found, refusal = access_codes(request.user, table), ""
    if request.method == "POST":
        try:
            messages.success(request, _change_code(request, table))
            return see_other("code_table", table)
        except RefusedError as refused:
            refusal = str(refused)
    chosen = request.POST.get("code", "") if request.method == "POST" else request.GET.get("code", "")
    shown = code_page(found, chosen)
    context = {
        "table": shown,
        "may_change": bool(scope_of(request.user, Can.REGISTERS)),
        "errors": [{"anchor": "change", "text": refusal}] if refusal else [],
        "sent": request.POST,
        "today": clock.today(),
    }
    crumbs = [("台账", reverse("ledgers")), ("代码表", reverse("codes"))]
    return page(request, "web/code_table.html", shown.title, context, crumbs=crumbs, status=400 if refusal else 200)


def _change_code(request: HttpRequest, table: str) -> str:
    sent, account = request.POST, request.user
    act, code, label = sent.get("act", ""), sent.get("code", ""), sent.get("label", "")
    if act == "add":
        added = do_add_code(table, code, label, acting_user=account, starts_on=_day(sent.get("on", ""), needed=False))
        return f"已增加“{added.label}”"
    if act == "end":
        ended = do_end_code(table, code, _day(sent.get("on", "")), acting_user=account)
        return f"“{ended.label}”{ended.ends_on:%Y-%m-%d} 起停用，已填的照旧"
    if act == "resume":
        return f"“{do_end_code(table, code, None, acting_user=account).label}”已恢复使用"
    if act == "rename":
        day = _day(sent.get("on", "")) or clock.today()
        return f"{day:%Y-%m-%d} 起叫“{do_rename_code(table, code, label, day, acting_user=account).label}”"
    if act == "delete":
        do_delete_code(table, code, acting_user=account)
        return f"代码 {code} 已删除"
    raise RefusedError("act-unknown", "没有这种操作")


def _day(text: str, *, needed: bool = True) -> dt.date | None:
    try:
        found = parse_date(text.strip()) if text.strip() else None
    except ValueError:
        found = None
    if found is None and (needed or text.strip()):
        raise RefusedError("date-missing", f"日期“{text}”不对，请写成 2025-09-01 这样" if text else "请填从哪天起")
    return found


urls = [
    path("ledgers/make", register_make, name="register_make"),
    path("ledgers/make/<int:draft_id>/", register_draft, name="register_draft"),
    path("ledgers/<slug:name>/change", register_change, name="register_change"),
    path("codes/", codes, name="codes"),
    path("codes/<slug:table>/", code_table, name="code_table"),
]

"""Registers: their list, one register's records with filters and views, downloads, templates, what a register says."""

from __future__ import annotations

import itertools
import tempfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path as FilePath

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.urls import path, reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jiaoheng.bureau.core.access import whole_number
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.files import open_file
from jiaoheng.bureau.core.models import Job
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.ledgers.access import access_register
from jiaoheng.bureau.ledgers.actions_records_more import common_columns, do_change_many
from jiaoheng.bureau.ledgers.actions_views import do_drop_view, do_save_view
from jiaoheng.bureau.ledgers.export_jobs import do_export_list
from jiaoheng.bureau.ledgers.list_shell import default_period, list_shell, picked_rows
from jiaoheng.bureau.ledgers.listing import list_page
from jiaoheng.bureau.ledgers.listing_query import ListQuery, from_parameters
from jiaoheng.bureau.ledgers.models import RegisterRow
from jiaoheng.bureau.ledgers.registry import registers_of, schema_of, schema_versions
from jiaoheng.bureau.ledgers.templates import make_template
from jiaoheng.bureau.web.pages import page, see_other
from jiaoheng.bureau.web.places import period_from, unit_from
from jiaoheng.registers.versions import diff_versions


@require_GET
def ledgers(request: HttpRequest) -> HttpResponse:
    """Every register that one may see."""
    context = {
        "registers": registers_of(request.user),
        "may_make": bool(scope_of(request.user, Can.REGISTERS)),
    }
    return page(request, "web/ledgers.html", "台账", context)


@require_GET
def ledger(request: HttpRequest, name: str) -> HttpResponse:
    """One register's records."""
    register = access_register(request.user, name)
    query = _query(request.GET, register)
    found = list_page(request.user, name, query, after=request.GET.get("after", ""))
    context = {
        "list": found,
        "shell": list_shell(request.user, register, query, found.columns),
        "register": register,
        "first": not request.GET.get("after"),
    }
    template = "web/parts/ledger_rows.html" if request.htmx and request.GET.get("part") else "web/ledger.html"
    return page(request, template, found.title, context, crumbs=[("台账", reverse("ledgers"))])


def _query(values: QueryDict, register: RegisterRow) -> ListQuery:
    """The question of an address; a list that names no period opens with the newest one that has records."""
    lists = dict(values.lists())
    every = lists.get("period") == ["all"]
    if every:
        lists.pop("period")
    query = from_parameters(lists)
    if query.period_id is None and not every and query.as_of is None:
        return replace(query, period_id=default_period(register))
    return query


@require_POST
def ledger_export(request: HttpRequest, name: str) -> HttpResponse:
    """Download what the screen shows, or the ticked rows: complete, as it stands, noted; a long one comes by a job."""
    register = access_register(request.user, name)
    query = from_parameters(dict(request.POST.lists()))
    ids = [whole_number(one) for one in request.POST.getlist("chosen")]
    form = "csv" if request.POST.get("form") == "csv" else "xlsx"
    purpose = request.POST.get("purpose", "")
    made = do_export_list(register, query, ids, form=form, purpose=purpose, acting_user=request.user)
    if isinstance(made, Job):
        return see_other("job", made.pk)
    return _file(request, str(made.pk))


@require_GET
def ledger_template(request: HttpRequest, name: str) -> HttpResponse:
    """The workbook to fill in, with the unit's own rows."""
    register = access_register(request.user, name)
    unit = unit_from(request)
    period = period_from(register, request.user, request.GET)
    with tempfile.TemporaryDirectory() as folder:
        target = FilePath(folder) / "template.xlsx"
        shown = make_template(target, register, unit, period=period, account=request.user)
        content = BytesIO(target.read_bytes())
    return FileResponse(content, as_attachment=True, filename=shown)


def _file(request: HttpRequest, attachment_id: str) -> HttpResponse:
    served = open_file(request.user, attachment_id)
    response = FileResponse(served.open())
    for head, value in served.headers.items():
        response[head] = value
    return response


@require_GET
def ledger_about(request: HttpRequest, name: str) -> HttpResponse:
    """What a register asks: fields with their definition, versions with what changed between them."""
    register = access_register(request.user, name)
    versions = schema_versions(register)
    changes = [(new, diff_versions(old, new)) for old, new in itertools.pairwise(versions)]
    context = {
        "register": register,
        "schema": schema_of(register),
        "versions": versions,
        "changes": list(reversed(changes)),
        "may_change": bool(scope_of(request.user, Can.REGISTERS)),
    }
    crumbs = [("台账", reverse("ledgers")), (register.title, reverse("ledger", args=[name]))]
    return page(request, "web/ledger_about.html", "填报说明", context, crumbs=crumbs)


@require_POST
def views(request: HttpRequest, name: str) -> HttpResponse:
    """Keep the present filter, sort and columns under a name, or drop a kept one."""
    access_register(request.user, name)
    if request.POST.get("drop"):
        do_drop_view(request.POST["drop"], acting_user=request.user)
        messages.success(request, "常用视图已删除")
        return see_other("ledger", name)
    query = from_parameters(dict(request.POST.lists()))
    kept = do_save_view(name, request.POST.get("name", ""), query, acting_user=request.user)
    messages.success(request, f"已存为常用“{kept.name}”")
    return see_other("ledger", name, query=urlencode(query.as_pairs()))


@require_http_methods(["GET", "POST"])
def record_edit_many(request: HttpRequest, name: str) -> HttpResponse:
    """Change one or more columns of the ticked records at once."""
    register = access_register(request.user, name)
    values = request.POST if request.method == "POST" else request.GET
    ids = [whole_number(one) for one in values.getlist("chosen")]
    if request.POST.get("act") == "change":
        bases = {
            whole_number(one): whole_number(request.POST.get(f"base-{one}", "0")) for one in values.getlist("chosen")
        }
        field = request.POST.get("field", "")
        saved = do_change_many(
            bases,
            {field: request.POST.get("value", "")},
            reason=request.POST.get("reason", ""),
            acting_user=request.user,
        )
        messages.success(request, f"已改 {len(saved)} 条")
        return see_other("ledger", name)
    context = {
        "register": register,
        "columns": common_columns(request.user, ids),
        "rows": picked_rows(request.user, register, ids),
    }
    crumbs = [("台账", reverse("ledgers")), (register.title, reverse("ledger", args=[name]))]
    return page(request, "web/edit_many.html", f"改 {len(ids)} 条", context, crumbs=crumbs)


urls = [
    path("ledgers/", ledgers, name="ledgers"),
    path("ledgers/<slug:name>/", ledger, name="ledger"),
    path("ledgers/<slug:name>/about", ledger_about, name="ledger_about"),
    path("ledgers/<slug:name>/export", ledger_export, name="ledger_export"),
    path("ledgers/<slug:name>/template", ledger_template, name="ledger_template"),
    path("ledgers/<slug:name>/views", views, name="views"),
    path("ledgers/<slug:name>/edit-many", record_edit_many, name="record_edit_many"),
]

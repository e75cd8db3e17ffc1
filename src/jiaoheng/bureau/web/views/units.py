"""Units: their list, 一校一册, and the guided changes."""

from __future__ import annotations

import datetime as dt
import itertools

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET, require_http_methods

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.access import access_unit
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Unit
from jiaoheng.bureau.core.refusals import ConflictError, ForbiddenError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import name_of
from jiaoheng.bureau.core.unit_forms import (
    NEW,
    Kind,
    asks_of,
    confirm_of,
    kind_named,
    kinds_for,
    places_of,
    preview_of,
)
from jiaoheng.bureau.core.unit_preview import Preview
from jiaoheng.bureau.ledgers.unit_dossier import dossier, unit_words
from jiaoheng.bureau.ledgers.unit_figures import HEADS
from jiaoheng.bureau.ledgers.unit_list import HEADS as LIST_HEADS
from jiaoheng.bureau.ledgers.unit_list import unit_list
from jiaoheng.bureau.web.current import current_place
from jiaoheng.bureau.web.pages import page, see_other, values_of


@require_GET
def units(request: HttpRequest) -> HttpResponse:
    """The districts and schools that one may see, with their figures."""
    kind, text = request.GET.get("kind", ""), request.GET.get("text", "")
    found = unit_list(request.user, day=_day(request), text=text, kind=kind)
    context = {"found": found, "heads": LIST_HEADS, "kind": kind, "text": text, "as_of": request.GET.get("as_of", "")}
    return page(request, "web/units.html", "学校", context)


@require_GET
def unit(request: HttpRequest, unit_id: str) -> HttpResponse:
    """一校一册: one unit on a day."""
    found = access_unit(request.user, unit_id)
    book = dossier(request.user, found, _day(request))
    place = current_place(request)
    above = [one for one in book.page.crumbs[:-1] if place is None or one.unit_id != place.unit_id]
    mine = {root.unit_id for root in scope_of(request.user, Can.READ).roots}
    closed = {one.unit_id for one in itertools.takewhile(lambda one: one.unit_id not in mine, book.page.crumbs)}
    # a unit above the reader's own is named, without a link that would not open
    crumbs = [(one.name, "" if one.unit_id in closed else reverse("unit", args=[one.unit_id])) for one in above]
    context = {
        "book": book,
        "one": book.page,
        "heads": HEADS,
        "changes": kinds_for(found) if book.may_change else (),
        "as_of": request.GET.get("as_of", ""),
    }
    return page(request, "web/unit.html", book.page.name, context, crumbs=[("学校", reverse("units")), *crumbs])


def _day(request: HttpRequest) -> dt.date | None:
    """The day that the address asks for; what is no day is none."""
    try:
        return parse_date(request.GET.get("as_of", ""))
    except ValueError:
        return None


@require_http_methods(["GET", "POST"])
def unit_change(request: HttpRequest, unit_id: str, what: str) -> HttpResponse:
    """One change of a unit: its questions, what it will do, its confirmation."""
    found = access_unit(request.user, unit_id, Can.UNITS)
    return _guided(request, kind_named(what, found), found)


@require_http_methods(["GET", "POST"])
def unit_new(request: HttpRequest) -> HttpResponse:
    """A new unit."""
    if not scope_of(request.user, Can.UNITS):
        raise ForbiddenError("设立单位由县管理员办理")
    return _guided(request, NEW, None)


def _guided(request: HttpRequest, kind: Kind, found: Unit | None) -> HttpResponse:
    typed = _typed(request)
    if request.method == "GET" or request.POST.get("act") == "back":
        return _form(request, kind, found, typed)
    try:
        if request.POST.get("act") == "confirm" or kind.key == "reopen":
            done = confirm_of(request.user, kind, found, typed, request.POST.get("basis"))
            messages.success(request, f"{kind.title}已登记，历史里可以查到")
            return see_other("unit", done.pk)
        return _form(request, kind, found, typed, preview=preview_of(request.user, kind, found, typed))
    except ConflictError as error:
        preview = error.detail.get("preview")
        return _form(request, kind, found, typed, preview=preview, refused=error)
    except RefusedError as error:
        return _form(request, kind, found, typed, refused=error)


def _typed(request: HttpRequest) -> dict[str, str | list[str]]:
    typed = values_of(request) if request.method == "POST" else {}
    if request.method == "POST":
        typed["children"] = request.POST.getlist("children")
    return typed


def _form(
    request: HttpRequest,
    kind: Kind,
    found: Unit | None,
    typed: dict[str, str | list[str]],
    *,
    preview: Preview | None = None,
    refused: RefusedError | None = None,
) -> HttpResponse:
    asks = asks_of(request.user, kind, found, typed, unit_words(found.level if found else Unit.Level.SCHOOL))
    wrong = places_of(refused, asks) if refused is not None and preview is None else {}
    name = name_of(found, clock.today()) if found is not None else ""
    context = {
        "kind": kind,
        "unit": found,
        "unit_name": name,
        "asks": asks,
        "wrong": wrong,
        "errors": [{"anchor": f"field-{field}", "text": said} for field, said in wrong.items()],
        "errors_title": "没有办理，要改",
        "preview": preview,
        "stale": str(refused) if refused is not None and preview is not None else "",
    }
    crumbs = [("学校", reverse("units"))] + ([(name, reverse("unit", args=[found.pk]))] if found is not None else [])
    status = 200 if refused is None else 409 if preview is not None else 400
    return page(
        request,
        "web/unit_change.html",
        f"{name}：{kind.title}" if name else kind.title,
        context,
        crumbs=crumbs,
        status=status,
    )


urls = [
    path("units/", units, name="units"),
    path("units/new", unit_new, name="unit_new"),
    path("units/<int:unit_id>/", unit, name="unit"),
    path("units/<int:unit_id>/change/<slug:what>/", unit_change, name="unit_change"),
]

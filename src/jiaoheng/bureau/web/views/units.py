"""Units: the tree, 一校一册, and the guided changes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET

from jiaoheng.bureau.core.access import access_unit
from jiaoheng.bureau.core.unit_page import unit_page
from jiaoheng.bureau.web.current import current_unit
from jiaoheng.bureau.web.pages import page


@require_GET
def units(request: HttpRequest) -> HttpResponse:
    """The units of one's place, as a tree."""
    top = current_unit(request)
    context = {"one": unit_page(top) if top is not None else None}
    return page(request, "web/units.html", "学校", context)


@require_GET
def unit(request: HttpRequest, unit_id: str) -> HttpResponse:
    """一校一册: one unit on a day."""
    found = access_unit(request.user, unit_id)
    one = unit_page(found, parse_date(request.GET.get("as_of", "") or "x"))
    return page(request, "web/unit.html", one.name, {"one": one}, crumbs=[("学校", reverse("units"))])


@require_GET
def unit_change(request: HttpRequest, unit_id: str, what: str) -> HttpResponse:
    """A guided change of a unit."""
    found = access_unit(request.user, unit_id)
    return page(request, "web/unit_change.html", "变更", {"unit": found, "what": what})


@require_GET
def unit_new(request: HttpRequest) -> HttpResponse:
    """A new unit."""
    return page(request, "web/unit_change.html", "新设单位")


urls = [
    path("units/", units, name="units"),
    path("units/new", unit_new, name="unit_new"),
    path("units/<int:unit_id>/", unit, name="unit"),
    path("units/<int:unit_id>/change/<slug:what>/", unit_change, name="unit_change"),
]

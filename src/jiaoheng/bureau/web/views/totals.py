"""合计 of a register: what its numbers come to for one unit and period."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_GET

from jiaoheng.bureau.ledgers.access import access_register
from jiaoheng.bureau.ledgers.list_totals import list_totals
from jiaoheng.bureau.web.pages import page
from jiaoheng.bureau.web.places import period_from, unit_from


@require_GET
def ledger_totals(request: HttpRequest, name: str) -> HttpResponse:
    """Sums, means and shares, with the reporting rate beside."""
    register = access_register(request.user, name)
    period = period_from(register, request.user, request.GET)
    found = list_totals(request.user, register, unit_from(request), period)
    context = {"register": register, "found": found, "period": period}
    crumbs = [("台账", reverse("ledgers")), (register.title, reverse("ledger", args=[name]))]
    return page(request, "web/ledger_totals.html", f"{register.title}合计", context, crumbs=crumbs)


urls = [path("ledgers/<slug:name>/totals", ledger_totals, name="ledger_totals")]

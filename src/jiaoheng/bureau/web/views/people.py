"""People: their accounts and roles."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_GET

from jiaoheng.bureau.core.access import access_account
from jiaoheng.bureau.core.people import find_people
from jiaoheng.bureau.web.pages import page


@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """The people whose accounts one manages."""
    found = find_people(request.user, text=request.GET.get("q", ""), after=request.GET.get("after", ""))
    return page(request, "web/people.html", "人员", {"found": found})


@require_GET
def person(request: HttpRequest, account_id: str) -> HttpResponse:
    """One person."""
    other = access_account(request.user, account_id)
    return page(request, "web/person.html", other.name, {"other": other}, crumbs=[("人员", reverse("people"))])


@require_GET
def people_import(request: HttpRequest) -> HttpResponse:
    """Accounts from a workbook."""
    return page(request, "web/people_import.html", "从 Excel 增加人员", crumbs=[("人员", reverse("people"))])


@require_GET
def people_slips(request: HttpRequest) -> HttpResponse:
    """First passwords, shown once."""
    return page(request, "web/people_slips.html", "账号条", crumbs=[("人员", reverse("people"))])


urls = [
    path("people/", people, name="people"),
    path("people/import", people_import, name="people_import"),
    path("people/slips", people_slips, name="people_slips"),
    path("people/<int:account_id>/", person, name="person"),
]

"""操作记录: who changed what, when, from what."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_GET

from jiaoheng.bureau.core.audit_search import Wanted, find_entries
from jiaoheng.bureau.web.pages import page


@require_GET
def audit(request: HttpRequest) -> HttpResponse:
    """Entries that one may read, newest first."""
    found = find_entries(request.user, Wanted(person=request.GET.get("who", "")))
    return page(request, "web/audit.html", "操作记录", {"found": found})


urls = [path("audit/", audit, name="audit")]

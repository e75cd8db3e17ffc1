"""工作日历: which days the offices work and the schools teach."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_GET

from jiaoheng.bureau.core.calendar import known_years
from jiaoheng.bureau.web.pages import page


@require_GET
def calendar(request: HttpRequest) -> HttpResponse:
    """A year, month by month."""
    return page(request, "web/calendar.html", "工作日历", {"years": known_years()})


urls = [path("calendar/", calendar, name="calendar")]

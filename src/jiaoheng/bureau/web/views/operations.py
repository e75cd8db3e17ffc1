"""运行情况: how the system runs today, for those who keep it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_GET

from jiaoheng.bureau.operations.figures import running
from jiaoheng.bureau.web.pages import page


@require_GET
def operations(request: HttpRequest) -> HttpResponse:
    """Today's figures."""
    return page(request, "web/operations.html", "运行情况", {"running": running(request.user)})


urls = [path("operations/", operations, name="operations")]

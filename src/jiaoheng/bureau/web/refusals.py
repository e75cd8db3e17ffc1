"""Pages for what is missing, forbidden or broken."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse


def missing(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """One body for what does not exist and what one may not read."""
    return HttpResponse("没有这个页面，或不在您的范围内", status=404)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """What one may read but not write."""
    return HttpResponse("没有办理权限", status=403)


def fault(request: HttpRequest) -> HttpResponse:
    """Our own fault; nothing of the request is shown."""
    return HttpResponse("系统出错，已记录，请稍后再试", status=500)

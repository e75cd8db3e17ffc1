"""Pages for what is missing, forbidden, refused or broken, each in the form of the one who asked (page, htmx, JSON)."""

from __future__ import annotations

import datetime as dt
import logging
import sys
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from jiaoheng.bureau.core.outages import Outage, outage_of
from jiaoheng.bureau.core.refusals import ConflictError, ForbiddenError, NotFoundError, RefusedError
from jiaoheng.bureau.core.tallies import TooOftenError

logger = logging.getLogger(__name__)

MISSING = "没有这个页面，或不在您的范围内"
_TITLES = {400: "没有办成", 403: "没有办理权限", 404: "找不到", 409: "已被别人改过"}
_TELLABLE = ("record_id", "number", "newest", "version", "who", "at")  # of a conflict: numbers, a name, a moment
_FAULT = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>系统出错 · 教衡</title><link rel="stylesheet" href="/static/web/theme.css"></head><body><main class="page">
<h1>系统出错</h1><p>出错已记入系统日志。没有保存的内容仍在上一页，请返回后再试；仍不行请告诉管理员出错的时间。</p>
<p><a href="/">回到待办</a></p></main></body></html>"""

_OUTAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>没有办成 · 教衡</title><link rel="stylesheet" href="/static/web/theme.css"></head><body><main class="page">
<h1>没有办成</h1><p>{sentence}。填的内容仍在上一页，可以返回。</p>
<p><a href="/">回到待办</a></p></main></body></html>"""


def missing(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """One body for what does not exist and what one may not read."""
    return answer(request, 404, "missing", MISSING)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """What one may read but not write."""
    told = str(exception) if isinstance(exception, ForbiddenError) else ""
    return answer(request, 403, "forbidden", told or "您没有办理这件事的权限，请联系本单位管理员")


def fault(request: HttpRequest) -> HttpResponse:
    """Our own fault; nothing of the request is shown, and nothing is asked of the database."""
    outage = outage_of(sys.exception())
    if outage is not None:
        return _outage(request, outage)
    if wants_json(request):
        return JsonResponse({"code": "fault", "message": "系统出错，已记入日志，请稍后再试"}, status=500)
    return HttpResponse(_FAULT, status=500)


def stale(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its mark (CSRF): opened before somebody signed in anew, or sent from elsewhere."""
    return answer(request, 403, "stale-form", "这个页面打开后重新登录过，请返回上一页刷新，再提交一次")


def told(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """The answer to one of our refusals that no page caught; None for anything else."""
    if isinstance(error, NotFoundError):
        return missing(request)
    if isinstance(error, ForbiddenError):
        return forbidden(request, error)
    if isinstance(error, ConflictError):
        return answer(request, 409, error.code, str(error), places=error.places, detail=_tellable(error))
    if isinstance(error, TooOftenError):
        response = answer(request, 429, error.code, str(error))
        response["Retry-After"] = str(error.wait)
        return response
    if isinstance(error, RefusedError):
        return answer(request, 400, error.code, str(error), places=error.places)
    outage = outage_of(error)
    return _outage(request, outage) if outage is not None else None


def _outage(request: HttpRequest, outage: Outage) -> HttpResponse:
    """A full disk, a database that is away: nothing is asked of the database, and the proxy may ask again."""
    logger.error("%s: %s", outage.code, request.path)
    if wants_json(request):
        response: HttpResponse = JsonResponse(
            {"code": outage.code, "message": outage.sentence},
            status=outage.status,
            json_dumps_params={"ensure_ascii": False},
        )
    else:
        response = HttpResponse(_OUTAGE.format(sentence=outage.sentence), status=outage.status)
    response["Retry-After"] = "10"
    return response


def _tellable(error: ConflictError) -> dict[str, Any]:
    """Of a conflict's detail, what an answer needs: contents of records stay on the pages that are made for them."""
    found = {name: error.detail[name] for name in _TELLABLE if error.detail.get(name) is not None}
    return {name: value for name, value in found.items() if isinstance(value, int | str | dt.datetime)}


def wants_json(request: HttpRequest) -> bool:
    """Whether the asker is a program: an API path, or a page's own call that asks for JSON."""
    if request.path.startswith("/api/"):
        return True
    accepted = request.headers.get("Accept", "")
    return "application/json" in accepted and "text/html" not in accepted


def answer(
    request: HttpRequest,
    status: int,
    code: str,
    message: str,
    *,
    places: dict[str, str] | None = None,
    detail: dict[str, Any] | None = None,
) -> HttpResponse:
    """A sentence with its status, as JSON, as a part of a page, or as a page. `detail` goes into JSON alone."""
    if wants_json(request):
        body: dict[str, Any] = {"code": code, "message": message}
        if places:
            body["places"] = places
        if detail:
            body["detail"] = detail
        return JsonResponse(body, status=status, json_dumps_params={"ensure_ascii": False, "default": str})
    context = {
        "title": _TITLES.get(status, "没有办成"),
        "code": code,
        "sentence": message,
        "status": status,
        "wrong": places or {},
    }
    template = "web/parts/refused.html" if getattr(request, "htmx", False) else "web/refused.html"
    return render(request, template, context, status=status)

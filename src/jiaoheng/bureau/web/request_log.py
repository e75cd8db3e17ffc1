"""One log line a request: id, method, route, status, milliseconds, account's number. No path, no name, no address."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from jiaoheng.bureau.operations.logs import REQUESTS, request_id

logger = logging.getLogger(REQUESTS)
_GIVEN = re.compile(r"[0-9a-f]{8,32}(-[0-9a-f]{4,12}){0,4}")
_QUIET = {"healthz", "readyz"}  # asked every few seconds by a proxy


class RequestLog:
    """The outermost middleware: what any other answers is counted too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Give the request its id (or keep the proxy's), and write its line."""
        given = request.headers.get("X-Request-Id", "")
        name = given if _GIVEN.fullmatch(given) else uuid.uuid4().hex[:16]
        token, begin = request_id.set(name), time.perf_counter()
        busy = time.thread_time()
        try:
            response = self.get_response(request)
        finally:
            request_id.reset(token)
        response["X-Request-Id"] = name
        route = _route(request)
        if route not in _QUIET:
            fields = {
                "request": name,
                "method": request.method
                if request.method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
                else "other",
                "route": route,
                "status": response.status_code,
                "ms": round((time.perf_counter() - begin) * 1000, 1),
                "cpu": round((time.thread_time() - busy) * 1000, 1),  # of it on a processor, in this thread
                "account": _account(request),
            }
            logger.info("request", extra={"fields": fields})
        return response


def _route(request: HttpRequest) -> str:
    match = request.resolver_match
    if match is not None:
        return str(match.route)
    return "static" if request.path.startswith("/static/") else "(none)"


def _account(request: HttpRequest) -> int | None:
    """The number of whoever was asked for during the request; nobody is asked for only because of this line."""
    user = getattr(request, "_cached_user", None) or getattr(request, "auth", None)
    number = getattr(user, "account_id", None) or getattr(user, "pk", None)
    return number if isinstance(number, int) else None

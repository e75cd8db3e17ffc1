"""The outermost place of the API: whatever goes wrong below it leaves as problem details, logged without its content."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from jiaoheng.bureau.api.problems import MEDIA_TYPE, general, problem
from jiaoheng.bureau.api.strict_json import is_clean

PREFIX = "/api/"
_log = logging.getLogger("jiaoheng.api")


class ApiDoor:
    """Stands outside everything that may refuse a request of the API."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer; a refusal that is not ours (a wrong method, too many fields) gets our form."""
        if not request.path.startswith(PREFIX):
            return self.get_response(request)
        response = self.get_response(request) if is_clean(request.path) else general(404)
        if response.status_code >= 400:
            if response.get("Content-Type", "") != MEDIA_TYPE:
                response = _ours(response)
            who = request.user.pk if getattr(request, "user", None) is not None else None
            _log.warning("refused %s %s account=%s", response.status_code, request.method, who)
        response.setdefault("Cache-Control", "no-store")
        return response


def _told(response: HttpResponse) -> HttpResponse | None:
    if response.status_code == 404 or response.get("Content-Type", "") != "application/json":
        return None  # what is missing and what may not be read are told in one way
    try:
        said = json.loads(response.content)
        return problem(response.status_code, str(said["code"]), str(said["message"]), places=said.get("places"))
    except (ValueError, KeyError, TypeError):
        return None


def _ours(response: HttpResponse) -> HttpResponse:
    """Our form of a refusal; the sentence of one of our own (first password, a page's refusal) stays."""
    made = _told(response) or general(response.status_code)
    if "Allow" in response:
        made["Allow"] = response["Allow"]
    return made

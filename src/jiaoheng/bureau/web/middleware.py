"""Rules for every signed-in request."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from jiaoheng.bureau.core import audit


class SessionRules:
    """Marks that what happens now comes through a page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The request, marked."""
        with audit.through("page"):
            return self.get_response(request)

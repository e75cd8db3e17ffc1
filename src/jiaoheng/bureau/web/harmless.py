"""The one place where every page's text passes on its way out: marks that turn or hide text are taken out."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from jiaoheng.documents.safe_text import without_hidden


class HarmlessText:
    """Pages and parts of pages; files and reports go out as they are, with their own heads."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer without bidirectional and zero-width marks, whoever typed them and wherever they show."""
        response = self.get_response(request)
        if response.streaming or not response.get("Content-Type", "").startswith("text/html"):
            return response
        text = response.content.decode(response.charset)
        found = without_hidden(text)
        if found != text:
            response.content = found.encode(response.charset)
        return response

"""What travels is compressed: schools sit behind slow lines, and a page of a ledger shrinks to an eighth."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from whitenoise.middleware import WhiteNoiseMiddleware

_KINDS = ("text/html", "application/json")


class Compress(GZipMiddleware):
    """Django's own compression (it pads at random, so that lengths tell nothing), for pages only.

    A file keeps its length for the browser's progress bar, and a workbook is compressed already.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Compress what is a page; a program that reads the API gets what it was told in the length it was told."""
        if request.path.startswith("/api/"):
            return response
        kind = response.get("Content-Type", "").partition(";")[0]
        if response.streaming or kind not in _KINDS:
            return response
        found: HttpResponseBase = super().process_response(request, response)
        return found


class Static(WhiteNoiseMiddleware):
    """Static files as `collectstatic` laid them out, with their compressed copies; from the packages where it never ran.

    The parent prefers the packages' files wherever it looks for them, and those have no compressed copies.
    """

    def add_files_from_finders(self) -> None:
        """Add only what was not laid out."""
        laid_out = dict(self.files)
        super().add_files_from_finders()
        self.files.update(laid_out)

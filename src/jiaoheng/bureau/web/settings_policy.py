"""The content policy of the system settings: looser than any page's, and only for whom and for what it has to be.

Their library (django-unfold) ships the build of Alpine that evaluates attributes, and writes style attributes; a build
without evaluation does not read its templates. So scripts may be evaluated there, but come from us alone and never stand
in the page; of style elements only those that stand in this very answer are let in, by their hash.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

PREFIX = "/settings/"
_STYLES = re.compile(rb"<style[^>]*>(.*?)</style>", re.DOTALL)


class SettingsPolicy:
    """Gives the looser policy to the settings' own pages for those who may open them; everything else stays strict."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer; refusals, redirects, files and the pages of others keep the policy of every page."""
        response = self.get_response(request)
        if not request.path.startswith(PREFIX) or response.streaming or response.status_code != 200:
            return response
        if request.user.is_staff and response.get("Content-Type", "").startswith("text/html"):
            response["Content-Security-Policy"] = policy(response.content)
        return response


def policy(body: bytes) -> str:
    """The policy of one page, with the hashes of its style elements."""
    digests = (base64.b64encode(hashlib.sha256(one).digest()).decode() for one in _STYLES.findall(body))
    elements = " ".join(dict.fromkeys(("'self'", *(f"'sha256-{one}'" for one in digests))))
    return (
        "default-src 'none'; script-src 'self' 'unsafe-eval'; script-src-attr 'none'; style-src 'self';"
        f" style-src-elem {elements}; style-src-attr 'unsafe-inline';"
        " img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none';"
        " base-uri 'none'; object-src 'none'"
    )

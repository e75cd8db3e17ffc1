"""The heads of every answer that keep it from being more than it is: what it may load, who may frame it, what it may use."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# nothing inline: what a person typed can become text, never a program
PAGES = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self';"
    " connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
# a report carries its own pictures and scripts in one file: it runs in a place of its own, without our session
REPORT = (
    "sandbox allow-scripts allow-downloads allow-popups allow-modals allow-top-navigation-by-user-activation;"
    " default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; font-src data:;"
    " form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
# what people handed in: nothing in it does anything
FILES = "sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
_UNUSED = (
    "accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "encrypted-media", "geolocation",
    "gyroscope", "magnetometer", "microphone", "midi", "payment", "picture-in-picture", "publickey-credentials-get",
    "screen-wake-lock", "usb", "xr-spatial-tracking",
)  # fmt: skip
PERMISSIONS = ", ".join(f"{one}=()" for one in _UNUSED)


class SafeHeaders:
    """The outermost place: every answer passes here, also static files and refusals."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer with its heads; a view that sets one itself (a file, a report) keeps it."""
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", PAGES)
        response.setdefault("Permissions-Policy", PERMISSIONS)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        response.setdefault("Referrer-Policy", "same-origin")
        response.setdefault("X-Content-Type-Options", "nosniff")
        response.setdefault("X-Frame-Options", "DENY")
        return response

"""Whether the server and its database answer."""

from __future__ import annotations

from django.db import connection
from django.http import HttpRequest, JsonResponse


def healthz(request: HttpRequest) -> JsonResponse:
    """200 with `ok` where the database answers."""
    connection.ensure_connection()
    return JsonResponse({"status": "ok"})

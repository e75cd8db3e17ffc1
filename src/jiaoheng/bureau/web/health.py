"""Whether the server and its database answer."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, JsonResponse


@login_not_required
def healthz(request: HttpRequest) -> JsonResponse:
    """200 with `ok` where the database answers."""
    connection.ensure_connection()
    return JsonResponse({"status": "ok"})

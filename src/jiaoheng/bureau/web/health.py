"""Whether the server lives, and whether it can work: for proxies and service managers."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.db.utils import Error as DatabaseError
from django.http import HttpRequest, JsonResponse

from jiaoheng.bureau.operations.schema_state import state_of


@login_not_required
def healthz(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers at all; nothing else is asked."""
    return JsonResponse({"status": "ok"})


@login_not_required
def readyz(request: HttpRequest) -> JsonResponse:
    """200 where the database answers and is of this version, 503 with the reason's code otherwise."""
    try:
        state = state_of(connection)
    except DatabaseError:
        return JsonResponse({"status": "no-database"}, status=503)
    if state.unknown or state.pending:
        return JsonResponse({"status": "schema-newer" if state.unknown else "schema-pending"}, status=503)
    return JsonResponse({"status": "ok"})

"""Signing in and out."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse


def locked_out(request: HttpRequest, credentials: Any = None, *args: Any, **kwargs: Any) -> HttpResponse:
    """The page of an account that is locked for a while."""
    return HttpResponse("连续输错 5 次，请 15 分钟后再试，或请本单位管理员解锁", status=429)

"""Locks after wrong passwords: per (account, address), with an end (django-axes counts; see the settings)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Max, Sum
from django.http import HttpRequest
from django.utils import timezone


def client_address(request: HttpRequest) -> str:
    """Where a request comes from. A forwarded-address head counts only as far as our own proxies wrote it."""
    direct = str(request.META.get("REMOTE_ADDR") or "")
    proxies = int(settings.AXES_IPWARE_PROXY_COUNT or 0)
    if proxies < 1:
        return direct
    forwarded = [one.strip() for one in str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",") if one.strip()]
    # the nearest proxy appends last; what stands further left was sent by the client itself
    found = forwarded[-proxies] if len(forwarded) >= proxies else direct
    return found if _is_address(found) else direct


def client_name(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """The user name as it is counted: Zhang and zhang are one."""
    given = (credentials or {}).get("username") or request.POST.get("username", "")
    return str(given).strip().lower()[:255]


def locks_of(usernames: Iterable[str]) -> dict[str, dt.datetime]:
    """User name → until when it is locked somewhere; names that are not locked are left out."""
    cool_off = dt.timedelta(hours=settings.AXES_COOLOFF_TIME)
    rows = (
        AccessAttempt.objects.filter(username__in=list(usernames), attempt_time__gt=timezone.now() - cool_off)
        .values("username", "ip_address")
        .annotate(failures=Sum("failures_since_start"), last=Max("attempt_time"))
        .filter(failures__gte=settings.AXES_FAILURE_LIMIT)
    )
    found: dict[str, dt.datetime] = {}
    for row in rows:
        until = row["last"] + cool_off
        found[row["username"]] = max(until, found.get(row["username"], until))
    return found


def forget_failures(username: str) -> int:
    """Take every lock and count off a name; how many counts there were."""
    count, _ = AccessAttempt.objects.filter(username=username).delete()
    return int(count)


def _is_address(text: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True

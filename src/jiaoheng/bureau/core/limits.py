"""How much one account may ask for, by its roles: rows, requests, expensive work, upload sizes (packs/limits.yaml)."""

from __future__ import annotations

import datetime as dt
import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings

from jiaoheng import packs
from jiaoheng.bureau.core import clock, tallies
from jiaoheng.bureau.core.models import Account, Membership
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.tree import holds

_KEPT = 60.0  # seconds for which a person's limits are not looked up again
_HEAVY = 600  # seconds
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one account."""

    page_rows: int
    export_rows: int
    requests: int
    heavy: int
    upload_mb: dict[str, int]
    heavy_pages: frozenset[str]


_known: dict[int, tuple[float, Limits]] = {}
_asked: dict[int, tuple[int, int]] = {}  # account → (minute, requests), of this process
_lock = threading.Lock()


def limits_of(account: Account) -> Limits:
    """The limits of an account today, of its roles the largest."""
    now = time.monotonic()
    kept = _known.get(account.pk)
    if kept is not None and now - kept[0] < _KEPT:
        return kept[1]
    roles = Membership.objects.filter(holds(clock.today()), account=account).values_list("role", flat=True)
    found = of_roles(tuple(sorted(set(roles))), clock.today())
    if len(_known) > 10_000:
        _known.clear()
    _known[account.pk] = (now, found)
    return found


@lru_cache(maxsize=256)
def of_roles(roles: tuple[str, ...], day: dt.date) -> Limits:
    """The limits of somebody with these roles on a day."""
    entry = max((one for one in _entries() if one["from"] <= day), key=lambda one: one["from"], default=_entries()[0])
    sets = [entry["every"], *(entry["every"] | entry["roles"].get(role, {}) for role in roles)]
    names = ("page_rows", "export_rows", "requests", "heavy")
    sizes = {kind: max(one["upload_mb"][kind] for one in sets) for kind in entry["every"]["upload_mb"]}
    return Limits(
        **{name: max(int(one[name]) for one in sets) for name in names},
        upload_mb=sizes,
        heavy_pages=frozenset(entry["heavy_pages"]),
    )


def check_request(account: Account, page: str, method: str) -> None:
    """Count a request of a person. Raises TooOftenError with a sentence.

    All requests are counted in the process (each of several counts for itself); expensive work in the database.
    """
    if not settings.LIMITS:
        return
    found = limits_of(account)
    wait = _count(account.pk, found.requests)
    if wait:
        told = f"一分钟内打开页面超过 {found.requests} 次，请 {wait} 秒后再试；没有点这么多次，请检查浏览器插件"
        raise tallies.TooOftenError(told, wait)
    if method == "POST" and page in found.heavy_pages:
        told = f"10 分钟内导入、导出、汇总超过 {found.heavy} 次，请 {{wait}}后再试"
        tallies.check_often(f"heavy/{account.pk}", _HEAVY, found.heavy, told)


def check_export(account: Account, rows: int) -> None:
    """Raises RefusedError `export-too-large` for more rows than the account may export at once."""
    most = limits_of(account).export_rows
    if rows > most:
        told = f"共 {rows:,} 行，您的角色一次最多导出 {most:,} 行。请按单位、期次或条件分开导出"
        raise RefusedError("export-too-large", told)


def forget() -> None:
    """Look everything up again, count anew."""
    _known.clear()
    _asked.clear()
    of_roles.cache_clear()
    _entries.cache_clear()


def _count(account_id: int, most: int) -> int:
    second = int(time.time())
    minute = second // _MINUTE
    with _lock:
        begun, count = _asked.get(account_id, (minute, 0))
        count = count + 1 if begun == minute else 1
        if len(_asked) > 10_000:
            _asked.clear()
        _asked[account_id] = (minute, count)
    return 0 if count <= most else (minute + 1) * _MINUTE - second


@lru_cache(maxsize=1)
def _entries() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = packs.load("limits")
    return found

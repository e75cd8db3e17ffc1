"""Where a person is signed in: one line a browser, with words for the device and its last use; a line can be ended."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.locking import client_address
from jiaoheng.bureau.core.models import Account, SignedIn
from jiaoheng.bureau.core.refusals import NotFoundError

KEY = "signed-in"  # the line's number in the session
_TOUCH = dt.timedelta(minutes=5)
_SYSTEMS = (
    ("HarmonyOS", "鸿蒙"), ("OpenHarmony", "鸿蒙"), ("Android", "安卓"), ("iPhone", "iPhone"), ("iPad", "iPad"),
    ("Windows", "Windows"), ("Mac OS X", "Mac"), ("UOS", "统信 UOS"), ("Kylin", "麒麟"), ("Linux", "Linux"),
)  # fmt: skip
_BROWSERS = (
    ("MicroMessenger", "微信"), ("DingTalk", "钉钉"), ("QQBrowser", "QQ 浏览器"), ("360SE", "360 浏览器"),
    ("Edg", "Edge"), ("Firefox", "Firefox"), ("OPR", "Opera"), ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SignedInLine:
    """One browser as its owner sees it."""

    pk: int
    device: str
    address: str
    began_at: dt.datetime
    used_at: dt.datetime
    here: bool


def begin(request: HttpRequest, account: Account) -> None:
    """A line for the session that just began; to be called (by the signal) whenever somebody is signed in."""
    old = request.session.get(KEY)
    if old:
        SignedIn.objects.filter(pk=old).delete()
    moment = clock.now()
    made = SignedIn.objects.create(
        account=account,
        device=device_words(request.META.get("HTTP_USER_AGENT", "")),
        address=client_address(request)[:45],
        began_at=moment,
        used_at=moment,
    )
    request.session[KEY] = made.pk


def goes_on(request: HttpRequest, account: Account) -> bool:
    """Whether the request's session still has its line; notes its use every five minutes."""
    line = SignedIn.objects.filter(pk=request.session.get(KEY), account=account).first()
    if line is None:
        return False
    moment = clock.now()
    if abs(moment - line.used_at) > _TOUCH:
        SignedIn.objects.filter(pk=line.pk).update(used_at=moment)
    return True


def lines_of(account: Account, request: HttpRequest) -> list[SignedInLine]:
    """Where an account is signed in, this browser first, then by last use."""
    here = request.session.get(KEY)
    since = clock.now() - dt.timedelta(seconds=settings.SESSION_COOKIE_AGE)
    rows = SignedIn.objects.filter(account=account, used_at__gte=since).order_by("-used_at", "-pk")
    lines = [SignedInLine(r.pk, r.device, r.address, r.began_at, r.used_at, r.pk == here) for r in rows]
    return sorted(lines, key=lambda one: not one.here)


@audit.action
def do_end_signed_in(line: str, *, acting_user: Account) -> None:
    """Sign one of one's own browsers out. Raises NotFoundError for anything that is not one's own."""
    row = SignedIn.objects.filter(pk=int(line), account=acting_user).first() if _is_number(line) else None
    if row is None:
        raise NotFoundError
    row.delete()
    _note(acting_user, row.device, 1)


@audit.action
def do_end_others(keep: int | None, *, acting_user: Account) -> int:
    """Sign every other browser of one's own account out; how many."""
    count = int(SignedIn.objects.filter(account=acting_user).exclude(pk=keep).delete()[0])
    _note(acting_user, "其他登录", count)
    return count


def end_here(request: HttpRequest) -> None:
    """The line of a session that its owner leaves."""
    SignedIn.objects.filter(pk=request.session.get(KEY)).delete()


def end_all(account: Account, keep: int | None = None) -> None:
    """Every session of an account ends (a lost phone, a new password)."""
    SignedIn.objects.filter(account=account).exclude(pk=keep).delete()


def sweep() -> int:
    """Remove lines whose sessions are over; how many."""
    since = clock.now() - dt.timedelta(seconds=2 * settings.SESSION_COOKIE_AGE)
    return int(SignedIn.objects.filter(used_at__lt=since).delete()[0])


def device_words(agent: str) -> str:
    """Windows 上的 Chrome; 未知设备 for what names neither."""
    system = next((words for mark, words in _SYSTEMS if mark in agent), "")
    browser = next((words for mark, words in _BROWSERS if re.search(rf"\b{mark}", agent)), "")
    if system and browser:
        return f"{system} 上的 {browser}"
    return system or browser or "未知设备"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _note(account: Account, device: str, count: int) -> None:
    about = ("account", account.pk, f"{account.name}（{account.username}）")
    audit.note("session.end", actor=account, about=about, unit_id=account.home_id, count=max(count, 1), reason=device)

"""What no page takes, refused before any page sees it: too large, too many, not text, of a wrong kind. Counted, not quoted."""

from __future__ import annotations

import datetime as dt
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.web import refusals

_log = logging.getLogger("jiaoheng.refused")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_COUNTED = {400, 401, 403, 404, 405, 409, 413, 414, 415, 429}
_MOST_FILE = 20_000_000  # bytes of one day's counts: a flood fills no disk
FOLDER = "refused"


class Gate:
    """Stands before sessions and pages; the API has its own of the same kind."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer; every refusal is counted by day, status and route, with the account's number and nothing else."""
        response = _refused(request)
        if response is None:
            response = self.get_response(request)
        if response.status_code in _COUNTED:
            _count(request, response.status_code)
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """The fields of a form: read once here, so that what cannot be read is refused before anything is done."""
        if request.method != "POST" or request.path.startswith("/api/"):
            return None
        try:
            texts = [*request.POST.items(), *((one.name, "") for one in request.FILES.values())]
            many = [value for values in request.POST.lists() for value in values[1]]
        except MultiPartParserError:
            return unreadable(request)
        except RequestDataTooBig:
            return too_large(request)
        except SuspiciousOperation as error:
            return unreadable(request, error)
        return None if _is_text([*(name for name, _ in texts), *many]) else unreadable(request)


def unreadable(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """What cannot be read (Django's own refusals come here as well, see urls.handler400)."""
    if isinstance(exception, RequestDataTooBig):
        return too_large(request)
    told = "发来的内容无法识别（编码、格式或项数不对），没有办理。请回到原来的页面重新填写"
    return refusals.answer(request, 400, "unreadable", told)


def too_large(request: HttpRequest) -> HttpResponse:
    """More than any page takes."""
    most = settings.MOST_BODY // (1 << 20)
    return refusals.answer(request, 413, "too-large", f"一次最多发送 {most} MB，请分开上传，或把文件压缩后再传")


def refused_by_day(days: int = 7) -> dict[dt.date, Counter[tuple[int, str]]]:
    """Day → (status, route) → how often it was refused, of the last days; for the page of figures."""
    found = {}
    for back in range(days):
        day = clock.today() - dt.timedelta(days=back)
        counts: Counter[tuple[int, str]] = Counter()
        for line in _lines(_file(day)):
            status, _, rest = line.partition(" ")
            counts[int(status), rest.rpartition(" ")[0]] += 1
        found[day] = counts
    return found


def _refused(request: HttpRequest) -> HttpResponse | None:
    if request.path.startswith(("/api/", "/static/")):
        return None
    if not _is_utf8(request.META.get("QUERY_STRING", "")) or "\ufffd" in request.path or "\0" in request.path:
        return unreadable(request)
    if len(request.META.get("QUERY_STRING", "")) > settings.MOST_QUERY:
        told = f"网址过长，最多 {settings.MOST_QUERY:,} 个字符。请减少筛选条件或勾选的行"
        return refusals.answer(request, 414, "address-too-long", told)
    try:
        values = [one for name, values in request.GET.lists() for one in (name, *values)]
    except SuspiciousOperation as error:
        return unreadable(request, error)
    if not _is_text(values):
        return unreadable(request)
    return _body_refused(request) if request.method == "POST" else None


def _body_refused(request: HttpRequest) -> HttpResponse | None:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        return unreadable(request)
    if int(length) > settings.MOST_BODY:
        return too_large(request)
    if int(length) and request.content_type not in _FORMS:
        return refusals.answer(request, 415, "content-type", "这个页面只收表单和文件。程序请用 /api/v1/ 下的接口")
    charset = (request.content_params or {}).get("charset", "utf-8").lower()
    if charset not in ("utf-8", "utf8"):
        return refusals.answer(request, 415, "content-type", "表单请用 UTF-8 编码发送")
    return None


def _is_utf8(raw: str) -> bool:
    try:
        unquote_to_bytes(raw.encode("latin-1")).decode("utf-8")
    except UnicodeError:
        return False
    return True


def _is_text(values: Iterable[Any]) -> bool:
    """No NUL, no lone surrogate, no sign that stands for undecodable bytes: no keyboard makes them."""
    for value in values:
        if isinstance(value, str) and ("\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value)):
            return False
    return True


def _count(request: HttpRequest, status: int) -> None:
    match = request.resolver_match
    route = (match.view_name or str(match.route)) if match is not None else "-"
    who = getattr(getattr(request, "_cached_user", None), "pk", None) or "-"
    _log.info("refused %s %s account=%s", status, route, who)
    path = _file(clock.today())
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError:  # a full disk refuses no answer
        return
    try:
        if os.fstat(descriptor).st_size < _MOST_FILE:
            os.write(descriptor, f"{status} {route} {who}\n".encode("ascii", "replace"))
    except OSError:
        return
    finally:
        os.close(descriptor)


def _file(day: dt.date) -> Path:
    return Path(settings.DATA) / FOLDER / f"{day:%Y-%m-%d}.txt"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").splitlines()
    except OSError:
        return []

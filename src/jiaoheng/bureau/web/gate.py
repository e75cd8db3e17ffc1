"""What no page takes, refused before any page sees it: too large, too many, not text, of a wrong kind. Counted, not quoted."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError

from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.refused import count_refused
from jiaoheng.bureau.web import refusals

_log = logging.getLogger("jiaoheng.refused")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_COUNTED = {400, 401, 403, 404, 405, 406, 409, 413, 414, 415, 428, 429}


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
    route = f"/{match.route.lstrip('^')}" if match is not None else "-"
    who = _account_number(request)
    _log.info("refused %s %s account=%s", status, route, who)
    count_refused(status, route, who)


def _account_number(request: HttpRequest) -> object:
    """Of whoever is known already; a session that nobody has read is not read for a count."""
    of_token = request.__dict__.get("user")
    known = of_token if isinstance(of_token, Account) else getattr(request, "_cached_user", None)
    return getattr(known, "pk", None) or "-"

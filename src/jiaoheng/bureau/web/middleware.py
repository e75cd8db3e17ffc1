"""Rules for every request: who must sign in, who must first change his password, when a session ends, what a refusal says."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from jiaoheng.bureau.core import audit, clock, limits, scope, signed_in
from jiaoheng.bureau.core.second_factor import factor_of, needs_second_factor
from jiaoheng.bureau.core.tallies import TooOftenError
from jiaoheng.bureau.ledgers import registry
from jiaoheng.bureau.web import refusals

SEEN = "seen"
_TOUCH = 300  # seconds between two writes of a session's last use
PASSED = "second-factor"  # in the session: the code was right, or this browser is remembered
_FIRST = {"password", "logout", "login"}  # what opens with a first password
_SECOND = {"second_factor", "second_factor_new", "logout", "login"}  # what opens before the second factor


class SessionRules:
    """Stands right around the views, inside the session and account middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The request, marked as coming through a page (or the API)."""
        door = audit.through("api" if request.path.startswith("/api/") else "page")
        reading = registry.remembered() if request.method in ("GET", "HEAD") else contextlib.nullcontext()
        with door, clock.not_before(audit.anchored_moment()), scope.remembered(), reading:
            _end_idle(request)
            response = self.get_response(request)
        if request.user.is_authenticated and "Cache-Control" not in response:
            response["Cache-Control"] = "no-store"  # the back button of a shared PC shows nothing after leaving
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Refuse what is not open yet: before signing in, and with a first password."""
        if not getattr(view, "login_required", True):
            return None
        if not request.user.is_authenticated:
            # the API reads tokens itself, and answers 401 itself
            return None if request.path.startswith("/api/") else _sign_in_first(request)
        name = request.resolver_match.view_name if request.resolver_match else ""
        try:
            limits.check_request(request.user, name, request.method)
        except TooOftenError as error:  # what is raised here reaches no `process_exception`
            return refusals.told(request, error)
        waits = not request.session.get(PASSED) and needs_second_factor(request.user)
        if waits and name not in _SECOND and factor_of(request.user) is not None:
            return _code_first(request, "second_factor")  # before the password too: a stolen one must not be changed
        if request.user.must_change_password:
            return None if name in _FIRST else _password_first(request)
        if waits and name not in (_SECOND | _FIRST):
            return _code_first(request, "second_factor_new")
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Our refusals become their pages; everything else is a fault."""
        return refusals.told(request, exception)


def _end_idle(request: HttpRequest) -> None:
    if not request.user.is_authenticated:
        return
    now = clock.now().timestamp()
    seen = request.session.get(SEEN, now)
    if now - seen > settings.SESSION_COOKIE_AGE or not signed_in.goes_on(request, request.user):
        logout(request)
    elif SEEN not in request.session or abs(now - seen) > _TOUCH:
        request.session[SEEN] = now


def _sign_in_first(request: HttpRequest) -> HttpResponse:
    """To the sign-in, and back here afterwards; what a page's own call sent stays on that page."""
    login = reverse("login")
    if refusals.wants_json(request) or getattr(request, "htmx", False):
        response = refusals.answer(request, 401, "sign-in", "登录已到期，请重新登录；已填的内容还在本页")
        response["X-Sign-In"] = login
        return response
    back = request.get_full_path() if request.method in ("GET", "HEAD") else _form_of(request)
    if back and back != "/":
        return HttpResponseRedirect(f"{login}?{urlencode({'next': back})}")
    return HttpResponseRedirect(login)


def _form_of(request: HttpRequest) -> str:
    """The page of ours whose form was sent when the session had ended: it keeps what was typed, and offers it again."""
    sent_from = urlsplit(request.headers.get("Referer", ""))
    if sent_from.netloc != request.get_host():
        return ""
    return sent_from.path + (f"?{sent_from.query}" if sent_from.query else "")


def _password_first(request: HttpRequest) -> HttpResponse:
    if refusals.wants_json(request) or getattr(request, "htmx", False) or request.method not in ("GET", "HEAD"):
        return refusals.answer(request, 403, "password-first", "首次登录请先修改密码，改好后再办理")
    return HttpResponseRedirect(reverse("password"))


def _code_first(request: HttpRequest, name: str) -> HttpResponse:
    if refusals.wants_json(request) or getattr(request, "htmx", False) or request.method not in ("GET", "HEAD"):
        return refusals.answer(request, 403, "second-factor", "请先输入二次验证的验证码，再办理")
    return HttpResponseRedirect(f"{reverse(name)}?{urlencode({'next': request.get_full_path()})}")

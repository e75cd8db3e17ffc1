"""Signing in and out, the first change of password, the demo's roles."""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from jiaoheng.bureau.core import clock, signed_in, tallies
from jiaoheng.bureau.core.actions_accounts import do_change_own_password
from jiaoheng.bureau.core.demo_people import demo_account, demo_people
from jiaoheng.bureau.core.locking import client_name
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.password_rules import shortest_of
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.second_factor import factor_of, is_remembered
from jiaoheng.bureau.core.signing import note_failed, note_locked, note_signed_in, note_signed_out
from jiaoheng.bureau.web import refusals
from jiaoheng.bureau.web.middleware import PASSED, SEEN
from jiaoheng.bureau.web.pages import own_address

WRONG = "账号或密码不对，请重新输入"  # one text, whether the name exists or not
EMPTY = "请填写账号和密码"
LOCKED = "连续输错 5 次，这个账号在本地址锁定 15 分钟；请稍后再试，或请本单位管理员解锁"
REMEMBERED = "jh-device"  # cookie of a browser that is not asked for a code for some days
OFTEN = "这个账号 15 分钟内输错次数太多，请 {wait}后再试"
_WINDOW, _MOST = 900, 30  # wrong tries of one account from all addresses together: a lock counts per address
_BACKEND = "django.contrib.auth.backends.ModelBackend"


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page. Asked for JSON it signs in on the spot: a page whose session ended goes on."""
    if request.method != "POST":
        if request.user.is_authenticated:
            return HttpResponseRedirect(next_of(request))
        return login_page(request)
    username, password = client_name(request), request.POST.get("password", "")
    if not username or not password:
        return _refuse(request, EMPTY, 400)
    tally = f"sign-in/{hashlib.sha256(username.encode()).hexdigest()[:40]}"  # what was typed may be a password
    wait = tallies.waiting(tally, _WINDOW, _MOST)
    if wait:
        return too_often(_refuse(request, OFTEN.format(wait=tallies.words_of(wait)), 429), wait)
    account = authenticate(request, username=username, password=password)
    if account is None:
        failures = getattr(request, "axes_failures_since_start", None)
        if failures is not None:  # None while locked: that try was not even looked at
            note_failed(username)
            tallies.count_one(tally, _WINDOW, _MOST)
            if getattr(request, "axes_locked_out", False):
                note_locked(username)
        return _refuse(request, WRONG, 400)
    enter(request, account)
    if refusals.wants_json(request):
        return JsonResponse({"account": account.pk, "name": account.name, "csrf": get_token(request)})
    return HttpResponseRedirect(reverse("password") if account.must_change_password else next_of(request))


@login_not_required
@require_POST
def sign_in_demo(request: HttpRequest) -> HttpResponse:
    """One press into a role. Exists in the demo alone."""
    account = demo_account(request.POST.get("role", "")) if settings.DEMO else None
    if account is None:
        raise Http404
    enter(request, account)
    return HttpResponseRedirect(next_of(request))


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Leave; everything of this session ends."""
    if request.user.is_authenticated:
        note_signed_out(request.user)
        signed_in.end_here(request)
    logout(request)
    return HttpResponseRedirect(reverse("login"))


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    """The change of password: forced at the first sign-in, open to everybody later."""
    account: Account = request.user
    context: dict[str, Any] = {"title": "修改密码", "first": account.must_change_password, "places": {}}
    context["least"] = shortest_of(account)
    if request.method != "POST":
        return render(request, "web/password.html", context)
    given = [request.POST.get(name, "") for name in ("old", "password", "again")]
    try:
        do_change_own_password(*given, acting_user=account)
    except RefusedError as error:
        context |= {"message": str(error), "places": error.places}
        return render(request, "web/password.html", context, status=400)
    update_session_auth_hash(request, account)  # this session goes on, every other one of the account ends
    signed_in.end_all(account, keep=request.session.get(signed_in.KEY))
    return HttpResponseRedirect(next_of(request))


def locked_out(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """The answer for an account that is locked for a while (settings: AXES_LOCKOUT_CALLABLE)."""
    return too_often(_refuse(request, LOCKED, 429), int(settings.AXES_COOLOFF_TIME * 3600))


def too_often(response: HttpResponse, wait: int) -> HttpResponse:
    """The answer with the seconds after which it may be asked again."""
    response["Retry-After"] = str(wait)
    return response


def enter(request: HttpRequest, account: Account) -> None:
    """Sign in whoever was recognised; a remembered browser has its second factor with it."""
    login(request, account, backend=_BACKEND)
    request.session[SEEN] = clock.now().timestamp()
    factor = factor_of(account)
    if factor is not None and is_remembered(account, factor, request.COOKIES.get(REMEMBERED, "")):
        request.session[PASSED] = True
    note_signed_in(account)


def _refuse(request: HttpRequest, message: str, status: int) -> HttpResponse:
    if refusals.wants_json(request):
        return refusals.answer(request, status, "sign-in", message)
    return login_page(request, message, status)


def login_page(request: HttpRequest, message: str = "", status: int = 200) -> HttpResponse:
    """The sign-in page, with what did not work."""
    context = {
        "title": "登录",
        "message": message,
        "username": request.POST.get("username", "")[:40],
        "next": next_of(request, ""),
        "people": demo_people() if settings.DEMO else [],
        "oidc": settings.OIDC_ISSUER,
    }
    return render(request, "web/login.html", context, status=status)


def next_of(request: HttpRequest, otherwise: str = settings.LOGIN_REDIRECT_URL) -> str:
    """Where to go on: only an address of this server, never one that somebody else put into a link."""
    wanted = str(request.POST.get("next") or request.GET.get("next") or "")
    return own_address(request, wanted, otherwise) if wanted != reverse("login") else otherwise

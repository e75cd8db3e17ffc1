"""The second factor's pages: the code at the sign-in, setting it up with a picture to scan, recovery codes shown once."""

from __future__ import annotations

from typing import Any

import segno
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from jiaoheng.bureau.core.actions_second_factor import check_code, confirm, do_drop_own_factor, do_new_codes, prepare
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.second_factor import address_of, device_mark, factor_of
from jiaoheng.bureau.core.tallies import TooOftenError
from jiaoheng.bureau.web.middleware import PASSED
from jiaoheng.bureau.web.sign_in import REMEMBERED, next_of, too_often

_DAY = 86_400


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """The code after the password."""
    factor = factor_of(request.user)
    if factor is None or request.session.get(PASSED):
        return HttpResponseRedirect(next_of(request) if factor is not None else reverse("second_factor_new"))
    context: dict[str, Any] = {"next": next_of(request), "days": settings.SECOND_FACTOR_REMEMBER_DAYS}
    if request.method != "POST":
        return _code_page(request, context)
    try:
        how = check_code(request.user, request.POST.get("code", "")[:40])
    except RefusedError as error:
        return _wrong(_code_page(request, context, error), error)
    _pass(request)
    if how == "recovery":
        messages.warning(request, "用掉一个恢复码。手机丢失请在“账号与密码”里换绑")
    response = HttpResponseRedirect(context["next"])
    if request.POST.get("remember") == "1" and context["days"]:
        response.set_cookie(
            REMEMBERED,
            device_mark(request.user, factor),
            max_age=context["days"] * _DAY,
            httponly=True,
            secure=settings.SESSION_COOKIE_SECURE,
            samesite="Lax",
        )
    return response


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor_new(request: HttpRequest) -> HttpResponse:
    """Set the second factor up: the picture, the first code, then the recovery codes."""
    if factor_of(request.user) is not None:
        return HttpResponseRedirect(reverse("me"))
    if request.user.must_change_password:
        return HttpResponseRedirect(reverse("password"))
    factor = prepare(request.user)
    address = address_of(request.user, factor.secret)
    context: dict[str, Any] = {
        "title": "设置二次验证",
        "picture": segno.make(address, error="m").svg_data_uri(scale=5, border=3, dark="#000", light="#fff"),
        "secret": " ".join(factor.secret[at : at + 4] for at in range(0, len(factor.secret), 4)),
        "next": next_of(request),
    }
    if request.method != "POST":
        return render(request, "web/second_factor_new.html", context)
    try:
        made = confirm(request.POST.get("code", "")[:40], request.user)
    except RefusedError as error:
        context |= {"message": str(error)}
        return _wrong(render(request, "web/second_factor_new.html", context, status=400), error)
    _pass(request)
    return _codes_page(request, made, context["next"])


@never_cache
@sensitive_post_parameters("code")
@require_POST
def second_factor_change(request: HttpRequest) -> HttpResponse:
    """New recovery codes, or another phone: both ask for a code first."""
    try:
        check_code(request.user, request.POST.get("code", "")[:40])
    except RefusedError as error:
        messages.error(request, str(error))
        return _wrong(HttpResponseRedirect(reverse("me")), error)
    if request.POST.get("act") == "codes":
        return _codes_page(request, do_new_codes(acting_user=request.user), reverse("me"))
    do_drop_own_factor(acting_user=request.user)
    request.session.pop(PASSED, None)
    return HttpResponseRedirect(reverse("second_factor_new"))


def _pass(request: HttpRequest) -> None:
    request.session.cycle_key()  # the session changes its worth: nobody keeps its old name
    request.session[PASSED] = True


def _code_page(request: HttpRequest, context: dict[str, Any], error: RefusedError | None = None) -> HttpResponse:
    told = {"title": "输入验证码", "message": str(error) if error is not None else ""}
    return render(request, "web/second_factor.html", context | told, status=200 if error is None else 400)


def _codes_page(request: HttpRequest, made: list[str], after: str) -> HttpResponse:
    return render(request, "web/second_factor_codes.html", {"title": "恢复码", "codes": made, "next": after})


def _wrong(response: HttpResponse, error: RefusedError) -> HttpResponse:
    if isinstance(error, TooOftenError) and response.status_code == 400:
        response.status_code = 429
        return too_often(response, error.wait)
    return response


urls = [
    path("login/code/", second_factor, name="second_factor"),
    path("login/code/new", second_factor_new, name="second_factor_new"),
    path("login/code/change", second_factor_change, name="second_factor_change"),
]

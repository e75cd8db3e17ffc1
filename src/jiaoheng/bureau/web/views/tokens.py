"""One's own tokens for programs: made (shown this once), listed, ended."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_http_methods, require_POST

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.actions_tokens import do_make_token, do_revoke_token
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.tokens import LONGEST, SCOPES, tokens_of
from jiaoheng.bureau.web.pages import page, see_other

_USUAL = 180  # days that the form proposes


@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """The list; a post makes one and shows it on the page that answers, nowhere else and never again."""
    if request.method != "POST":
        return _page(request)
    last_day = _day(request.POST.get("last_day", ""))
    try:
        made, secret = do_make_token(
            request.POST.get("name", ""), request.POST.getlist("scopes"), last_day, acting_user=request.user
        )
    except RefusedError as error:
        return _page(request, error=error, status=400)
    response = _page(request, secret=secret, made=made.name)
    response["Cache-Control"] = "no-store"
    return response


def _page(
    request: HttpRequest, *, error: RefusedError | None = None, secret: str = "", made: str = "", status: int = 200
) -> HttpResponse:
    today = clock.today()
    places = error.places if error is not None else {}
    lines = [{"anchor": name, "text": text} for name, text in places.items()]
    if error is not None and not lines:
        lines = [{"anchor": "main", "text": str(error)}]
    posted: Any = request.POST if error is not None else {}
    context = {
        "tokens": tokens_of(request.user),
        "scopes": SCOPES.items(),
        "secret": secret,
        "made": made,
        "errors": lines,
        "errors_title": "没有生成，要改",
        "wrong": places,
        "typed": posted,
        "chosen": posted.getlist("scopes") if posted else ["read"],
        "last_day": (today + dt.timedelta(days=_USUAL)).isoformat(),
        "latest": (today + dt.timedelta(days=LONGEST - 1)).isoformat(),
        "today": today.isoformat(),
    }
    crumbs = [("账号与密码", reverse("me"))]
    return page(request, "web/tokens.html", "接口令牌", context, crumbs=crumbs, status=status)


def _day(text: str) -> dt.date:
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    return found or dt.date.min  # before every day that may be chosen: refused at its place


@require_POST
def token_revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """End one at once."""
    token = do_revoke_token(token_id, acting_user=request.user)
    messages.success(request, f"令牌“{token.name}”已停用，用它的程序从下一次请求起进不来")
    return see_other("tokens")


urls = [
    path("me/tokens", tokens, name="tokens"),
    path("me/tokens/<int:token_id>/revoke", token_revoke, name="token_revoke"),
]

"""Signing in by another server (OpenID Connect): it says who somebody is; what he may do is written here alone.

An account is found by its name in one claim. Nobody gets an account, a role or a right by a claim.
"""

from __future__ import annotations

import logging
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.django_client import OAuth
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from requests import RequestException

from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.web.sign_in import enter, login_page, next_of

_log = logging.getLogger(__name__)
_NEXT = "oidc-next"
_UNKNOWN = "统一身份认证已通过，但这里没有对应的账号，或账号已停用。请联系本单位管理员"
_FAILED = "统一身份认证没有完成，请重新登录；一再如此请用账号登录，并告知管理员"


@login_not_required
@never_cache
@require_GET
def begin(request: HttpRequest) -> HttpResponse:
    """To the other server, with a state and a nonce that only this browser's session knows."""
    client = _client()
    request.session[_NEXT] = next_of(request)
    try:
        return client.authorize_redirect(request, request.build_absolute_uri(reverse("oidc_back")))
    except (AuthlibBaseError, RequestException, ValueError, KeyError) as error:
        return _failed(request, error)


@login_not_required
@never_cache
@require_GET
def back(request: HttpRequest) -> HttpResponse:
    """Back with a code: fetch the token, check its signature, issuer, audience, nonce and times, find the account."""
    client = _client()
    try:
        token = client.authorize_access_token(request)
    except (AuthlibBaseError, RequestException, ValueError, KeyError) as error:
        return _failed(request, error)
    account = account_of(token.get("userinfo") or {})
    if account is None:
        return login_page(request, _UNKNOWN, 403)
    after = request.session.get(_NEXT) or "/"
    enter(request, account)
    return HttpResponseRedirect(after)


def account_of(claims: dict[str, Any]) -> Account | None:
    """The open account that the claims name; an address of mail counts only where the other server checked it."""
    name = claims.get(settings.OIDC_CLAIM)
    if not isinstance(name, str) or not name.strip():
        return None
    if settings.OIDC_CLAIM == "email" and claims.get("email_verified") is not True:
        return None
    found: Account | None = Account.objects.filter(username=name.strip().lower(), closed_at__isnull=True).first()
    return found


def _client() -> Any:
    if not settings.OIDC_ISSUER:
        raise Http404
    registry = OAuth()
    registry.register(
        "office",
        client_id=settings.OIDC_CLIENT_ID,
        client_secret=settings.OIDC_SECRET,
        server_metadata_url=f"{settings.OIDC_ISSUER}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256", "timeout": 10},
    )
    return registry.create_client("office")


def _failed(request: HttpRequest, error: Exception) -> HttpResponse:
    _log.warning("sign-in by the other server failed: %s", type(error).__name__)  # the message may hold a token
    return login_page(request, _FAILED, 502 if isinstance(error, RequestException) else 400)


urls = [path("login/oidc/", begin, name="oidc"), path("login/oidc/back", back, name="oidc_back")]

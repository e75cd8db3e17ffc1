"""Bearer tokens at the API's door. Sessions of a browser open nothing here, so there is nothing to forge."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja.security import HttpBearer

from jiaoheng.bureau.api.gate import check_request
from jiaoheng.bureau.api.problems import ApiProblem
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.tokens import INVALID, BadTokenError, Caller, caller_of, check_scope, count_use


class Bearer(HttpBearer):
    """Opens for a token with one scope: who is it, how often, may it, and is the request one that can be read."""

    openapi_description = "接口令牌，在“账号与密码”下的“接口令牌”生成"

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def __call__(self, request: HttpRequest) -> Any:
        """The caller, also as `request.user`. Raises BadTokenError, ForbiddenError, ApiProblem."""
        caller = super().__call__(request)
        if caller is None:
            raise BadTokenError(INVALID)
        return caller

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        """See `__call__`."""
        caller = caller_of(token)
        request.user = caller.account
        wait = count_use(caller.token)
        if wait:
            told = f"这个令牌一分钟内的请求太多，请 {wait} 秒后再试"
            raise ApiProblem(429, "too-often", told, headers={"Retry-After": str(wait)})
        check_scope(caller.token, self.scope)
        check_request(request)
        return caller


def account_of(request: HttpRequest) -> Account:
    """Whom the request acts as."""
    return request.auth.account


READ, WRITE, EXPORT = Bearer("read"), Bearer("write"), Bearer("export")

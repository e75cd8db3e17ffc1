"""What the API says where it does not do what was asked: problem details (RFC 9457) with `places` in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from django.http import HttpResponse

from jiaoheng.bureau.core.outages import outage_of
from jiaoheng.bureau.core.refusals import ConflictError, ForbiddenError, NotFoundError, RefusedError
from jiaoheng.bureau.core.tokens import BadTokenError

MEDIA_TYPE = "application/problem+json"
MISSING = "没有这一项，或不在您的范围内"
TITLES = {
    400: "请求有误",
    401: "没有登录",
    403: "没有办理权限",
    404: "找不到",
    405: "不支持的方法",
    406: "给不出要的格式",
    409: "已被别人改过",
    413: "内容太大",
    415: "内容类型不对",
    428: "没有说明版本",
    429: "请求太频繁",
    500: "系统出错",
    503: "数据库没有应答",
    507: "磁盘已满",
}
SENTENCES = {
    400: "请求无法识别，请对照接口说明改正",
    403: "您没有办理这件事的权限，请联系本单位管理员",
    404: MISSING,
    405: "这个地址不支持这种方法，请对照接口说明改正",
    413: "发来的内容超过上限，请分开再发",
    500: "系统出错，已记入日志，请稍后再试",
}


class ApiProblem(Exception):  # noqa: N818 (the word of RFC 9457)
    """A refusal that only this door knows: status, stable code, sentence, places, further heads."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        places: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code = status, code
        self.places, self.headers, self.more = dict(places or {}), dict(headers or {}), dict(more or {})


def problem(
    status: int,
    code: str,
    message: str,
    *,
    places: Mapping[str, str] | None = None,
    more: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """The answer: type (a URN of the code), title, status, detail, code, places; `more`: further members."""
    body: dict[str, Any] = {
        "type": f"urn:jiaoheng:problem:{code}",
        "title": TITLES.get(status, "没有办成"),
        "status": status,
        "detail": message,
        "code": code,
    }
    if places:
        body["places"] = dict(places)
    body |= more or {}
    response = HttpResponse(orjson.dumps(body, default=str), status=status, content_type=MEDIA_TYPE)
    response["Cache-Control"] = "no-store"
    for name, value in (headers or {}).items():
        response[name] = value
    return response


def general(status: int) -> HttpResponse:
    """The answer of a status that nothing more is known of."""
    return problem(status, _CODES.get(status, "request-wrong"), SENTENCES.get(status, SENTENCES[400]))


_CODES = {403: "forbidden", 404: "missing", 405: "method-unknown", 413: "body-too-large", 500: "fault"}


def told(error: Exception) -> HttpResponse | None:
    """The answer to one of our refusals; None for anything else. The stored content of a conflict is not in it."""
    if isinstance(error, ApiProblem):
        return problem(
            error.status, error.code, str(error), places=error.places, more=error.more, headers=error.headers
        )
    if isinstance(error, BadTokenError):
        heads = {"WWW-Authenticate": 'Bearer realm="jiaoheng"'}
        return problem(401, "token-unknown", str(error), headers=heads)
    if isinstance(error, NotFoundError):
        return general(404)
    if isinstance(error, ForbiddenError):
        return problem(403, "forbidden", str(error) or SENTENCES[403])
    if isinstance(error, ConflictError):
        return problem(409, error.code, str(error), places=error.places, more=_conflict(error))
    if isinstance(error, RefusedError):
        return problem(400, error.code, str(error), places=error.places)
    outage = outage_of(error)
    if outage is not None:
        return problem(outage.status, outage.code, outage.sentence, headers={"Retry-After": "10"})
    return None


_KNOWN = ("record_id", "number", "newest", "who", "at")


def _conflict(error: ConflictError) -> dict[str, Any]:
    """The members of a 409: who, when, which version now, and the fields in three columns as shown texts."""
    found: dict[str, Any] = {name: error.detail[name] for name in _KNOWN if error.detail.get(name) is not None}
    rows = error.detail.get("rows")
    if rows:
        found["fields"] = [
            {
                "field": one.field,
                "title": one.title,
                "original": one.original,
                "theirs": one.theirs,
                "mine": one.mine,
                "choose": one.choose,
            }
            for one in rows
        ]
    if "current" in error.detail:
        found["current"] = error.detail["current"]
    return {"conflict": found} if found else {}

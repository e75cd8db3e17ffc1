"""The API as one object: routers, refusals as problem details, the published schema."""

from __future__ import annotations

import re
from typing import Any

import orjson
from django.core.exceptions import SuspiciousOperation
from django.db.utils import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.renderers import BaseRenderer

from jiaoheng import __version__
from jiaoheng.bureau.api import files, office, records, registers, rounds
from jiaoheng.bureau.api.gate import BodyParser
from jiaoheng.bureau.api.problems import MEDIA_TYPE, SENTENCES, TITLES, ApiProblem, general, problem, told
from jiaoheng.bureau.api.schemas import Problem
from jiaoheng.bureau.api.wrong_inputs import places_of
from jiaoheng.bureau.core.refusals import ForbiddenError, NotFoundError, RefusedError
from jiaoheng.bureau.core.tokens import BadTokenError

_STATUSES = {
    "get": (400, 401, 403, 404, 429, 503),
    "delete": (400, 401, 403, 404, 409, 428, 429, 503, 507),
    "patch": (400, 401, 403, 404, 409, 413, 415, 428, 429, 503, 507),
    "post": (400, 401, 403, 404, 409, 413, 415, 428, 429, 503, 507),
}
_CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")


class _Renderer(BaseRenderer):
    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> Any:
        return orjson.dumps(data)


class OfficeApi(NinjaAPI):
    """NinjaAPI whose published schema knows our refusals."""

    def get_openapi_schema(self, **kwargs: Any) -> Any:
        """OpenAPI 3.1 with the problem details of every operation."""
        found = super().get_openapi_schema(**kwargs)
        shape = Problem.model_json_schema()
        found["components"].setdefault("schemas", {})["Problem"] = shape
        for methods in found["paths"].values():
            for method, details in methods.items():
                for one in details.get("parameters", ()):
                    _without_null(one)
                for status in _STATUSES[method]:
                    details["responses"].setdefault(status, _refusal(status))
        return found


def _without_null(parameter: dict[str, Any]) -> None:
    """A parameter that may be left out is never the text "null"."""
    choices = [one for one in parameter["schema"].get("anyOf", ()) if one.get("type") != "null"]
    if len(choices) == 1:
        parameter["schema"] = choices[0]
        if "description" in choices[0]:
            parameter["description"] = choices[0]["description"]


def _refusal(status: int) -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": TITLES[status], "content": content}


def template_of(route: str) -> str:
    """A Django route as the published schema writes it: /units/{unit_id}."""
    return "/" + _CONVERTER.sub(r"{\1}", route).removeprefix("api/v1/")


api = OfficeApi(
    title="教衡接口",
    version="1",
    description=f"教衡 {__version__}。令牌代表一个人，权限、遮盖、记录与网页相同。日期都是北京时间的日历日。",
    docs_url=None,
    openapi_url="/openapi.json",
    urls_namespace="api",
    renderer=_Renderer(),
    parser=BodyParser(),
)
for _router in (office.router, registers.router, records.router, rounds.router, files.router):
    api.add_router("", _router)


@api.exception_handler(ValidationError)
def _wrong(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return problem(400, "request-wrong", "请求有误，请对照接口说明改正", places=places_of(error.errors))


def _refused(request: HttpRequest, error: Any) -> HttpResponse:
    return told(error) or general(400)


for _kind in (ApiProblem, BadTokenError, NotFoundError, ForbiddenError, RefusedError):
    api.add_exception_handler(_kind, _refused)


def _outage(request: HttpRequest, error: Any) -> HttpResponse:
    response = told(error)
    if response is None:
        raise error  # a fault of ours
    return response


for _outer in (DatabaseError, InterfaceError, OSError):
    api.add_exception_handler(_outer, _outage)


@api.exception_handler(Http404)
def _missing(request: HttpRequest, error: Http404) -> HttpResponse:
    return general(404)


def _broken(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(400, "body-broken", "内容没有发完整，或格式不对，请重新发送")


for _broken_kind in (MultiPartParserError, SuspiciousOperation, UnreadablePostError):
    api.add_exception_handler(_broken_kind, _broken)


@api.exception_handler(HttpError)
def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
    return problem(error.status_code, "request-wrong", SENTENCES.get(error.status_code, SENTENCES[400]))

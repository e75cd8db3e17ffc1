"""What every request of the API passes before its view: parameters, content type and content, read once and strictly."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from django.http import HttpRequest
from ninja.parser import Parser

from jiaoheng.bureau.api.problems import ApiProblem
from jiaoheng.bureau.api.strict_json import MOST_BYTES, is_clean, read_json
from jiaoheng.bureau.core.files import KINDS

MOST_PARAMETERS = 100
MOST_QUERY = 16_000  # bytes of an address
MOST_UPLOAD = max(kind.most for kind in KINDS.values()) + 1_000_000  # a form's heads come on top of its file
_WRITING = ("POST", "PUT", "PATCH")
MULTIPART = "multipart/form-data"


class BodyParser(Parser):
    """Gives views the body that the gate has read."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The content as `strict_json` reads it."""
        return request.api_body


def check_request(request: HttpRequest) -> None:
    """Raises ApiProblem for what no view takes; leaves the body's content as `request.api_body`."""
    _check_query(request)
    if request.method in _WRITING:
        _check_body(request)


def _check_query(request: HttpRequest) -> None:
    raw = request.META.get("QUERY_STRING", "")
    if len(raw) > MOST_QUERY or raw.count("&") >= MOST_PARAMETERS:
        raise ApiProblem(400, "too-many-parameters", f"参数太多，一次最多 {MOST_PARAMETERS} 个，请分开再问")
    try:
        unquote_to_bytes(raw.encode("latin-1", "replace")).decode("utf-8")
    except UnicodeDecodeError:
        raise ApiProblem(400, "parameter-text", "参数不是 UTF-8，请按 UTF-8 编码") from None
    known = _known().get((_template(request), request.method))
    places = {}
    for name, values in request.GET.lists():
        if not is_clean(name) or not all(is_clean(one) for one in values):
            raise ApiProblem(400, "parameter-text", "参数里有不能用的字符，请删去")
        if known is not None and name not in known:
            places[name[:60]] = "没有这个参数，请对照接口说明改正"
        elif known is not None and len(values) > 1 and not known[name]:
            places[name[:60]] = "这个参数只能写一次，请只留一个"
    if places:
        raise ApiProblem(400, "request-wrong", "参数有误，请对照接口说明改正", places=places)


def _template(request: HttpRequest) -> str:
    from jiaoheng.bureau.api.app import template_of

    match = request.resolver_match
    return template_of(match.route) if match is not None else ""


@lru_cache(maxsize=1)
def _known() -> dict[tuple[str, str], dict[str, bool]]:
    """(route, method) → query parameter → whether it may come several times, from the schema that is published."""
    from jiaoheng.bureau.api.app import api

    found: dict[tuple[str, str], dict[str, bool]] = {}
    for path, methods in api.get_openapi_schema(path_prefix="")["paths"].items():
        for method, details in methods.items():
            named = {
                one["name"]: _is_list(one["schema"]) for one in details.get("parameters", []) if one["in"] == "query"
            }
            found[path, method.upper()] = named
    return found


def _is_list(schema: dict[str, Any]) -> bool:
    kinds = [schema, *schema.get("anyOf", ())]
    return any(one.get("type") == "array" for one in kinds)


def _check_body(request: HttpRequest) -> None:
    kind = (request.content_type or "").lower()
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    if _takes_files(request):
        if kind != MULTIPART:
            raise _type(kind, MULTIPART)
        if length > MOST_UPLOAD:
            raise _large(length, MOST_UPLOAD)
        return
    if length > MOST_BYTES:
        raise _large(length, MOST_BYTES)
    if not length:
        request.api_body = None
        return
    if kind != "application/json":
        raise _type(kind, "application/json")
    if (request.content_params or {}).get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise ApiProblem(415, "content-type", "内容请按 UTF-8 发送")
    request.api_body = read_json(request.body)


def _takes_files(request: HttpRequest) -> bool:
    return _template(request).endswith("/files")


def _type(kind: str, wanted: str) -> ApiProblem:
    return ApiProblem(415, "content-type", f"内容类型是“{kind[:60] or '没有写'}”，请用 {wanted}")


def _large(length: int, most: int) -> ApiProblem:
    return ApiProblem(413, "body-too-large", f"发来 {length:,} 字节，一次最多 {most:,} 字节，请分开再发")

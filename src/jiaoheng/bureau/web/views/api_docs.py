"""The API's own page of reference, made from the published schema; needs no other server and no script."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from jiaoheng.bureau.api.reference import reference


@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """Every operation with its parameters, content and answers."""
    return render(request, "web/api_docs.html", {"title": "接口文档", "one": reference()})


urls = [path("api/v1/docs", api_docs, name="api_docs")]

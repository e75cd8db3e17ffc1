"""Addresses of the API; whatever else lies under /api/ is a missing thing."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt

from jiaoheng.bureau.api.app import api
from jiaoheng.bureau.api.problems import general


@csrf_exempt
def missing(request: HttpRequest, rest: str = "") -> HttpResponse:
    """The body of everything that is not there."""
    return general(404)


urlpatterns = [path("api/v1/", api.urls), re_path(r"^api/(?P<rest>.*)$", missing)]

"""Small common things of the page functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

Crumbs = Sequence[tuple[str, str]]  # (words, address); the page itself is added by the template from `title`


def page(
    request: HttpRequest,
    template: str,
    title: str,
    context: Mapping[str, Any] | None = None,
    *,
    crumbs: Crumbs = (),
    status: int = 200,
) -> HttpResponse:
    """A full page: `title` is its heading and the end of the breadcrumb."""
    return render(request, template, {"title": title, "crumbs": crumbs, **(context or {})}, status=status)


def values_of(request: HttpRequest, prefix: str = "") -> dict[str, str | list[str]]:
    """What a form sent, as text as typed: one text a name, a list where the name came several times."""
    found: dict[str, str | list[str]] = {}
    for name in request.POST:
        if name == "csrfmiddlewaretoken" or not name.startswith(prefix):
            continue
        values = request.POST.getlist(name)
        found[name[len(prefix) :]] = values if len(values) > 1 else values[0]
    return found


def own_address(request: HttpRequest, wanted: str, otherwise: str) -> str:
    """Where a form wants to go on: an address of this server, else `otherwise`; never one put there by somebody else."""
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe and wanted.startswith("/") else otherwise


def see_other(to: str, *arguments: object, query: str = "") -> HttpResponse:
    """303 to a page by name (or address): a post is never sent again by reloading."""
    response = HttpResponseRedirect(resolve_url(to, *arguments) + (f"?{query}" if query else ""))
    response.status_code = 303
    return response

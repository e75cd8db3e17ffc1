"""待办: the first page of every role."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from jiaoheng.bureau.core.notices import mark_seen
from jiaoheng.bureau.ledgers.todo import todo_of
from jiaoheng.bureau.web.current import current_unit
from jiaoheng.bureau.web.pages import page, see_other


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """What I owe, what came back, what waits for me, what changed since I last looked."""
    return page(request, "web/home.html", "待办", {"todo": todo_of(request.user, current_unit(request))})


@require_POST
def seen(request: HttpRequest) -> HttpResponse:
    """Note every line of 有变化的 as seen."""
    mark_seen(request.user)
    return see_other("home")


urls = [path("", home, name="home"), path("seen", seen, name="seen")]

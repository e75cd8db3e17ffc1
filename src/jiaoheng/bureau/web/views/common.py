"""Pages of every role: search, files, the unit switcher, one's own account, the exam report."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET, require_http_methods

from jiaoheng.bureau.core import signed_in
from jiaoheng.bureau.core.access import access_unit
from jiaoheng.bureau.core.actions_deputies import do_end_deputy, do_set_deputy
from jiaoheng.bureau.core.audit_search import history_of
from jiaoheng.bureau.core.deputies import candidates, stand_ins_of
from jiaoheng.bureau.core.files import open_file
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.search import search as find
from jiaoheng.bureau.core.second_factor import codes_left, factor_of
from jiaoheng.bureau.ledgers.record_index import indexing_words
from jiaoheng.bureau.web.current import KEY, places_of
from jiaoheng.bureau.web.pages import page

_ADDRESS = {"unit": "unit", "account": "person", "record": "record"}


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """Units, people and records with every word of the query."""
    text = request.GET.get("q", "")[:100]
    groups = [
        (group, [(hit, reverse(_ADDRESS[group.kind], args=[hit.object_id])) for hit in group.hits])
        for group in find(request.user, text)
    ]
    found = "、".join(f"{group.title} {len(hits)}" for group, hits in groups)
    late = indexing_words() if text else ""
    return page(request, "web/search.html", "查找", {"q": text, "groups": groups, "found": found, "late": late})


@require_GET
def file(request: HttpRequest, file_id: str) -> HttpResponse:
    """The bytes of an attachment, through its door, with safe headers."""
    served = open_file(request.user, file_id, request.GET.get("variant", ""))
    response = FileResponse(served.open())
    for name, value in served.headers.items():
        response[name] = value
    return response


@require_GET
def switch(request: HttpRequest, unit_id: int) -> HttpResponse:
    """Choose another of one's own units."""
    unit = access_unit(request.user, unit_id)
    if any(place.unit_id == unit.pk for place in places_of(request.user)):
        request.session[KEY] = unit.pk
    return HttpResponseRedirect(reverse("home"))


@require_http_methods(["GET", "HEAD", "POST"])
def me(request: HttpRequest) -> HttpResponse:
    """One's own account: memberships, password, 我外出, what one did lately."""
    account = request.user
    if request.method == "POST" and request.POST.get("act") in ("leave", "leave-others"):
        return _leave(request)
    if request.method == "POST":
        deputy = access_deputy(request)
        if request.POST.get("act") == "end":
            do_end_deputy(deputy, acting_user=account)
            messages.success(request, f"{deputy.name} 不再代办，事项回到您这里")
        else:
            first, last = (parse_date(request.POST.get(name, "") or "x") for name in ("first", "last"))
            if first is None or last is None:
                raise RefusedError("date-missing", "请填外出的起止日期")
            do_set_deputy(deputy, first, last, acting_user=account, reason=request.POST.get("reason", ""))
            messages.success(request, f"外出期间的事项转给 {deputy.name}，到期自动收回")
        return HttpResponseRedirect(reverse("me"))
    factor = factor_of(account)
    context = {
        "memberships": places_of(account),
        "stand_ins": stand_ins_of(account),
        "candidates": candidates(account),
        "done": history_of(account, "account", account.pk, 20),
        "signed_in": signed_in.lines_of(account, request),
        "factor": factor,
        "codes_left": codes_left(factor) if factor is not None else 0,
        "may_factor": settings.SECOND_FACTOR,
    }
    return page(request, "web/me.html", "账号与密码", context)


def _leave(request: HttpRequest) -> HttpResponse:
    """Sign one other browser out, or all of them."""
    if request.POST["act"] == "leave":
        signed_in.do_end_signed_in(request.POST.get("line", ""), acting_user=request.user)
        messages.success(request, "那里的登录已退出")
    else:
        count = signed_in.do_end_others(request.session.get(signed_in.KEY), acting_user=request.user)
        messages.success(request, f"已退出 {count} 处登录，这里不变")
    return HttpResponseRedirect(reverse("me"))


def access_deputy(request: HttpRequest) -> Account:
    """The colleague named in the form, one of those who may stand in."""
    wanted = request.POST.get("deputy", "")
    allowed = {
        str(one.pk): one for one in [*candidates(request.user), *(m.account for m in stand_ins_of(request.user))]
    }
    if wanted not in allowed:
        raise RefusedError("deputy-unknown", "请从名单里选代办人")
    return allowed[wanted]


urls = [
    path("search", search, name="search"),
    path("files/<str:file_id>", file, name="file"),
    path("switch/<int:unit_id>", switch, name="switch"),
    path("me", me, name="me"),
]

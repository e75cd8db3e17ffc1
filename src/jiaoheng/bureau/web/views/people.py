"""People: the list of accounts one manages, one person, a new one."""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET, require_http_methods

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.access import access_account, access_unit
from jiaoheng.bureau.core.actions_accounts import (
    do_add_account,
    do_close_account,
    do_reopen_account,
    do_reset_password,
    do_unlock,
)
from jiaoheng.bureau.core.actions_accounts_roles import access_membership, do_add_membership, do_end_membership
from jiaoheng.bureau.core.actions_second_factor import do_reset_factor
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.people import find_people
from jiaoheng.bureau.core.person_page import person_page, roles_to_choose, units_to_give
from jiaoheng.bureau.core.refusals import ForbiddenError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.slips import Slip, keep
from jiaoheng.bureau.core.tree import name_of
from jiaoheng.bureau.web.pages import page, see_other


def may_manage(request: HttpRequest) -> None:
    """Only who manages accounts somewhere comes in. Raises ForbiddenError."""
    if not scope_of(request.user, Can.ACCOUNTS):
        raise ForbiddenError("账号由单位管理员办理，请联系本单位填报员或上级管理员")


@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """The people whose accounts one manages."""
    may_manage(request)
    asked = request.GET
    unit = access_unit(request.user, asked["unit"], Can.ACCOUNTS) if asked.get("unit") else None
    found = find_people(
        request.user,
        text=asked.get("q", ""),
        role=asked.get("role", ""),
        unit_id=unit.pk if unit is not None else None,
        closed=asked.get("closed") == "1",
        after=asked.get("after", ""),
    )
    context = {
        "found": found,
        "roles": roles_to_choose(),
        "unit": unit,
        "unit_name": name_of(unit, clock.today()),
        "asked": {name: asked.get(name, "") for name in ("q", "role", "closed", "after")},
    }
    return page(request, "web/people.html", "人员", context)


@require_http_methods(["GET", "POST"])
def person(request: HttpRequest, account_id: str) -> HttpResponse:
    """One person: roles, password, closing, history; every change comes back here."""
    other = access_account(request.user, account_id)
    if request.method == "GET":
        return _person(request, other)
    try:
        return _act(request, other)
    except RefusedError as error:
        return _person(request, other, refused=error)


def _person(request: HttpRequest, other: Account, refused: RefusedError | None = None) -> HttpResponse:
    places = dict(refused.places) if refused is not None else {}
    act = request.POST.get("act", "")
    known = {"add": ("role", "unit", "starts_on", "ends_on")}.get(act, ("reason",))
    wrong = {name: said for name, said in places.items() if name in known}
    anchors = {"role": "add-role", "unit": "add-unit", "starts_on": "add-from", "ends_on": "add-to"}
    errors = [{"anchor": anchors.get(name, f"reason-{act}"), "text": said} for name, said in wrong.items()]
    if refused is not None and not errors:
        errors = [{"anchor": "main", "text": str(refused)}]
    context = {
        "one": person_page(request.user, other),
        "errors": errors,
        "errors_title": "没有办理，要改",
        "wrong": wrong,
        "act": act,
        "typed": request.POST if refused is not None else {},
    }
    status = 200 if refused is None else 400
    return page(request, "web/person.html", other.name, context, crumbs=[("人员", reverse("people"))], status=status)


def _act(request: HttpRequest, other: Account) -> HttpResponse:
    """Carry out one of the page's changes. Raises what the change raises."""
    sent, user = request.POST, request.user
    act, reason = sent.get("act", ""), sent.get("reason", "")
    if act == "reset":
        return to_slips(request, [do_reset_password(other, acting_user=user, reason=reason)])
    if act == "reopen":
        return to_slips(request, [do_reopen_account(other, acting_user=user, reason=reason)])
    if act == "unlock":
        do_unlock(other, acting_user=user)
        messages.success(request, f"{other.name}已解锁，用原密码登录")
    elif act == "factor":
        do_reset_factor(other, acting_user=user, reason=reason)
        messages.success(request, f"{other.name}的二次验证已解除，下次登录重新设置")
    elif act == "close":
        do_close_account(other, acting_user=user, reason=reason)
        messages.success(request, f"{other.name}的账号已停用，历史保留")
    elif act == "end":
        membership = access_membership(user, sent.get("membership", ""))
        do_end_membership(membership, acting_user=user, day=_day(sent.get("day", ""), "day"), reason=reason)
        messages.success(request, "角色已结束，下一次打开页面就不再有这项权限")
    elif act == "add":
        _add_role(request, other)
        messages.success(request, "角色已增加")
    else:
        raise RefusedError("act-unknown", "页面已更新，请重新选择要办理的事")
    return see_other("person", other.pk)


def _add_role(request: HttpRequest, other: Account) -> None:
    sent = request.POST
    if not sent.get("unit"):
        raise RefusedError("unit-missing", "请选择单位", places={"unit": "请选择单位"})
    unit = access_unit(request.user, sent["unit"], Can.ACCOUNTS)
    do_add_membership(
        other,
        sent.get("role", ""),
        unit,
        acting_user=request.user,
        starts_on=_day(sent.get("starts_on", ""), "starts_on"),
        ends_on=_day(sent.get("ends_on", ""), "ends_on"),
        reason=sent.get("reason", ""),
    )


def _day(text: str, name: str) -> dt.date | None:
    """A day of the form, None where it is left empty. Raises RefusedError at the field."""
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if text and found is None:
        said = f"日期“{text[:20]}”无法识别，请按 2026-09-01 的样子填写"
        raise RefusedError("day-wrong", said, places={name: said})
    return found


def to_slips(request: HttpRequest, slips: list[Slip]) -> HttpResponse:
    """Lay slips aside and go where they are shown once."""
    return see_other("people_slips", query=urlencode({"token": keep(slips, request.user), "count": len(slips)}))


@require_http_methods(["GET", "POST"])
def person_new(request: HttpRequest) -> HttpResponse:
    """One new account with its first role."""
    may_manage(request)
    wrong: dict[str, str] = {}
    refused = ""
    if request.method == "POST":
        try:
            return _add_person(request)
        except RefusedError as error:
            wrong, refused = dict(error.places), str(error)
    home = request.POST.get("unit", request.GET.get("unit", ""))
    errors = [{"anchor": f"new-{name}", "text": said} for name, said in wrong.items()]
    context = {
        "units": units_to_give(request.user, access_unit(request.user, home) if home else None),
        "roles": roles_to_choose(),
        "home": home,
        "typed": request.POST,
        "wrong": wrong,
        "errors": errors or ([{"anchor": "main", "text": refused}] if refused else []),
        "errors_title": "没有建账号，要改",
    }
    crumbs = [("人员", reverse("people"))]
    return page(request, "web/person_new.html", "加一个人", context, crumbs=crumbs, status=400 if refused else 200)


def _add_person(request: HttpRequest) -> HttpResponse:
    sent = request.POST
    if not sent.get("unit"):
        raise RefusedError("unit-missing", "请选择单位", places={"unit": "请选择单位"})
    unit = access_unit(request.user, sent["unit"], Can.ACCOUNTS)
    _, slip = do_add_account(
        sent.get("name", ""),
        unit,
        sent.get("role", ""),
        acting_user=request.user,
        phone=sent.get("phone", "").strip()[:20],
        username=sent.get("username", "")[:40],
    )
    return to_slips(request, [slip])


urls = [
    path("people/", people, name="people"),
    path("people/new", person_new, name="person_new"),
    path("people/<int:account_id>/", person, name="person"),
]

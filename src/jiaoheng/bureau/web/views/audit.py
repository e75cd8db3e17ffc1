"""操作记录: who changed what, when, from what."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_http_methods

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.access import access_unit, whole_number
from jiaoheng.bureau.core.audit_chain import verify
from jiaoheng.bureau.core.audit_search import Wanted, actions_to_choose, find_entries
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Unit
from jiaoheng.bureau.core.refusals import ForbiddenError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import name_of
from jiaoheng.bureau.web.pages import page, see_other

_NAMES = ("who", "what", "action", "unit", "since", "until", "type", "id")


@require_http_methods(["GET", "POST"])
def audit(request: HttpRequest) -> HttpResponse:
    """Entries that one may read, newest first; a post checks whether the whole trail is unbroken."""
    scope = scope_of(request.user, Can.AUDIT)
    if not scope:
        raise ForbiddenError("操作记录由校长、学区、股室和管理员查看")
    whole = any(root.level == Unit.Level.COUNTY for root in scope.roots)
    if request.method == "POST":
        return _verify(request, whole)
    asked = asked_of(request)
    errors, wanted = wanted_of(request, asked)
    unit = access_unit(request.user, asked["unit"], Can.AUDIT) if asked["unit"] else None
    context = {
        "found": find_entries(request.user, wanted),
        "asked": asked,
        "actions": actions_to_choose(),
        "unit_name": name_of(unit, clock.today()),
        "whole": whole,
        "errors": errors,
        "before": request.GET.get("before", ""),
    }
    return page(request, "web/audit.html", "操作记录", context)


def asked_of(request: HttpRequest) -> dict[str, str]:
    """The filter as it was typed."""
    return {name: request.GET.get(name, "").strip() for name in _NAMES}


def wanted_of(request: HttpRequest, asked: dict[str, str]) -> tuple[list[dict[str, str]], Wanted]:
    """What is looked for; a day that cannot be read is told at its field and narrows nothing."""
    errors: list[dict[str, str]] = []
    days: dict[str, dt.date | None] = {}
    for name in ("since", "until"):
        try:
            days[name] = _day(asked[name])
        except RefusedError as error:
            days[name] = None
            errors.append({"anchor": name, "text": str(error)})
    before, verb = request.GET.get("before", ""), asked["action"]
    return errors, Wanted(
        person=asked["who"],
        object_name=asked["what"],
        action=verb,
        unit_id=whole_number(asked["unit"]) if asked["unit"] else None,
        object_type=asked["type"],
        object_id=asked["id"],
        since=days["since"],
        until=days["until"],
        before=whole_number(before) if before else None,
    )


def _day(text: str) -> dt.date | None:
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if text and found is None:
        raise RefusedError("day-wrong", f"日期“{text[:20]}”无法识别，请按 2026-09-01 的样子填写")
    return found


def _verify(request: HttpRequest, whole: bool) -> HttpResponse:
    if not whole:
        raise ForbiddenError("核对全部记录由看得到全县的人办理")
    verdict = verify()
    tell = messages.success if verdict.whole else messages.error
    tell(request, f"操作记录{verdict.sentence}")
    for note in verdict.notes:
        messages.warning(request, note)
    return see_other("audit")


urls = [path("audit/", audit, name="audit")]

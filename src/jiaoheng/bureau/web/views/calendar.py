"""工作日历: which days the offices work and the schools teach, and where the terms part."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_http_methods

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.actions_calendar import do_seed_calendar, do_set_day, do_set_vacation
from jiaoheng.bureau.core.actions_periods import do_set_term_border
from jiaoheng.bureau.core.calendar_page import day_of, may_edit, year_page
from jiaoheng.bureau.core.refusals import ForbiddenError, RefusedError
from jiaoheng.bureau.web.pages import page, see_other

_FIRST, _LAST = 2000, 2100


@require_http_methods(["GET", "POST"])
def calendar(request: HttpRequest) -> HttpResponse:
    """A year, month by month; who keeps the calendar edits a day, a vacation, the border of the terms."""
    if request.method == "GET":
        return _year(request, _asked_year(request.GET.get("year", "")))
    if not may_edit(request.user):
        raise ForbiddenError("工作日历由县管理员和股室维护")
    try:
        year = _act(request)
    except RefusedError as error:
        return _year(request, _asked_year(request.POST.get("year", "")), refused=error)
    return see_other("calendar", query=f"year={year}")


def _year(request: HttpRequest, year: int, refused: RefusedError | None = None) -> HttpResponse:
    picked = _maybe(request.POST.get("day", "") if refused else request.GET.get("day", ""))
    one = year_page(request.user, picked.year if picked is not None else year)
    anchors = {"day": "day", "reason": "reason", "last": "last", "first": "first", "border": "border"}
    places = dict(refused.places) if refused is not None else {}
    errors = [{"anchor": anchors[name], "text": said} for name, said in places.items() if name in anchors]
    if refused is not None and not errors:
        errors = [{"anchor": "main", "text": str(refused)}]
    context = {
        "one": one,
        "picked": day_of(picked) if picked is not None and one.may_edit else None,
        "errors": errors,
        "errors_title": "没有保存，要改",
        "act": request.POST.get("act", ""),
        "typed": request.POST if refused is not None else {},
    }
    status = 200 if refused is None else 400
    return page(request, "web/calendar.html", f"{one.year} 年工作日历", context, status=status)


def _act(request: HttpRequest) -> int:
    """One change; returns the year to show."""
    sent, user = request.POST, request.user
    act, reason = sent.get("act", ""), sent.get("reason", "").strip()
    if act == "seed":
        year = _asked_year(sent.get("year", ""))
        added = do_seed_calendar(acting_user=user, years=range(year, year + 1))
        messages.success(request, f"{year} 年已按放假通知录入 {added} 天")
        return year
    if not reason:
        raise RefusedError("reason-missing", "请写明依据，例如通知文号", places={"reason": "请写明依据，例如通知文号"})
    if act == "day":
        day = _day(sent.get("day", ""), "day")
        work, school = sent.get("work") == "1", sent.get("school") == "1"
        do_set_day(
            day,
            is_workday=work,
            is_schoolday=school,
            name=sent.get("name", "").strip(),
            acting_user=user,
            reason=reason,
        )
        messages.success(request, f"{day} 已改")
        return day.year
    if act == "vacation":
        first, last = _day(sent.get("first", ""), "first"), _day(sent.get("last", ""), "last")
        name = sent.get("name", "").strip() or "假期"
        count = do_set_vacation(first, last, name, acting_user=user, reason=reason)
        messages.success(request, f"{name} {first} 至 {last}，{count} 个上课日改为不上课")
        return first.year
    if act == "border":
        year = _asked_year(sent.get("term_year", ""))
        do_set_term_border(year, _day(sent.get("border", ""), "border"), acting_user=user, reason=reason)
        messages.success(request, f"{year}—{year + 1} 学年春季学期的开始日已改")
        return _asked_year(sent.get("year", ""))
    raise RefusedError("act-unknown", "页面已更新，请重新选择要办理的事")


def _asked_year(text: str) -> int:
    """The year asked for, this one where there is none."""
    good = text.isascii() and text.isdigit() and len(text) == 4 and _FIRST <= int(text) <= _LAST
    return int(text) if good else clock.today().year


def _maybe(text: str) -> dt.date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _day(text: str, name: str) -> dt.date:
    found = _maybe(text)
    if found is None:
        said = f"日期“{text[:20]}”无法识别，请按 2026-09-01 的样子填写"
        raise RefusedError("day-wrong", said, places={name: said})
    return found


urls = [path("calendar/", calendar, name="calendar")]

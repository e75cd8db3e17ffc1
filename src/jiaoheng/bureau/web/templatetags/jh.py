"""How dates, states, missing values and links are written on every page."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any

from django import template
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jiaoheng.bureau.core import clock

register = template.Library()
_HOLE = re.compile(r"\{([^{}]+)\}")
_WEEKDAYS = "一二三四五六日"


@register.filter
def day(value: dt.date | dt.datetime | None) -> str:
    """11 月 24 日（周二）; the year where it is not this one."""
    if value is None:
        return "—"
    date = clock.local(value).date() if isinstance(value, dt.datetime) else value
    return f"{clock.day_words(date)}（周{_WEEKDAYS[date.weekday()]}）"


@register.filter
def moment(value: dt.datetime | None) -> str:
    """今天 08:12, 昨天 16:05, 11 月 24 日 16:21."""
    if value is None:
        return "—"
    local = clock.local(value)
    distance = (clock.today() - local.date()).days
    if distance == 0:
        return f"今天 {local:%H:%M}"
    if distance == 1:
        return f"昨天 {local:%H:%M}"
    return clock.words(value)


@register.filter
def grouped(value: int | None) -> str:
    """A count with thousands separators, "—" for none."""
    return "—" if value is None else f"{value:,}"


@register.simple_tag
def missing(why: str = "没有填") -> SafeString:
    """The dash of a missing value, with the reason on hover and for screen readers."""
    return format_html('<span class="dim" title="{}">—<span class="visually-hidden">（{}）</span></span>', why, why)


@register.simple_tag(takes_context=True)
def with_query(context: dict[str, Any], **changes: Any) -> str:
    """The page's own query string with some values changed; an empty value removes its key."""
    request: HttpRequest = context["request"]
    query = request.GET.copy()
    for key, value in changes.items():
        if value is None or value == "":
            query.pop(key, None)
        else:
            query[key] = str(value)
    text = query.urlencode()
    return f"?{text}" if text else "?"


@register.simple_tag(takes_context=True)
def go_query(context: dict[str, Any], **changes: Any) -> str:
    """The query of an import's page with some values changed, without its `?`: what a button sends on as `go`."""
    return with_query(context, step=None, **changes).removeprefix("?")


@register.filter
def get_item(mapping: Any, key: Any) -> Any:
    """A value of a mapping by a key that is only known in the template; None where it is not there."""
    return mapping.get(key) if mapping is not None else None


_MOMENTS = {
    "create": "新增",
    "change": "修改",
    "restore": "还原",
    "undelete": "恢复",
    "delete": "删除",
    "submit": "提交",
    "recall": "撤回",
    "approve": "审核通过",
    "return": "退回修改",
    "withdraw": "撤回审核",
}


@register.filter
def moment_title(event: Any) -> str:
    """改 2 项, 导入时新增, 退回修改: the head of a line of history."""
    word = _MOMENTS.get(event.kind, event.kind)
    if event.kind == "change" and event.changes:
        word = f"改 {len(event.changes)} 项"
    if event.restored_from:
        word = f"还原自第 {event.restored_from} 版"
    return f"{event.door}{word}" if event.door else word


_PERIODS = {"none": "随时更新", "year": "每学年", "term": "每学期", "month": "每月", "week": "每周", "day": "每日"}


@register.filter
def period_word(kind: Any) -> str:
    """How often a register is due."""
    return _PERIODS.get(str(kind), str(kind))


@register.filter
def zipped(first: Iterable[Any], second: Iterable[Any]) -> list[tuple[Any, Any]]:
    """Two sequences side by side."""
    return list(zip(first, second, strict=False))


@register.filter
def plain_rule(message: str, schema: Any) -> str:
    """The sentence of a check with the names of the fields where values will stand."""
    titles = {one.name: one.title for one in schema.fields}
    return _HOLE.sub(lambda hole: "…" if hole[1] not in titles else f"（{titles[hole[1]]}）", message)

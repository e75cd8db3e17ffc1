"""System settings: registers and code tables to look at."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count, Max, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from jiaoheng.bureau.core.admin import LookOnly, link, shown
from jiaoheng.bureau.ledgers.models import CodeRow, RegisterRow


@admin.register(RegisterRow)
class RegisterAdmin(LookOnly):
    """Registers with how many versions their form has had."""

    list_display = ("title", "key", "versions_count", "newest", "closed", "opens")
    search_fields = ("title", "name")
    fields = ("title", "key", "versions_count", "newest", "made", "closed", "opens")
    readonly_fields = fields
    ordering = ("title",)
    key = shown("标识", lambda one: one.name)
    made = shown("装入时间", lambda one: one.created_at)
    closed = shown("停用时间", lambda one: one.closed_at)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RegisterRow]:
        """Counted in one query."""
        rows = super().get_queryset(request)
        return rows.annotate(count=Count("versions"), last=Max("versions__effective_from"))

    @admin.display(description="表样版本")
    def versions_count(self, register: RegisterRow) -> int:
        """How many versions there are."""
        return int(register.count)

    @admin.display(description="最新表样从")
    def newest(self, register: RegisterRow) -> str:
        """From which day the newest holds."""
        return str(register.last or "—")

    @admin.display(description="办理")
    def opens(self, register: RegisterRow) -> SafeString:
        """What the register asks, and its changes."""
        return link("填报说明", "ledger_about", register.name)


@admin.register(CodeRow)
class CodeAdmin(LookOnly):
    """Code tables."""

    list_display = ("table_named", "item", "words", "since", "until")
    search_fields = ("table_title", "code", "label")
    fields = ("table_named", "item", "words", "since", "until", "changed")
    readonly_fields = fields
    ordering = ("table", "order", "code")
    table_named = shown("代码表", lambda one: one.table_title)
    item = shown("代码", lambda one: one.code)
    words = shown("名称", lambda one: one.label)
    since = shown("从", lambda one: one.starts_on)
    until = shown("到", lambda one: one.ends_on)
    changed = shown("改动时间", lambda one: one.changed_at)

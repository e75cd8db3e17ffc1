"""System settings: registers and code tables to look at."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count, Max, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from jiaoheng.bureau.core.admin import LookOnly, link
from jiaoheng.bureau.ledgers.models import CodeRow, RegisterRow


@admin.register(RegisterRow)
class RegisterAdmin(LookOnly):
    """Registers with how many versions their form has had."""

    list_display = ("title", "name", "versions_count", "newest", "closed_at", "opens")
    search_fields = ("title", "name")
    fields = ("title", "name", "versions_count", "newest", "created_at", "closed_at", "opens")
    readonly_fields = ("versions_count", "newest", "opens")
    ordering = ("title",)

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

    list_display = ("table_title", "code", "label", "starts_on", "ends_on")
    list_filter = ("table_title",)
    search_fields = ("table_title", "code", "label")
    fields = ("table_title", "table", "code", "label", "order", "starts_on", "ends_on", "changed_at")
    ordering = ("table", "order", "code")

"""System settings: lists of the base tables to look at. Nothing is written here; links lead to the pages that do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_tasks_db.models import DBTaskResult
from unfold.admin import ModelAdmin

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.audit_search import DOORS, line_of, verb_of
from jiaoheng.bureau.core.models import Account, AuditEntry, CalendarDay, Job, Unit
from jiaoheng.bureau.core.tree import name_of


class LookOnly(ModelAdmin):
    """A list without adding, changing or deleting: every write is an action with its entry, on the office's pages."""

    actions = None
    list_per_page = 50
    show_full_result_count = False
    list_select_related: Any = False
    list_fullwidth = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody, here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody, here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody, anywhere."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """System administrators."""
        return bool(request.user.is_staff)


def link(words: str, name: str, *arguments: object) -> SafeString:
    """A link to the page where the thing is worked on."""
    return format_html('<a href="{}">{}</a>', reverse(name, args=arguments), words)


def shown(title: str, get: Callable[[Any], Any]) -> Any:
    """A column with a Chinese head."""

    @admin.display(description=title)
    def column(_: Any, one: Any) -> Any:
        value = get(one)
        return f"{clock.local(value):%Y-%m-%d %H:%M:%S}" if isinstance(value, dt.datetime) else value

    return column


@admin.register(Unit)
class UnitAdmin(LookOnly):
    """Units for all time, with the name of today."""

    list_display = ("code", "named", "level", "starts_on", "ends_on", "opens")
    list_filter = ("level",)
    search_fields = ("code",)
    fields = ("code", "named", "level", "starts_on", "ends_on", "opens")
    readonly_fields = ("named", "opens")
    ordering = ("code",)

    @admin.display(description="名称")
    def named(self, unit: Unit) -> str:
        """Its name today."""
        return name_of(unit, clock.today())

    @admin.display(description="办理")
    def opens(self, unit: Unit) -> SafeString:
        """Its own page."""
        return link("一校一册", "unit", unit.pk)


@admin.register(Account)
class AccountAdmin(LookOnly):
    """Accounts, without anything that opens them."""

    list_display = ("username", "name", "homed", "state", "is_system_admin", "opens")
    list_filter = ("is_system_admin", "must_change_password")
    search_fields = ("username", "name")
    fields = ("username", "name", "homed", "state", "is_system_admin", "made", "changed", "opens")
    readonly_fields = ("homed", "state", "made", "changed", "opens")
    made = shown("建立时间", lambda one: one.created_at)
    changed = shown("改密码时间", lambda one: one.password_changed_at)
    ordering = ("username",)
    list_select_related = ("home",)

    @admin.display(description="单位")
    def homed(self, account: Account) -> str:
        """Where the person belongs."""
        return name_of(account.home, clock.today())

    @admin.display(description="状态")
    def state(self, account: Account) -> str:
        """In use or closed."""
        return "在用" if account.closed_at is None else f"停用 {clock.local(account.closed_at).date()}"

    @admin.display(description="办理")
    def opens(self, account: Account) -> SafeString:
        """The person's page."""
        return link("角色和密码", "person", account.pk)


@admin.register(AuditEntry)
class AuditEntryAdmin(LookOnly):
    """The trail, newest first."""

    list_display = ("count_of", "when", "who", "verb", "what", "doored")
    search_fields = ("actor_name", "object_name")
    fields = ("count_of", "when", "sentence", "doored", "link_hash")
    readonly_fields = fields
    ordering = ("-number",)
    count_of = shown("序号", lambda one: one.number)
    when = shown("时间", lambda one: one.at)
    who = shown("谁", lambda one: one.actor_name)
    what = shown("对什么", lambda one: one.object_name)
    link_hash = shown("链上摘要", lambda one: one.hash)

    @admin.display(description="做了什么")
    def verb(self, entry: AuditEntry) -> str:
        """The action's word."""
        return verb_of(entry.action)

    @admin.display(description="内容")
    def sentence(self, entry: AuditEntry) -> str:
        """The whole entry in a sentence."""
        return line_of(entry).sentence

    @admin.display(description="从哪里")
    def doored(self, entry: AuditEntry) -> str:
        """Page, file, command …"""
        return DOORS.get(entry.door, entry.door)


@admin.register(Job)
class JobAdmin(LookOnly):
    """Work of the worker."""

    list_display = ("named", "stated", "counted", "made", "ended", "said")
    search_fields = ("title",)
    fields = ("named", "stated", "counted", "made", "began", "ended", "tries", "said")
    readonly_fields = fields
    ordering = ("-created_at",)
    named = shown("任务", lambda one: one.title)
    made = shown("建立时间", lambda one: one.created_at)
    began = shown("开始时间", lambda one: one.started_at)
    ended = shown("完成时间", lambda one: one.finished_at)
    tries = shown("次数", lambda one: one.attempts)
    said = shown("说明", lambda one: one.message)

    @admin.display(description="状态")
    def stated(self, job: Job) -> str:
        """The state's word."""
        return Job.State(job.state).label

    @admin.display(description="进度")
    def counted(self, job: Job) -> str:
        """How far."""
        return f"{job.done}/{job.total}" if job.total else "—"


@admin.register(CalendarDay)
class CalendarDayAdmin(LookOnly):
    """The days of the calendar."""

    list_display = ("dated", "is_workday", "is_schoolday", "name", "source", "opens")
    list_filter = ("is_workday", "is_schoolday")
    search_fields = ("name",)
    fields = ("dated", "is_workday", "is_schoolday", "name", "source", "opens")
    readonly_fields = ("dated", "opens")
    dated = shown("日期", lambda one: one.day)
    ordering = ("-day",)

    @admin.display(description="办理")
    def opens(self, day: CalendarDay) -> SafeString:
        """The page of its year."""
        return format_html('<a href="{}?day={}">改这一天</a>', reverse("calendar"), day.day.isoformat())


# tables of the parts that we use; they are kept by those parts and have no audit of ours
for _model in (Group, DBTaskResult):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)
admin.site.site_title = "教衡 系统设置"
admin.site.site_header = "教衡 系统设置"
admin.site.index_title = "系统设置"

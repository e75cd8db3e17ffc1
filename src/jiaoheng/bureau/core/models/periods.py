"""Periods and the editable calendar."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from jiaoheng.bureau.core.models.choices import Labelled


class Period(models.Model):
    """An academic year, term, month, week or day. `ends_on` is the first day after it."""

    class Kind(Labelled):
        YEAR = "year", "学年"
        TERM = "term", "学期"
        MONTH = "month", "月"
        WEEK = "week", "周"
        DAY = "day", "日"

    kind = models.CharField(max_length=8, choices=Kind.choices())
    code = models.CharField(
        max_length=16, unique=True
    )  # 2025, 2025-1, 2025-09, 2025-W37, 2025-09-01 (with kind prefix)
    name = models.CharField(max_length=40)
    starts_on = models.DateField()
    ends_on = models.DateField()
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="parts")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(ends_on__gt=F("starts_on")), name="period_half_open")]
        indexes = [models.Index(fields=["kind", "starts_on"])]


class CalendarDay(models.Model):
    """One day of the bureau's calendar: seeded by the library, edited by the office, never guessed for unknown years."""

    day = models.DateField(primary_key=True)
    is_workday = models.BooleanField("工作日")
    is_schoolday = models.BooleanField("上课日")
    name = models.CharField("说明", max_length=40, blank=True)
    source = models.CharField("依据", max_length=100, blank=True)
    changed_at = models.DateTimeField(null=True)  # the cache of a process is as new as the newest of these

    class Meta:
        verbose_name = verbose_name_plural = "工作日历"

"""Work for the worker, with a lease: a killed worker's job is taken back (P15)."""

from __future__ import annotations

import uuid

from django.db import models

from jiaoheng.bureau.core.models.accounts import Account
from jiaoheng.bureau.core.models.choices import Labelled
from jiaoheng.bureau.core.models.units import Unit


class Job(models.Model):
    """One piece of work: what, for whom, how far, with which end. The queue only carries its id."""

    class State(Labelled):
        WAITING = "waiting", "排队中"
        RUNNING = "running", "进行中"
        DONE = "done", "已完成"
        FAILED = "failed", "未成功"
        INTERRUPTED = "interrupted", "中断"
        CANCELLED = "cancelled", "已取消"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=40)  # name of a function registered in core/jobs.py
    title = models.CharField(max_length=200)
    arguments = models.JSONField(default=dict)
    owner = models.ForeignKey(Account, models.PROTECT, null=True)
    unit = models.ForeignKey(Unit, models.PROTECT, null=True)
    state = models.CharField(max_length=12, choices=State.choices(), default="waiting")
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    message = models.CharField(max_length=500, blank=True)
    result = models.JSONField(default=dict)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    worker = models.CharField(max_length=80, blank=True)
    cancel_asked = models.BooleanField(default=False)

    class Meta:
        verbose_name = verbose_name_plural = "后台任务"
        indexes = [models.Index(fields=["state", "created_at"]), models.Index(fields=["owner", "finished_at"])]


class Beat(models.Model):
    """One periodic duty and when it is next due; claimed by moving `due_at`, so that two workers run it once."""

    name = models.CharField(max_length=40, primary_key=True)
    due_at = models.DateTimeField()
    ran_at = models.DateTimeField(null=True)
    worker = models.CharField(max_length=80, blank=True)
    message = models.CharField(max_length=500, blank=True)

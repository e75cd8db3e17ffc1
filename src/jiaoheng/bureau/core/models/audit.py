"""The append-only, hash-chained trail."""

from __future__ import annotations

from django.db import models


class AuditEntry(models.Model):
    """One action. Holds names as they were, so that it reads the same after renames and closures.

    `number` counts without gaps; `hash` covers the entry and the hash before it (core/audit.py).
    """

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    action = models.CharField(max_length=60, db_index=True)
    actor_id = models.BigIntegerField(null=True, db_index=True)
    actor_name = models.CharField(max_length=80)  # 王芳（东镇中心校）
    door = models.CharField(max_length=12)  # page, file, api, command, worker
    object_type = models.CharField(max_length=30, blank=True)
    object_id = models.CharField(max_length=40, blank=True)
    object_name = models.CharField(max_length=200, blank=True)
    unit_id = models.BigIntegerField(null=True, db_index=True)  # whose page shows it
    changes = models.JSONField(default=list)  # [{"field", "title", "old", "new"}], values as shown that day, masked
    count = models.PositiveIntegerField(default=1)  # things touched
    reason = models.CharField(max_length=500, blank=True)
    digest = models.CharField(max_length=64, blank=True)  # of the rows a bulk action wrote
    hash = models.CharField(max_length=64)

    class Meta:
        verbose_name = verbose_name_plural = "操作记录"
        indexes = [models.Index(fields=["object_type", "object_id", "number"])]


class AuditHead(models.Model):
    """The one row that is locked to append: number and hash of the newest entry, and what was archived."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    number = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="")
    archived_to = models.BigIntegerField(default=0)
    archived_hash = models.CharField(max_length=64, blank=True, default="")

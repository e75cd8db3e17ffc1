"""Registers in the database: each loaded version of a schema, and the code tables."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from jiaoheng.bureau.core.models import Account, Attachment, Unit


class RegisterRow(models.Model):
    """A register for all time; its schema lies in its versions."""

    name = models.CharField(max_length=60, unique=True)
    title = models.CharField("名称", max_length=100)
    office = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+")  # department in charge
    made_by = models.ForeignKey(Account, models.PROTECT, null=True)  # null: from a pack
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = "台账"


class RegisterVersion(models.Model):
    """One version of a schema, as `registers.loading.to_json` writes it; holds from a day on."""

    register = models.ForeignKey(RegisterRow, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    effective_from = models.DateField()
    schema = models.JSONField()
    hash = models.CharField(max_length=64)
    loaded_at = models.DateTimeField()
    source = models.CharField(max_length=200, blank=True)  # file of the pack, or the uploaded sheet

    class Meta:
        constraints = [models.UniqueConstraint(fields=["register", "number"], name="register_version_once")]


class RegisterDraft(models.Model):
    """A register on its way from an Excel sheet: proposed by the program, edited by its owner, not in force yet."""

    owner = models.ForeignKey(Account, models.CASCADE, related_name="+")
    schema = models.JSONField()  # as `registers.loading.to_json` writes it
    notes = models.JSONField(default=list)  # guesses to be looked at, sentences
    left_out = models.JSONField(default=list)  # [head, why]
    sheet = models.CharField(max_length=100, blank=True)
    header = models.PositiveIntegerField(default=1)  # row of the heads in the sheet
    columns = models.JSONField(default=dict)  # field name → column of the sheet, from 1
    rows = models.PositiveIntegerField(default=0)
    attachment = models.ForeignKey(Attachment, models.SET_NULL, null=True, related_name="+")
    changed_at = models.DateTimeField()


class CodeRow(models.Model):
    """One choice of a code table between two days; the same code stands twice where its label changed."""

    table = models.CharField(max_length=40)
    table_title = models.CharField(max_length=60)
    code = models.CharField(max_length=40)
    label = models.CharField(max_length=100)
    order = models.PositiveIntegerField(default=0)
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    changed_at = models.DateTimeField()  # the cache of code tables is as new as the newest of these

    class Meta:
        verbose_name = verbose_name_plural = "代码"
        constraints = [
            models.UniqueConstraint(fields=["table", "code", "label", "starts_on"], name="code_once"),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(starts_on__isnull=True) | Q(ends_on__gt=F("starts_on")),
                name="code_half_open",
            ),
        ]
        indexes = [models.Index(fields=["table", "order"])]

"""Imports: a file on its way from upload through preview to one commit, and back."""

from __future__ import annotations

from django.db import models

from jiaoheng.bureau.core.models import Account, Attachment, Job, Period, Unit
from jiaoheng.bureau.core.models.choices import Labelled
from jiaoheng.bureau.ledgers.models.records import Record
from jiaoheng.bureau.ledgers.models.registers import RegisterRow


class ImportBatch(models.Model):
    """One uploaded workbook. Nothing is stored in records before `state` becomes done, and then everything at once."""

    class State(Labelled):
        READING = "reading", "核对中"
        PREVIEW = "preview", "待确认"
        WRITING = "writing", "写入中"
        DONE = "done", "已导入"
        REFUSED = "refused", "不能导入"
        UNDONE = "undone", "已撤销"
        CANCELLED = "cancelled", "已取消"

    register = models.ForeignKey(RegisterRow, models.PROTECT)
    unit = models.ForeignKey(Unit, models.PROTECT)  # on whose behalf it came
    period = models.ForeignKey(Period, models.PROTECT, null=True)
    round_id = models.BigIntegerField(null=True)
    attachment = models.ForeignKey(Attachment, models.PROTECT)
    job = models.ForeignKey(Job, models.PROTECT, null=True)
    owner = models.ForeignKey(Account, models.PROTECT)
    state = models.CharField(max_length=10, choices=State.choices(), default="reading")
    answers = models.JSONField(default=dict)  # question key → chosen value
    counts = models.JSONField(default=dict)  # new, changed, same, wrong, cleared, missing, conflicts, masked
    preview = models.CharField(max_length=100, blank=True)  # stored preview below settings.FILES
    basis = models.CharField(max_length=64, blank=True)  # of the current rows the preview was made against
    message = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)


class ResendKey(models.Model):
    """A form's or API call's own key: the same post again is answered with the same record (P09)."""

    account = models.ForeignKey(Account, models.CASCADE)
    key = models.CharField(max_length=64)
    content = models.CharField(max_length=64)  # SHA-256 of what was sent
    record = models.ForeignKey(Record, models.PROTECT)
    version = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "key"], name="resend_once")]

"""Files that people hand in: stored under random names, served only through the access door."""

from __future__ import annotations

import uuid

from django.db import models

from jiaoheng.bureau.core.models.accounts import Account
from jiaoheng.bureau.core.models.units import Unit


class Attachment(models.Model):
    """One stored file; who may read it follows its unit and, where it hangs on a record, the record."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    unit = models.ForeignKey(Unit, models.PROTECT)
    owner = models.ForeignKey(Account, models.PROTECT)
    name = models.CharField(max_length=200)  # as sent, made safe
    kind = models.CharField(max_length=20)  # photo, workbook, document, result
    media_type = models.CharField(max_length=80)
    size = models.BigIntegerField()  # of the plain content, as is the hash; the file itself lies sealed
    sha256 = models.CharField(max_length=64)
    sent = models.CharField(max_length=64, blank=True)  # SHA-256 of the bytes as sent: the same photo comes twice
    upload_key = models.CharField(max_length=64, blank=True)  # of the form that sent it: sent again it is added once
    path = models.CharField(max_length=100)  # below settings.FILES
    created_at = models.DateTimeField()
    object_type = models.CharField(max_length=30, blank=True)
    object_id = models.CharField(max_length=40, blank=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "upload_key", "sent"], condition=~models.Q(upload_key=""), name="file_sent_once"
            )
        ]
        indexes = [models.Index(fields=["object_type", "object_id"])]

"""What changed for a person since he last looked: the third part of 待办."""

from __future__ import annotations

from django.db import models

from jiaoheng.bureau.core.models.accounts import Account


class Notice(models.Model):
    """One line for one person; `key` makes a repeated event one line."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="notices")
    at = models.DateTimeField()
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)  # a digest has a line for each school
    link = models.CharField(max_length=200, blank=True)
    mood = models.CharField(max_length=10, blank=True)  # back, look: the sign in the timeline
    key = models.CharField(max_length=120, blank=True)
    seen_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "key"], condition=~models.Q(key=""), name="notice_once")
        ]
        indexes = [models.Index(fields=["account", "seen_at", "at"])]

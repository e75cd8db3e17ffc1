"""Tokens by which a program acts as a person, with some of his rights and for a time."""

from __future__ import annotations

from django.db import models

from jiaoheng.bureau.core.models.accounts import Account


class ApiToken(models.Model):
    """One token of one person. Only its hash is kept; whoever loses it makes another one."""

    owner = models.ForeignKey(Account, models.PROTECT, related_name="tokens")
    name = models.CharField("名称", max_length=40)
    scopes = models.JSONField(default=list)  # keys of core/tokens.py: SCOPES
    hash = models.CharField(max_length=64, unique=True)  # SHA-256: the token is 256 random bits and needs no salt
    ending = models.CharField(max_length=4)  # its last characters, to tell two of one name apart
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField("最近使用", null=True, blank=True)
    window_at = models.DateTimeField(null=True)  # beginning of the minute that `window_count` counts
    window_count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = verbose_name_plural = "接口令牌"
        indexes = [models.Index(fields=["owner", "expires_at"])]

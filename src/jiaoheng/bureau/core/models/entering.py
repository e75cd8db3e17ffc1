"""How a person signs in beyond the password: second factor, remembered devices; where he is signed in; how often he tried."""

from __future__ import annotations

from django.db import models

from jiaoheng.bureau.core.models.accounts import Account
from jiaoheng.bureau.core.models.fields import SealedTextField


class SecondFactor(models.Model):
    """The one-time codes of one person (RFC 6238). Unconfirmed until the first code was right."""

    account = models.OneToOneField(Account, models.PROTECT, related_name="second_factor")
    secret = SealedTextField(place="core/second-factor")  # base32
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    last_step = models.BigIntegerField(default=-1)  # the half minute of the last code taken: none is taken twice

    class Meta:
        verbose_name = verbose_name_plural = "二次验证"


class RecoveryCode(models.Model):
    """One of the codes for a lost phone: only its hash is kept, and each opens once."""

    factor = models.ForeignKey(SecondFactor, models.CASCADE, related_name="codes")
    hash = models.CharField(max_length=64)  # SHA-256 keyed by the factor: a code is 50 random bits
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "恢复码"
        constraints = [models.UniqueConstraint(fields=["factor", "hash"], name="recovery_code_once")]


class SignedIn(models.Model):
    """One place where an account is signed in. Without its line a session opens nothing."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="signed_in")
    device = models.CharField("设备", max_length=60)
    address = models.CharField("地址", max_length=45)
    began_at = models.DateTimeField()
    used_at = models.DateTimeField("最近使用")

    class Meta:
        verbose_name = verbose_name_plural = "登录"
        indexes = [models.Index(fields=["account", "used_at"])]


class Tally(models.Model):
    """How often something limited happened in one window of time, counted once for all processes."""

    name = models.CharField(max_length=80)
    window = models.BigIntegerField()  # its beginning, seconds since 1970
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = verbose_name_plural = "次数"
        constraints = [models.UniqueConstraint(fields=["name", "window"], name="tally_once")]

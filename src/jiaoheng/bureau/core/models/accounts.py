"""Accounts and memberships. A membership is (role, unit, from, to) and nothing else."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q

from jiaoheng.bureau.core.models.fields import SealedTextField
from jiaoheng.bureau.core.models.units import HALF_OPEN, Unit


class AccountManager(BaseUserManager):
    """Accounts are found by user name."""

    def get_by_natural_key(self, username: str | None) -> Any:
        """The account of a user name as typed at sign-in; names are stored in lower case."""
        return self.get(username=(username or "").strip().lower())


class Account(AbstractBaseUser):
    """A person who signs in. Never deleted: a closed account keeps its number, so that a namesake inherits nothing."""

    username = models.CharField("账号", max_length=40, unique=True)
    name = models.CharField("姓名", max_length=40)
    phone: Any = SealedTextField("手机", blank=True, place="core/phone")
    home = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="accounts", verbose_name="所在单位")
    must_change_password = models.BooleanField("首次登录改密码", default=True)
    is_system_admin = models.BooleanField("系统管理员", default=False)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    password_changed_at = models.DateTimeField(null=True, blank=True)
    seen_until = models.DateTimeField("待办看到", null=True, blank=True)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["name"]
    objects = AccountManager()

    class Meta:
        verbose_name = verbose_name_plural = "账号"

    @property
    def is_active(self) -> bool:
        """Whether the account may sign in; a closed one may not, from its next request on."""
        return self.closed_at is None

    @property
    def is_staff(self) -> bool:
        """Whether the system settings open for this account."""
        return bool(self.is_system_admin) and self.closed_at is None

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Rights inside the system settings pages; everything else asks `core/access.py`."""
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        """See `has_perm`."""
        return self.is_staff


class Membership(models.Model):
    """An account has a role at a unit between two days, and so rights over the unit's subtree."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="memberships")
    role = models.CharField("角色", max_length=20)  # a key of core/capabilities.py: ROLES
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="memberships")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    deputy_of = models.ForeignKey(Account, models.PROTECT, null=True, related_name="deputies")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=HALF_OPEN, name="membership_half_open"),
            models.UniqueConstraint(
                fields=["account", "role", "unit"], condition=Q(ends_on__isnull=True), name="membership_once"
            ),
        ]
        indexes = [models.Index(fields=["unit", "role"])]

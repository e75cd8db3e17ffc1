"""A person's own views of a register's list."""

from __future__ import annotations

from django.db import models

from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.ledgers.models.registers import RegisterRow


class SavedView(models.Model):
    """Filter, sort and columns under a name."""

    account = models.ForeignKey(Account, models.CASCADE)
    register = models.ForeignKey(RegisterRow, models.CASCADE)
    name = models.CharField(max_length=40)
    query = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "register", "name"], name="view_once")]

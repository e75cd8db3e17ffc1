"""Records and their versions. A version is never changed: a new one closes the old one's `valid_to`."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from jiaoheng.bureau.core.models import Account, Period, Unit
from jiaoheng.bureau.core.models.fields import ContentField, SealedJSONField, SortKeyField
from jiaoheng.bureau.ledgers.models.registers import RegisterRow

CURRENT = Q(valid_to__isnull=True, deleted=False)


class Record(models.Model):
    """A row of a register for all time. `key` is free again once the record is deleted."""

    # the unique constraints below begin with register and unit: further indexes would only slow an import
    register = models.ForeignKey(RegisterRow, models.PROTECT, db_index=False)
    unit = models.ForeignKey(Unit, models.PROTECT)
    period = models.ForeignKey(Period, models.PROTECT, null=True, db_index=False)
    key = SortKeyField(max_length=300, blank=True)
    number = models.PositiveIntegerField(default=0)  # of its newest version
    deleted_at = models.DateTimeField(null=True)
    anonymised_at = models.DateTimeField(null=True)  # its term of keeping was over: only figures are left

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["register", "unit", "period", "key"],
                condition=Q(deleted_at__isnull=True, period__isnull=False),
                name="record_once_a_period",
            ),
            models.UniqueConstraint(
                fields=["register", "unit", "key"],
                condition=Q(deleted_at__isnull=True, period__isnull=True),
                name="record_once",
            ),
        ]


class RecordVersion(models.Model):
    """What a record said from `valid_from` up to, not including, `valid_to`.

    Carries the ids of its unit's ancestors at the record's own date: scope and roll-up are conditions on these columns.
    `s0`…`s7` hold the sortable form of the register's filterable fields (`Register.slots`).
    """

    record = models.ForeignKey(Record, models.PROTECT, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    # the record has these three too and holds their constraints: checking them again would slow every import
    register = models.ForeignKey(RegisterRow, models.PROTECT, db_index=False, db_constraint=False)
    unit = models.ForeignKey(Unit, models.PROTECT, db_index=False, db_constraint=False)
    period = models.ForeignKey(Period, models.PROTECT, null=True, db_index=False, db_constraint=False)
    county_id = models.BigIntegerField(null=True)
    district_id = models.BigIntegerField(null=True)
    school_id = models.BigIntegerField(null=True)
    class_id = models.BigIntegerField(null=True)
    schema_version = models.PositiveIntegerField()
    data: Any = ContentField()
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    deleted = models.BooleanField(default=False)
    author = models.ForeignKey(Account, models.PROTECT, null=True, db_index=False)
    author_name = models.CharField(max_length=80)
    door = models.CharField(max_length=12)
    source = models.CharField(max_length=12)  # form, file, api, restore, load, merge, undo
    batch_id = models.BigIntegerField(null=True)  # the import that wrote it
    reason = models.CharField(max_length=500, blank=True)
    restored_from = models.PositiveIntegerField(null=True)
    device_seq = models.BigIntegerField(null=True)  # the device's own count of its edits (offline ones may come late)
    s0 = SortKeyField(max_length=200, null=True)
    s1 = SortKeyField(max_length=200, null=True)
    s2 = SortKeyField(max_length=200, null=True)
    s3 = SortKeyField(max_length=200, null=True)
    s4 = SortKeyField(max_length=200, null=True)
    s5 = SortKeyField(max_length=200, null=True)
    s6 = SortKeyField(max_length=200, null=True)
    s7 = SortKeyField(max_length=200, null=True)
    # 64 bits of the keyed hash of protected values that are found by the whole value (`sealing.hash_slots`)
    h0 = models.BigIntegerField(null=True)
    h1 = models.BigIntegerField(null=True)
    h2 = models.BigIntegerField(null=True)
    h3 = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["record", "number"], name="record_version_once")]
        indexes = [
            # holds the whole scope of a list, so that counting one touches no row
            models.Index(
                fields=["register", "period", "school_id", "district_id", "county_id", "class_id"],
                name="version_now",
                condition=CURRENT,
            ),
            # an import is undone by it too: its register, and what was written since it began
            models.Index(fields=["register", "valid_from"], name="version_from"),
            *(
                models.Index(
                    fields=["register", f"s{slot}", "record"],
                    name=f"version_s{slot}",
                    condition=CURRENT & Q(**{f"s{slot}__isnull": False}),
                )
                for slot in range(8)
            ),
            *(
                models.Index(
                    fields=[f"h{slot}", "register"],
                    name=f"version_h{slot}",
                    condition=CURRENT & Q(**{f"h{slot}__isnull": False}),
                )
                for slot in range(4)
            ),
        ]


class Draft(models.Model):
    """What a person typed and has not submitted: text as typed, checked only when it is submitted."""

    account = models.ForeignKey(Account, models.CASCADE)
    register = models.ForeignKey(RegisterRow, models.CASCADE)
    unit = models.ForeignKey(Unit, models.PROTECT)
    period = models.ForeignKey(Period, models.PROTECT, null=True)
    record = models.ForeignKey(Record, models.CASCADE, null=True)
    typed: Any = SealedJSONField(place="drafts/typed")  # field name → text as typed (or list of it)
    base_version = models.PositiveIntegerField(null=True)
    saved_at = models.DateTimeField()
    device_at = models.DateTimeField(null=True)  # the device's own clock, kept beside ours
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=["account", "register", "unit"])]

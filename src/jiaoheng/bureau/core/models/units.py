"""Units: a dated tree. Dates are half-open: a row holds from `starts_on` up to, not including, `ends_on`."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from jiaoheng.bureau.core.models.choices import Labelled

HALF_OPEN = Q(ends_on__isnull=True) | Q(ends_on__gt=F("starts_on"))


class Unit(models.Model):
    """A node for all time: county, department, district, school or class. Its facts and parents are dated rows.

    `code` is given once and never again: the 10-digit 学校标识码 for schools, our own codes for the rest.
    """

    class Level(Labelled):
        COUNTY = "county", "县"
        DEPARTMENT = "department", "股室"
        DISTRICT = "district", "学区"
        SCHOOL = "school", "学校"
        CLASS = "class", "班级"

    code = models.CharField("代码", max_length=32, unique=True)
    level = models.CharField("层级", max_length=12, choices=Level.choices())
    starts_on = models.DateField("设立日期")
    ends_on = models.DateField("撤销日期", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "单位"
        constraints = [models.CheckConstraint(condition=HALF_OPEN, name="unit_half_open")]


class UnitFacts(models.Model):
    """Name and kind of a unit between two days; a rename closes one row and adds the next."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="facts")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    name = models.CharField("名称", max_length=100)
    short_name = models.CharField("简称", max_length=40, blank=True)
    kind = models.CharField("类别", max_length=12, blank=True)  # code table school_kind (or grade of a class)
    ownership = models.CharField("办别", max_length=12, blank=True)  # code table ownership
    locality = models.CharField("城乡", max_length=12, blank=True)  # code table urban_rural
    township = models.CharField("乡镇", max_length=40, blank=True)
    sort_key = models.CharField(max_length=200, blank=True)  # natural order, see methods/sort_keys.py

    class Meta:
        constraints = [
            models.CheckConstraint(condition=HALF_OPEN, name="unit_facts_half_open"),
            models.UniqueConstraint(fields=["unit", "starts_on"], name="unit_facts_start"),
        ]
        indexes = [models.Index(fields=["unit", "ends_on"])]


class UnitEdge(models.Model):
    """Who stands under whom between two days."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="edges")
    parent = models.ForeignKey(Unit, models.PROTECT, related_name="child_edges")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=HALF_OPEN, name="unit_edge_half_open"),
            models.UniqueConstraint(fields=["unit", "starts_on"], name="unit_edge_start"),
        ]


class UnitPath(models.Model):
    """The dated closure of the tree, self included: ancestors (or descendants) at a day in one query."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="up_paths")
    ancestor = models.ForeignKey(Unit, models.PROTECT, related_name="down_paths")
    depth = models.PositiveSmallIntegerField()
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=HALF_OPEN, name="unit_path_half_open")]
        indexes = [
            models.Index(fields=["unit", "ancestor", "starts_on"]),
            models.Index(fields=["ancestor", "starts_on", "unit"]),
        ]


class UnitSuccession(models.Model):
    """What became of a unit: merged, split, moved, renamed or closed on a day; the ground of 口径变化."""

    class Kind(Labelled):
        MERGE = "merge", "并入"
        SPLIT = "split", "分出"
        MOVE = "move", "划转"
        RENAME = "rename", "更名"
        CLOSE = "close", "撤销"

    kind = models.CharField(max_length=8, choices=Kind.choices())
    happened_on = models.DateField()
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="successions")
    other = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="successions_from")  # receiver
    before = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+")  # earlier parent of a move
    after = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+")  # later parent of a move
    reason = models.CharField(max_length=500)
    document = models.CharField("文号", max_length=100, blank=True)

    class Meta:
        indexes = [models.Index(fields=["unit", "happened_on"])]

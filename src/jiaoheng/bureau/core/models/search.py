"""The search index: our own single characters, bigrams and pinyin initials, alike on both databases (P24)."""

from __future__ import annotations

from django.db import models

from jiaoheng.bureau.core.models.fields import SortKeyField


class SearchEntry(models.Model):
    """One thing that can be found. Carries the ancestor ids of its unit, so that scope is one condition."""

    kind = models.CharField(max_length=20)  # unit, account, record
    object_id = models.CharField(max_length=40)
    register = models.CharField(max_length=60, blank=True)
    name = models.CharField(max_length=200)
    folded = models.CharField(max_length=300)  # name and codes, folded, for the exact check
    where = models.CharField(max_length=200, blank=True)  # unit's name for the result line
    county_id = models.BigIntegerField(null=True)
    district_id = models.BigIntegerField(null=True)
    school_id = models.BigIntegerField(null=True)
    class_id = models.BigIntegerField(null=True)
    unit_id = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "object_id"], name="search_once")]


class SearchGram(models.Model):
    """One gram of an entry."""

    gram = SortKeyField(max_length=16)
    entry = models.ForeignKey(SearchEntry, models.CASCADE)

    class Meta:
        indexes = [models.Index(fields=["gram", "entry"])]

"""Merging, splitting and closing units. Nothing is deleted: what hung on the unit goes where the preview said."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import Q

from jiaoheng.bureau.core import audit, clock, hanging, schedule
from jiaoheng.bureau.core.actions_units import note, refresh, rename_places, settle
from jiaoheng.bureau.core.hanging import Ending
from jiaoheng.bureau.core.models import Account, AuditEntry, Unit, UnitEdge, UnitSuccession
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.search_index import index_units
from jiaoheng.bureau.core.tree import name_of
from jiaoheng.bureau.core.tree_writing import Seed, below_ever, end, hang, plant, rebuild_paths
from jiaoheng.bureau.core.unit_checks import check_closable, check_reason, check_right
from jiaoheng.bureau.core.unit_preview import confirm, preview_close, preview_merge, preview_split

LOOK_BACK = dt.timedelta(days=4)  # a server that stood still over a change's day still carries it out


@audit.action
def do_merge_unit(
    unit: Unit,
    receiver: Unit,
    *,
    acting_user: Account | None,
    day: dt.date,
    reason: str,
    document: str = "",
    basis: str | None = None,
) -> dict[str, int]:
    """A unit goes into a living one on a day. Returns what was moved: key of what hung on it → count."""
    check_right(acting_user, unit, receiver)
    preview = preview_merge(unit, receiver, day)
    check_reason(reason)
    confirm(preview, basis)
    ending = Ending(unit, receiver, day)
    moved = hanging.move(ending, acting_user)  # while the unit's own people can still be named
    _hand_over(unit, receiver, day)
    end([unit], day)
    unit.refresh_from_db()
    changed = rebuild_paths([unit.pk, receiver.pk])
    UnitSuccession.objects.create(
        kind=UnitSuccession.Kind.MERGE, happened_on=day, unit=unit, other=receiver, reason=reason, document=document
    )
    settle(changed, day, ending, acting_user)
    refresh([unit.pk])
    sentences = [*preview.changes, *(one.sentence for one in preview.hanging)]
    note(unit, "unit-merge", acting_user, day=day, reason=reason, document=document, sentences=sentences)
    return moved


@audit.action
def do_split_unit(
    unit: Unit,
    seed: Seed,
    children: Sequence[Unit],
    *,
    acting_user: Account | None,
    reason: str,
    document: str = "",
    basis: str | None = None,
) -> Unit:
    """A new unit comes out of one that stays, from `seed.starts_on` on, with some of its children. Returns the new one."""
    parent = Unit.objects.filter(code=seed.parent).first()
    check_right(acting_user, unit, parent)
    preview = preview_split(unit, seed, children)
    check_reason(reason)
    confirm(preview, basis)
    made = plant([seed])[seed.code]
    for child in children:
        hang(child, made, seed.starts_on)
    changed = rebuild_paths([child.pk for child in children]) if children else []
    UnitSuccession.objects.create(
        kind=UnitSuccession.Kind.SPLIT,
        happened_on=seed.starts_on,
        unit=unit,
        other=made,
        reason=reason,
        document=document,
    )
    index_units([made])
    settle(changed, seed.starts_on, None, acting_user)
    note(
        unit, "unit-split", acting_user, day=seed.starts_on, reason=reason, document=document, sentences=preview.changes
    )
    return made


@audit.action
def do_close_unit(
    unit: Unit,
    *,
    acting_user: Account | None,
    day: dt.date,
    reason: str,
    document: str = "",
    basis: str | None = None,
) -> dict[str, int]:
    """A unit ends on a day, its classes with it. Returns what was moved: key of what hung on it → count."""
    check_right(acting_user, unit)
    preview = preview_close(unit, day)
    check_reason(reason)
    confirm(preview, basis)
    also = check_closable(unit, day)
    ending = Ending(unit, None, day, tuple(also))
    moved = hanging.move(ending, acting_user)
    end(ending.units, day)
    rebuild_paths([unit.pk])
    UnitSuccession.objects.create(
        kind=UnitSuccession.Kind.CLOSE, happened_on=day, unit=unit, reason=reason, document=document
    )
    refresh([one.pk for one in ending.units])
    sentences = [*preview.changes, *(one.sentence for one in preview.hanging)]
    note(unit, "unit-close", acting_user, day=day, reason=reason, document=document, sentences=sentences)
    return moved


@audit.action
def do_reopen_unit(unit: Unit, *, acting_user: Account | None, reason: str) -> None:
    """Take back the closing of a unit that went into nobody: it stands on as if it had not been closed.

    Classes that ended with it and its people's rights stay as they are; they are given again one by one. RefusedError
    for a unit that was merged or stands.
    """
    check_right(acting_user, unit)
    check_reason(reason)
    closed = UnitSuccession.objects.filter(unit=unit, kind=UnitSuccession.Kind.CLOSE, happened_on=unit.ends_on).first()
    name = name_of(unit, clock.today())
    if unit.ends_on is None or closed is None:
        raise RefusedError("not-closed", f"{name}没有被撤销（并入其他单位的不能恢复），请核对")
    day = unit.ends_on
    edge = UnitEdge.objects.select_related("parent").filter(unit=unit, ends_on=day).first()
    if edge is not None and edge.parent.ends_on is not None:
        above = name_of(edge.parent, day)
        raise RefusedError("parent-ended", f"{name}原来的上级{above}已于 {edge.parent.ends_on} 撤并，请另设单位")
    unit.facts.filter(ends_on=day).update(ends_on=None)
    unit.edges.filter(ends_on=day).update(ends_on=None)
    Unit.objects.filter(pk=unit.pk).update(ends_on=None)
    unit.refresh_from_db()
    rebuild_paths([unit.pk])
    refresh([unit.pk])
    closed.delete()  # the closing did not happen; the trail keeps both
    note(
        unit,
        "unit-reopen",
        acting_user,
        day=day,
        reason=reason,
        document="",
        sentences=[f"{name}恢复，不再于 {day} 撤销"],
    )


def turn_day(day: dt.date) -> int:
    """Carry out what changes of units were registered for a day; the schedule calls it soon after midnight."""
    done = AuditEntry.objects.filter(action="units-turn-day", object_type="day", object_id=str(day)).exists()
    return 0 if done or not _turning(day).exists() else do_turn_day(day, acting_user=None)


def _turning(day: dt.date) -> Any:
    return UnitSuccession.objects.filter(happened_on__lte=day, happened_on__gt=day - LOOK_BACK)


@audit.action
def do_turn_day(day: dt.date, *, acting_user: Account | None) -> int:
    """See `turn_day`. Safe to repeat; returns the number of changes looked at."""
    count = 0
    for row in _turning(day).select_related("unit", "other").order_by("happened_on", "pk"):
        count += 1
        if row.kind == UnitSuccession.Kind.RENAME:
            refresh([row.unit_id])
            rename_places(row.unit)
            continue
        ending = None
        if row.kind in (UnitSuccession.Kind.MERGE, UnitSuccession.Kind.CLOSE):
            also = Unit.objects.filter(edges__parent=row.unit, ends_on=row.happened_on, level=Unit.Level.CLASS)
            ending = Ending(row.unit, row.other, row.happened_on, tuple(also.distinct()))
            hanging.move(ending, acting_user)
        touched = below_ever([one.pk for one in (row.unit, row.other) if one is not None])
        settle(touched, row.happened_on, ending, acting_user)
    audit.note("units-turn-day", actor=acting_user, about=("day", day, str(day)), count=count)
    return count


def _hand_over(unit: Unit, receiver: Unit, day: dt.date) -> None:
    """What stands below a unit on the day, or comes there later, stands below the receiver from then on."""
    now = Q(ends_on__isnull=True) | Q(ends_on__gt=day)
    for edge in UnitEdge.objects.select_related("unit").filter(now, parent=unit).order_by("starts_on"):
        if edge.starts_on >= day:
            UnitEdge.objects.filter(pk=edge.pk).update(parent=receiver)
        else:
            hang(edge.unit, receiver, day)


schedule.every("units-turn-day", minutes=30, run=lambda: f"{turn_day(clock.today())} 项单位变更生效")

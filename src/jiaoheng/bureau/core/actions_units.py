"""Adding, renaming and moving units, and changing their facts: from a day on, with reason and document number.

Every function takes `basis`, the digest of the preview that the person confirmed (`unit_preview`); None where nobody
was shown one. Dates may lie in the past: rows that were written under the old tree are then corrected.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.hanging import Ending, reline
from jiaoheng.bureau.core.models import Account, SearchEntry, Unit, UnitSuccession
from jiaoheng.bureau.core.search_index import index_accounts, index_units
from jiaoheng.bureau.core.tree import facts_at, name_of
from jiaoheng.bureau.core.tree_writing import Seed, hang, plant, put_facts, rebuild_paths
from jiaoheng.bureau.core.unit_checks import TITLES, check_reason, check_right
from jiaoheng.bureau.core.unit_preview import confirm, parent_at, preview_add, preview_facts, preview_move


@audit.action
def do_add_unit(
    seed: Seed, *, acting_user: Account | None, reason: str, document: str = "", basis: str | None = None
) -> Unit:
    """A new unit from `seed.starts_on` on. Refuses a wrong or used code, an unknown or ended parent."""
    preview = preview_add(seed)
    check_right(acting_user, Unit.objects.filter(code=seed.parent).first())
    check_reason(reason)
    confirm(preview, basis)
    unit = plant([seed])[seed.code]
    index_units([unit])
    note(unit, "unit-add", acting_user, day=seed.starts_on, reason=reason, document=document, sentences=preview.changes)
    return unit


@audit.action
def do_rename_unit(
    unit: Unit,
    name: str,
    *,
    acting_user: Account | None,
    day: dt.date,
    reason: str,
    document: str = "",
    short_name: str | None = None,
    basis: str | None = None,
) -> None:
    """Another name from a day on; earlier figures keep the earlier name."""
    values = {"name": name.strip()} | ({"short_name": short_name.strip()} if short_name is not None else {})
    _change(unit, values, acting_user, day=day, reason=reason, document=document, basis=basis, action="unit-rename")


@audit.action
def do_change_facts(
    unit: Unit,
    *,
    acting_user: Account | None,
    day: dt.date,
    reason: str,
    document: str = "",
    basis: str | None = None,
    **values: str,
) -> None:
    """Other kind, ownership, locality, township or names from a day on. Refuses a kind that needs another code."""
    _change(unit, values, acting_user, day=day, reason=reason, document=document, basis=basis, action="unit-facts")


def _change(
    unit: Unit,
    values: dict[str, str],
    actor: Account | None,
    *,
    day: dt.date,
    reason: str,
    document: str,
    basis: str | None,
    action: str,
) -> None:
    check_right(actor, unit)
    preview = preview_facts(unit, day, values)
    check_reason(reason)
    confirm(preview, basis)
    old = facts_at([unit.pk], day)[unit.pk]
    before = {name: getattr(old, name) for name in TITLES}
    made = put_facts(unit, day, **values)
    after = {name: getattr(made, name) for name in TITLES}
    if before["name"] != after["name"]:
        _succeed("rename", unit, day, reason, document)
    index_units([unit])
    rename_places(unit)
    changes = audit.differences(before, after, TITLES)
    audit.note(
        action,
        actor=actor,
        about=("unit", unit.pk, before["name"]),
        unit_id=unit.pk,
        changes=[*changes, *_when(day, document)],
        reason=reason,
    )


@audit.action
def do_move_unit(
    unit: Unit,
    parent: Unit,
    *,
    acting_user: Account | None,
    day: dt.date,
    reason: str,
    document: str = "",
    basis: str | None = None,
) -> None:
    """Another parent from a day on: what was before stays with the old one. Rows written since the day are corrected."""
    check_right(acting_user, unit, parent)
    preview = preview_move(unit, parent, day)
    check_reason(reason)
    confirm(preview, basis)
    before = parent_at(unit, day)
    hang(unit, parent, day)
    moved = rebuild_paths([unit.pk])
    UnitSuccession.objects.create(
        kind=UnitSuccession.Kind.MOVE,
        happened_on=day,
        unit=unit,
        before=before,
        after=parent,
        reason=reason,
        document=document,
    )
    settle(moved, day, None, acting_user)
    note(unit, "unit-move", acting_user, day=day, reason=reason, document=document, sentences=preview.changes[:1])


def settle(unit_ids: Sequence[int], day: dt.date, ending: Ending | None, actor: Account | None) -> int:
    """After a change of the tree: correct rows written since its day, and where units and people are found."""
    corrected = reline(unit_ids, day, ending, actor)
    refresh(unit_ids)
    return corrected


def rename_places(unit: Unit) -> None:
    """Show the unit's name of today beside what is found below it."""
    name = name_of(unit, clock.today())
    SearchEntry.objects.filter(unit_id=unit.pk).exclude(kind="unit").update(where=name[:200])
    index_units(Unit.objects.filter(edges__parent=unit).distinct())


def refresh(unit_ids: Iterable[int]) -> None:
    """Index units and the people who belong to them anew, with today's line."""
    ids = list(unit_ids)
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        index_units(Unit.objects.filter(pk__in=part))
        index_accounts(Account.objects.filter(home_id__in=part))


def note(
    unit: Unit,
    action: str,
    actor: Account | None,
    *,
    day: dt.date,
    reason: str,
    document: str,
    sentences: Sequence[str],
    count: int = 1,
) -> None:
    """The audit entry of a change of units: its sentences with the names of that day."""
    said = [{"field": "", "title": "变更", "old": None, "new": sentence} for sentence in sentences]
    audit.note(
        action,
        actor=actor,
        about=("unit", unit.pk, name_of(unit, day)),
        unit_id=unit.pk,
        changes=[*said, *_when(day, document)],
        count=count,
        reason=reason,
    )


def _when(day: dt.date, document: str) -> list[dict[str, str | None]]:
    made: list[dict[str, str | None]] = [{"field": "day", "title": "生效日期", "old": None, "new": str(day)}]
    if document:
        made.append({"field": "document", "title": "文号", "old": None, "new": document})
    return made


def _succeed(kind: str, unit: Unit, day: dt.date, reason: str, document: str) -> None:
    UnitSuccession.objects.create(kind=kind, happened_on=day, unit=unit, reason=reason, document=document)

"""Units of the county with their whole dated history, in bulk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jiaoheng.bureau.core import audit
from jiaoheng.bureau.core.models import Account, Unit, UnitEdge, UnitFacts, UnitSuccession
from jiaoheng.bureau.core.tree_writing import rebuild_paths
from jiaoheng.methods.sort_keys import text_key
from jiaoheng.registers.county import CountyUnit, UnitEvent

_ACTIONS = {"merge": "unit-merge", "move": "unit-move", "rename": "unit-rename", "close": "unit-close"}


@audit.action
def do_plant_units(units: Sequence[CountyUnit], *, acting_user: Account | None) -> dict[str, Unit]:
    """Add units, facts, edges and the closure that follows from them; returns code → unit."""
    made = {
        one.code: Unit(code=one.code, level=one.level, starts_on=one.starts_on, ends_on=one.ends_on) for one in units
    }
    Unit.objects.bulk_create(made.values(), batch_size=500)
    UnitFacts.objects.bulk_create([row for one in units for row in _facts(made[one.code], one)], batch_size=500)
    UnitEdge.objects.bulk_create(
        [
            UnitEdge(unit=made[one.code], parent=made[edge.parent], starts_on=edge.starts_on, ends_on=edge.ends_on)
            for one in units
            for edge in one.parents
        ],
        batch_size=500,
    )
    rebuild_paths([made[one.code].pk for one in units if not one.parents])
    audit.note("unit-add", actor=acting_user, about=("unit", "", f"{units[0].name}各单位"), count=len(units))
    return made


def _facts(unit: Unit, seed: CountyUnit) -> list[UnitFacts]:
    return [
        UnitFacts(
            unit=unit,
            starts_on=one.starts_on,
            ends_on=one.ends_on,
            name=one.name,
            short_name=one.short_name,
            kind=one.kind,
            ownership=seed.ownership,
            locality=seed.locality,
            township=seed.township,
            sort_key=text_key(one.name),
        )
        for one in seed.facts
    ]


@audit.action
def do_note_event(event: UnitEvent, units: Mapping[str, Unit], name: str, *, acting_user: Account | None) -> None:
    """One event of a unit's life: the row of its succession (none for an opening) and the entry of that day."""
    unit = units[event.unit]
    if event.kind in _ACTIONS:
        UnitSuccession.objects.create(
            kind=event.kind,
            happened_on=event.happened_on,
            unit=unit,
            other=units.get(event.other),
            before=units.get(event.before),
            after=units.get(event.after),
            reason=event.reason,
            document=event.document,
        )
    renamed = [{"field": "name", "title": "名称", "old": event.before, "new": event.after}]
    audit.note(
        _ACTIONS.get(event.kind, "unit-add"),
        actor=acting_user,
        about=("unit", unit.pk, name),
        unit_id=unit.pk,
        changes=renamed if event.kind == "rename" else [],
        reason=f"{event.reason}（{event.document}）" if event.document else event.reason,
    )

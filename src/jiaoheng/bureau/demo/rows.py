"""Rows of the county through the writer of the ledgers, batch by batch at their own times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.models import Account, Period, Unit
from jiaoheng.bureau.demo.authors import Authors
from jiaoheng.bureau.ledgers import writing
from jiaoheng.bureau.ledgers.changes import Change, key_of
from jiaoheng.bureau.ledgers.models import RegisterRow
from jiaoheng.bureau.ledgers.registry import schema_numbered
from jiaoheng.bureau.ledgers.rounds.touching import touch_many
from jiaoheng.registers.county import Batch, PeriodKey

Place = tuple[str, PeriodKey, int, str]  # register, period, unit, key
_PREFIX = {"year": "Y", "term": "T"}


@dataclass
class Ground:
    """What the rows stand on, and which records there are."""

    units: Mapping[str, Unit]
    authors: Authors
    registers: dict[str, RegisterRow] = field(default_factory=dict)
    periods: dict[PeriodKey, Period | None] = field(default_factory=dict)
    records: dict[Place, int] = field(default_factory=dict)

    def register(self, name: str) -> RegisterRow:
        """A register by its name."""
        if name not in self.registers:
            self.registers[name] = RegisterRow.objects.get(name=name)
        return self.registers[name]

    def period(self, key: PeriodKey) -> Period | None:
        """A period as the county names it; None for standing."""
        if key not in self.periods:
            kind, code = key
            self.periods[key] = Period.objects.get(code=_PREFIX[kind] + code) if kind else None
        return self.periods[key]


@audit.action
def do_load_rows(ground: Ground, seed: Batch, *, acting_user: Account | None) -> int:
    """Write one batch at the clock's time: new records, or new versions where the key is known. Returns the rows.

    Each author has an entry of his own. acting_user: None, for the authors are many.
    """
    row, period = ground.register(seed.register), ground.period(seed.period)
    schema = schema_numbered(row, seed.version)
    changes, places = [], []
    for code, data in seed:
        place = (seed.register, seed.period, ground.units[code].pk, key_of(schema, data))
        changes.append(Change(place[2], data, ground.records.get(place)))
        places.append(place)
    of_office = schema.fill.filler == "department"
    by_unit = {
        ground.units[code].pk: ground.authors.office if of_office else ground.authors(code)
        for code in dict.fromkeys(seed.units)
    }
    batch = writing.Batch(
        row,
        schema,
        period,
        acting_user,
        "file" if seed.door == "file" else "form",
        reason=seed.reason,
        at=clock.now(),
        authors=by_unit,
        indexed=False,
    )
    for place, written in zip(places, writing.write(batch, changes), strict=True):
        ground.records[place] = written.record_id
    touch_many(row, by_unit, period, clock.now())
    _note(seed, row, period, changes, by_unit)
    return len(changes)


def _note(
    seed: Batch, row: RegisterRow, period: Period | None, changes: list[Change], by_unit: Mapping[int, Account]
) -> None:
    """One entry for each author: what he sent, with a digest of his rows."""
    groups: dict[int, list[Change]] = {}
    for one in changes:
        groups.setdefault(by_unit[one.unit_id].pk, []).append(one)
    known = {account.pk: account for account in by_unit.values()}
    action = "import.confirm" if seed.door == "file" else "record.change_many" if seed.later else "record.create"
    name = f"{row.title} {period.name}" if period is not None else str(row.title)
    for pk, own in groups.items():
        units = Counter(one.unit_id for one in own)
        account = known[pk]
        audit.note(
            action,
            actor=account,
            about=("register", row.name, name),
            unit_id=account.home_id if len(units) > 1 else next(iter(units)),
            count=len(own),
            reason=seed.reason,
            digest=writing.digest(own),
        )

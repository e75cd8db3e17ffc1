"""A stage for rounds: a small register (教师数, 班级数) in the test county, a term, ways to fill and submit."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bureau.world import START, World
from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.calendar import seed_calendar
from jiaoheng.bureau.core.models import Account, Membership, Period, Unit
from jiaoheng.bureau.core.tree_writing import Seed, plant
from jiaoheng.bureau.ledgers.changes import Change
from jiaoheng.bureau.ledgers.models import Filing, RecordVersion, RegisterRow, RegisterVersion, Round
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.rounds.actions import do_open_round, do_submit_filing
from jiaoheng.bureau.ledgers.rounds.touching import touch
from jiaoheng.bureau.ledgers.writing import Batch, write
from jiaoheng.registers.loading import schema_hash, to_json
from jiaoheng.registers.model import CheckLevel, Field, FieldType, Level, PeriodKind, Register, RowCheck

REFERENCE = dt.date(2025, 10, 1)
OPENS = clock.beijing(2025, 9, 20)
DUE = clock.at_end_of(dt.date(2025, 10, 31))


def form(level: Level = Level.SCHOOL, **more: Any) -> Register:
    """One record a unit and year: teachers (required, asked about above 30 % of change), classes."""
    fields = (
        Field(
            "teachers", FieldType.INTEGER, "教师数", unit="名", required=True, minimum=Decimal(0), jump=Decimal("0.3")
        ),
        Field("classes", FieldType.INTEGER, "班级数", unit="个", minimum=Decimal(0)),
    )
    checks = (
        RowCheck("enough", "classes is None or teachers >= classes", "教师 {teachers} 名少于班级 {classes} 个"),
        RowCheck("few", "teachers >= 3", "教师只有 {teachers} 名", CheckLevel.WARN),
    )
    more.setdefault("checks", tuple(one for one in checks if one.name == "few"))
    return Register("staffing", "师资概况", 1, START, level, PeriodKind.TERM, fields, **more)


def listing() -> Register:
    """Several records a unit: classes with their pupils, named by class."""
    fields = (
        Field("name", FieldType.STRING, "班级", required=True, identity=True),
        Field("pupils", FieldType.INTEGER, "人数", unit="名", required=True, minimum=Decimal(0), maximum=Decimal(150)),
    )
    return Register("classes", "班额台账", 1, START, Level.SCHOOL, PeriodKind.TERM, fields, key=("name",))


@dataclass
class Stage:
    """The county, a loaded register, this term's period and the one before, and the round once it is open."""

    world: World
    row: RegisterRow
    period: Period
    before: Period
    round: Round | None = None

    def filing(self, name: str) -> Filing:
        """The filing of a unit as it stands now."""
        found: Filing = Filing.objects.select_related("round", "round__register", "unit").get(
            round=self.round, unit=self.world[name]
        )
        return found

    def fill(self, name: str, /, *, period: Period | None = None, at: dt.datetime | None = None, **data: Any) -> int:
        """Write one record of a unit (its only one, or the one with the same key) and touch its filing."""
        unit, period = self.world[name], period or self.period
        schema = schema_of(self.row, REFERENCE)
        there = [
            one
            for one in RecordVersion.objects.filter(unit=unit, period=period, register=self.row, valid_to__isnull=True)
            if all(one.data.get(key) == data.get(key) for key in schema.key)
        ]
        change = Change(unit.pk, data, there[0].record_id if there else None)

        @audit.action
        def do_write(*, acting_user: Account | None) -> int:
            audit.note("record.save", actor=acting_user, about=("record", 0, name))
            moment = at or clock.now()
            written = write(Batch(self.row, schema, period, acting_user, "form", at=moment), [change], day=REFERENCE)
            touch(self.row, unit, period, moment)
            return written[0].record_id

        return do_write(acting_user=None)

    def submit(self, name: str, who: str = "", **more: Any) -> Filing:
        """The unit's clerk submits."""
        return do_submit_filing(self.filing(name), acting_user=self.world[who or f"{name}填报"], **more)

    def open(self, **more: Any) -> Round:
        """Open a round over the whole county by the office."""
        given: dict[str, Any] = {
            "register": self.row, "period": self.period, "title": "2025 年秋季师资概况", "scope_unit": self.world["县"],
            "kinds": [], "reference_date": REFERENCE, "opens_at": OPENS, "due_at": DUE,
        }  # fmt: skip
        self.round = do_open_round(**{**given, **more}, acting_user=self.world["股长"])
        return self.round


def make_stage(world: World, schema: Register | None = None) -> Stage:
    """Load a register and two terms."""
    schema = schema or form()
    seed_calendar(range(2025, 2027))
    row = RegisterRow.objects.create(name=schema.name, title=schema.title, created_at=clock.beijing(2020, 9, 1))
    RegisterVersion.objects.create(
        register=row, number=1, effective_from=START, schema=to_json(schema), hash=schema_hash(schema),
        loaded_at=clock.beijing(2020, 9, 1),
    )  # fmt: skip
    before = Period.objects.create(
        kind="term", code="t2024-2", name="2025 年春季", starts_on=dt.date(2025, 2, 1), ends_on=dt.date(2025, 8, 1)
    )
    period = Period.objects.create(
        kind="term", code="t2025-1", name="2025 年秋季", starts_on=dt.date(2025, 8, 1), ends_on=dt.date(2026, 2, 1)
    )
    return Stage(world, row, period, before)


def add_school(world: World, short: str, name: str, parent: str, code: str, **dates: Any) -> Unit:
    """Plant one more school with a clerk (`短名填报`)."""
    starts = dates.get("starts_on", START)
    seed = Seed(code, "school", name, world[parent].code, starts, dates.get("ends_on"), kind=dates.get("kind", "211"))
    world.units[short] = plant([seed])[code]
    add_person(world, f"{short}填报", "clerk", short, starts)
    return world.units[short]


def add_person(world: World, name: str, role: str, unit: str, starts_on: dt.date = START) -> Account:
    """One more account with one role."""
    account = Account.objects.create(
        username=f"x{Account.objects.count():04d}", name=name, home=world[unit], must_change_password=False,
        created_at=clock.beijing(2020, 9, 1), password="!",
    )  # fmt: skip
    Membership.objects.create(account=account, role=role, unit=world[unit], starts_on=starts_on)
    world.people[name] = account
    return account

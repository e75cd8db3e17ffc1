"""What the synthetic county consists of, as plain data: a loader turns it into units, accounts, records and rounds.

Dates are half-open. Units are named by their codes, accounts by their user names, periods by (kind, code).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from jiaoheng.registers.model import Data

PeriodKey = tuple[
    str, str
]  # ("year", "2025"), ("term", "2025-1"): autumn of the school year 2025; ("", "") is standing
STANDING: PeriodKey = ("", "")


@dataclass(frozen=True, slots=True)
class UnitFact:
    """Name and kind of a unit between two days."""

    starts_on: dt.date
    ends_on: dt.date | None
    name: str
    kind: str = ""  # code of school_kind, or of grade for a class
    short_name: str = ""


@dataclass(frozen=True, slots=True)
class UnitParent:
    """Whom a unit stands under between two days."""

    starts_on: dt.date
    ends_on: dt.date | None
    parent: str


@dataclass(frozen=True, slots=True)
class CountyUnit:
    """A node of the tree with its whole dated history; parents come before their children in `County.units`."""

    code: str
    level: str  # county, department, district, school, class
    starts_on: dt.date
    ends_on: dt.date | None
    facts: tuple[UnitFact, ...]
    parents: tuple[UnitParent, ...] = ()
    ownership: str = ""
    locality: str = ""
    township: str = ""

    @property
    def name(self) -> str:
        """The newest name."""
        return self.facts[-1].name

    @property
    def kind(self) -> str:
        """The newest kind."""
        return self.facts[-1].kind

    @property
    def parent(self) -> str:
        """The newest parent's code, empty for the county."""
        return self.parents[-1].parent if self.parents else ""

    def open_on(self, day: dt.date) -> bool:
        """Whether the unit exists on a day."""
        return self.starts_on <= day and (self.ends_on is None or day < self.ends_on)


@dataclass(frozen=True, slots=True)
class UnitEvent:
    """What became of a unit on a day: merge, move, rename, close or open; the ground of 口径变化."""

    kind: str
    happened_on: dt.date
    unit: str
    other: str = ""  # the receiver of a merger
    before: str = ""  # earlier parent, or earlier name
    after: str = ""  # later parent, or later name
    reason: str = ""
    document: str = ""


@dataclass(frozen=True, slots=True)
class CountyMembership:
    """A role at a unit; role keys as in the capability table."""

    role: str
    unit: str
    starts_on: dt.date
    ends_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class CountyAccount:
    """A person who signs in. `demo` names the place on the demonstration's sign-in page, empty for the others."""

    username: str
    name: str
    home: str  # unit code
    memberships: tuple[CountyMembership, ...]
    phone: str = ""
    demo: str = ""
    closed_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one register and period that were written at one moment; `units[i]` owns `rows[i]`.

    `later`: rows are new versions of records that an earlier batch made (same key), whole rows and not differences.
    `optional`: history that a quick demonstration may leave out; batches after it then make the records themselves.
    """

    register: str
    version: int  # of the register's schema
    period: PeriodKey
    at: dt.datetime
    units: list[str]
    rows: list[Data]
    reason: str = ""
    later: bool = False
    optional: bool = False
    door: str = "file"  # how the rows came in: page, file

    def __iter__(self) -> Iterator[tuple[str, Data]]:
        return iter(zip(self.units, self.rows, strict=True))


@dataclass(frozen=True, slots=True)
class StepSeed:
    """One step of a filing: submit, approve, return; by an account, at a level (school, district, county)."""

    kind: str
    level: str
    by: str
    at: dt.datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CommentSeed:
    """A remark of an approver at a cell: `key` are the row's key values (empty for a form)."""

    key: tuple[str, ...]
    field: str
    value: object
    text: str
    by: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class FilingSeed:
    """How far one unit is: empty, draft, district, county, returned, approved. `owed`: rows it should file."""

    unit: str
    state: str
    filled: int
    owed: int
    touched_at: dt.datetime | None = None
    steps: tuple[StepSeed, ...] = ()
    comments: tuple[CommentSeed, ...] = ()
    returned_due_at: dt.datetime | None = None
    extended_to: dt.datetime | None = None
    extension_reason: str = ""
    reminded_at: dt.datetime | None = None

    @property
    def submitted_at(self) -> dt.datetime | None:
        """When the newest content was sent."""
        sent = [step.at for step in self.steps if step.kind == "submit"]
        return sent[-1] if sent else None


@dataclass(frozen=True, slots=True)
class RoundSeed:
    """A collection round in the middle of its work, or an old one that is through."""

    key: str
    register: str
    period: PeriodKey
    title: str
    office: str  # unit code of the department
    opened_by: str
    opens_at: dt.datetime
    due_at: dt.datetime
    reference_date: dt.date
    filings: tuple[FilingSeed, ...]
    note: str = ""
    closed_at: dt.datetime | None = None

    def count(self, state: str) -> int:
        """Number of units in a state."""
        return sum(one.state == state for one in self.filings)

    def late(self, now: dt.datetime) -> list[FilingSeed]:
        """Units that have sent nothing though their time is over."""
        return [
            one for one in self.filings if one.state in ("empty", "draft") and (one.extended_to or self.due_at) <= now
        ]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A typical slip of a school clerk in a form: what was typed, what should stand there, what kind of slip it is."""

    unit: str
    register: str
    period: PeriodKey
    field: str
    typed: str
    right: str
    kind: str  # words, unit, digits, swapped, blank, total, date, choice
    says: str  # one sentence for the guide


@dataclass(frozen=True, slots=True)
class DraftSeed:
    """A form that was begun and not sent: text as typed, by field."""

    unit: str
    register: str
    period: PeriodKey
    by: str
    typed: dict[str, str]
    at: dt.datetime


@dataclass(frozen=True)
class County:
    """The whole county. `now`: the moment at which the demonstration stands."""

    name: str
    seed: int
    now: dt.datetime
    units: list[CountyUnit]
    events: list[UnitEvent]
    accounts: list[CountyAccount]
    batches: list[Batch]
    rounds: list[RoundSeed]
    drafts: list[DraftSeed] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    slips_row: Data = field(default_factory=dict)  # the whole row that the mistakes belong to, as it should be

    @cached_property
    def by_code(self) -> dict[str, CountyUnit]:
        """Unit code → unit."""
        return {one.code: one for one in self.units}

    @cached_property
    def by_name(self) -> dict[str, CountyUnit]:
        """Newest name → unit, for units above the class."""
        return {one.name: one for one in self.units if one.level != "class"}

    @cached_property
    def schools(self) -> list[CountyUnit]:
        """Schools that exist at `now`."""
        return [one for one in self.units if one.level == "school" and one.open_on(self.now.date())]

    @cached_property
    def clerks(self) -> dict[str, str]:
        """School code → user name of the clerk who writes its rows."""
        return {
            member.unit: one.username for one in self.accounts for member in one.memberships if member.role == "clerk"
        }

    def batches_of(self, register: str, period: PeriodKey | None = None) -> list[Batch]:
        """Batches of a register (and period) in order of time."""
        return [one for one in self.batches if one.register == register and period in (None, one.period)]

    def newest(self, register: str, period: PeriodKey, key: tuple[str, ...] = ()) -> dict[tuple[str, ...], Data]:
        """(unit, key values …) → the newest row."""
        found: dict[tuple[str, ...], Data] = {}
        for batch in self.batches_of(register, period):
            for unit, row in batch:
                found[(unit, *(str(row[name]) for name in key))] = row
        return found

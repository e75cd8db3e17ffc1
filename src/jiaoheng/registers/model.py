"""What a register is: fields with types, constraints and codes, and who fills and approves it for which unit and period.

A register is written as a Frictionless Table Schema in YAML (`packs/registers/*.yaml`) with a few more keys; `loading`
reads it into these frozen objects. Nothing here knows the database, so that a notebook or the command line can check a
workbook against a register.

Stored values (JSON) by type:

| type | stored as | example |
|---|---|---|
| string | text | "东镇中心小学" |
| integer | JSON integer | 45 |
| number | canonical decimal text, exact | "95.5" |
| boolean | true / false | |
| date | ISO text | "2025-09-01" |
| datetime | ISO text in UTC | "2025-09-30T15:30:00Z" |
| time | ISO text | "08:20" |
| year, yearmonth | text | "2025", "2025-09" |
| array | list of codes, in the order of the code table | ["01", "03"] |
| file | list of attachment ids | ["8c1f…"] |

A value that is not there is an absent key, never null or "".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any

Value = str | int | bool | list[str]
Data = dict[str, Value]


class FieldType(StrEnum):
    """Types of Table Schema that a register may use; `file` holds photos and documents."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    YEAR = "year"
    YEARMONTH = "yearmonth"
    ARRAY = "array"
    FILE = "file"


class Level(StrEnum):
    """Unit level whose rows the register holds."""

    COUNTY = "county"
    DEPARTMENT = "department"
    DISTRICT = "district"
    SCHOOL = "school"
    CLASS = "class"


class PeriodKind(StrEnum):
    """How often a record is due; NONE is a standing register (a roster that is kept up to date)."""

    NONE = "none"
    YEAR = "year"
    TERM = "term"
    MONTH = "month"
    WEEK = "week"
    DAY = "day"


class Sensitive(StrEnum):
    """Why a column is protected and so how it is masked (standards.md §10)."""

    NONE = ""
    NAME = "name"  # 张*
    ID_NUMBER = "id"  # 990000********0001
    PHONE = "phone"  # 138****0000
    ADDRESS = "address"  # down to the village
    BANK = "bank"
    SPECIAL = "special"  # hardship, disability, mental health: not shown at all


@dataclass(frozen=True, slots=True)
class CodeItem:
    """One choice; `from_`/`until` are half-open. Labels may change at a date: then the same code stands twice."""

    code: str
    label: str
    from_: dt.date | None = None
    until: dt.date | None = None


@dataclass(frozen=True, slots=True)
class CodeTable:
    """A dated list of choices, `packs/codes/NAME.yaml`."""

    name: str
    title: str
    items: tuple[CodeItem, ...]
    source: str = ""

    def valid(self, at: dt.date) -> dict[str, str]:
        """Code → label of the choices that hold on a day, in the table's order."""
        return {
            item.code: item.label
            for item in self.items
            if (item.from_ is None or item.from_ <= at) and (item.until is None or at < item.until)
        }

    def label(self, code: str, at: dt.date) -> str:
        """The label that the code had on that day, else its newest earlier one, else the code itself."""
        best = [item for item in self.items if item.code == code and (item.from_ is None or item.from_ <= at)]
        if not best:
            best = [item for item in self.items if item.code == code][:1]
        return best[-1].label if best else code

    def ended(self, code: str, at: dt.date) -> dt.date | None:
        """The day from which a known code no longer holds, where that day is not after `at`."""
        ends = [item.until for item in self.items if item.code == code]
        if not ends or any(end is None or end > at for end in ends):
            return None
        return max(end for end in ends if end is not None)


@dataclass(frozen=True, slots=True)
class Field:
    """One column. Bounds are inclusive; `decimals` is the most that a number may have."""

    name: str
    type: FieldType
    title: str
    help: str = ""  # why we ask, shown under the label
    unit: str = ""  # of measure: 名, ㎡, %
    required: bool = False
    unique: bool = False  # in the whole register
    once_a_unit: bool = False  # no two records of one unit (and period) have the same value
    minimum: Decimal | dt.date | None = None
    maximum: Decimal | dt.date | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str = ""
    pattern_words: str = ""  # what the pattern means, in Chinese
    decimals: int | None = None
    codes: str = ""  # name of a code table
    check: str = ""  # a named check: id_number, school_code, unit_code, phone, pupil_number …
    sensitive: Sensitive = Sensitive.NONE
    widget: str = ""  # textarea, photo, radio …; empty: by type
    filter: bool = False  # indexed: list filter and sort
    search: bool = False  # found by the search over people and records
    identity: bool = False  # shown as the record's name in lists and titles
    reference: str = ""  # "register.field": the value must exist there
    renamed_from: tuple[str, ...] = ()  # names of earlier schema versions
    carry: bool = False  # last period's value may be taken over
    jump: Decimal | None = None  # relative change against last period above which a sentence is asked (0.2 = 20 %)
    group: str = ""  # heading of the form section
    width: int = 0  # of the Excel column, in characters; 0: by type

    @property
    def slot_type(self) -> bool:
        """Whether the column can be sorted and filtered: no lists, files or sensitive values."""
        return self.type not in (FieldType.ARRAY, FieldType.FILE) and self.sensitive is Sensitive.NONE

    @property
    def is_sealed(self) -> bool:
        """Whether the values lie encrypted."""
        return self.sensitive is not Sensitive.NONE and self.type is not FieldType.FILE


class CheckLevel(StrEnum):
    """What a failed check does."""

    BLOCK = "block"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class RowCheck:
    """A rule between the fields of one row, as an allow-listed expression that must be true: `boys + girls == total`."""

    name: str
    rule: str
    message: str  # Chinese; {field} shows the value
    level: CheckLevel = CheckLevel.BLOCK
    fields: tuple[str, ...] = ()  # where the remark stands; empty: every field of the rule


@dataclass(frozen=True, slots=True)
class FillPlan:
    """Who fills and who approves, lowest step first: role names of `bureau/core/capabilities.py`."""

    filler: str = "clerk"
    approvers: tuple[str, ...] = ("district", "department")


@dataclass(frozen=True)
class Register:
    """One version of a register's schema. `key`: the fields that with unit and period make a record unique.

    An empty key: one record for each unit and period (a form rather than a list).
    """

    name: str
    title: str
    version: int
    effective_from: dt.date
    level: Level
    period: PeriodKind
    fields: tuple[Field, ...]
    key: tuple[str, ...] = ()
    checks: tuple[RowCheck, ...] = ()
    fill: FillPlan = field(default_factory=FillPlan)
    description: str = ""
    source: str = ""
    mechanisms: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()  # fields of earlier versions that are gone on purpose
    department: str = ""  # the office in charge
    retention_years: int | None = None
    tables: Mapping[str, CodeTable] = field(default_factory=dict)

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """Field name → field."""
        return {one.name: one for one in self.fields}

    @cached_property
    def slots(self) -> dict[str, int]:
        """Field name → number of its index slot (0-based), for filterable fields in order; at most SLOTS of them."""
        chosen = [one.name for one in self.fields if one.filter and one.slot_type]
        return {name: number for number, name in enumerate(chosen[:SLOTS])}

    @cached_property
    def sealed_fields(self) -> tuple[Field, ...]:
        """The fields whose values lie encrypted. Ids of files do not: the files have their own door."""
        return tuple(one for one in self.fields if one.is_sealed)

    @cached_property
    def has_sealed_key(self) -> bool:
        """Whether a field of the key lies encrypted."""
        return any(self.by_name[name].is_sealed for name in self.key)

    @cached_property
    def identity_fields(self) -> tuple[Field, ...]:
        """The fields that name a record to a person: those marked, else the key; none where the unit's name is enough."""
        marked = tuple(one for one in self.fields if one.identity)
        return marked or tuple(self.by_name[name] for name in self.key)

    def codes_of(self, one: Field) -> CodeTable | None:
        """The code table of a field, where it has one."""
        return self.tables.get(one.codes) if one.codes else None


SLOTS = 8  # sortable columns a register may index: each costs one index entry a row on import


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing wrong with one value: stable code, sentence with what is there and what is right, what to do."""

    code: str
    field: str  # "" where it is the whole row
    message: str
    remedy: str = ""
    level: CheckLevel = CheckLevel.BLOCK


class SchemaError(Exception):
    """A pack that cannot be loaded: where (file:line), what, what to do; `errors` lists them all."""

    def __init__(self, errors: list[SchemaProblem]) -> None:
        super().__init__("\n".join(str(one) for one in errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class SchemaProblem:
    """One error of a pack: file, 1-based line, sentence, remedy."""

    file: str
    line: int
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.message}" + (f" {self.remedy}" if self.remedy else "")


def as_schema(value: Any) -> Any:
    """JSON form of a decimal or date inside a schema, for hashing and storing; anything else as it is."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    return value

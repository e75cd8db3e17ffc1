"""Two people at one record: what each changed, side by side, and what may be put together (P10)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.refusals import ConflictError
from jiaoheng.bureau.ledgers.changes import carried
from jiaoheng.bureau.ledgers.masking_rules import ABSENT, shown
from jiaoheng.bureau.ledgers.models import Record, RecordVersion
from jiaoheng.registers.model import Data, Register, Value

MINE, THEIRS = "mine", "theirs"


@dataclass(frozen=True, slots=True)
class FieldSides:
    """One field in three columns 原 / 对方 / 我的, as shown texts. `choose`: both changed it, differently."""

    field: str
    title: str
    original: str
    theirs: str
    mine: str
    choose: bool


@dataclass(frozen=True, slots=True)
class Sides:
    """The versions since the one that a person saw, parted into his device's own edits and other people's.

    `original`: content he saw; `newest`: content now; `others`: the newest version by somebody else, None where there is
    none; `superseded`: fields that a later edit of his own device has set already.
    """

    original: Data
    newest: Data
    number: int
    others: RecordVersion | None
    theirs: frozenset[str]
    superseded: frozenset[str]


def sides_of(
    record: Record, schema: Register, base: int, account: Account | None, device_seq: int | None
) -> Sides | None:
    """What happened to a record since version `base`; None where nothing did or the version is unknown."""
    versions = list(RecordVersion.objects.filter(record=record, number__gte=base).order_by("number"))
    if not versions or versions[0].number != base:
        return None
    theirs: set[str] = set()
    superseded: set[str] = set()
    others = None
    before = carried(schema, versions[0].data)
    original = before
    for version in versions[1:]:
        after = carried(schema, version.data)
        touched = changed_fields(before, after)
        own = account is not None and version.author_id == account.pk
        if own and device_seq is not None and version.device_seq is not None:
            if version.device_seq > device_seq:
                superseded |= touched
        else:
            theirs |= touched
            others = version
        before = after
    return Sides(original, before, versions[-1].number, others, frozenset(theirs), frozenset(superseded))


def changed_fields(before: Data, after: Data) -> frozenset[str]:
    """Names whose values differ between two contents."""
    return frozenset(name for name in {*before, *after} if before.get(name) != after.get(name))


def mine_in(sides: Sides, wanted: Data) -> dict[str, Value | None]:
    """What the person changed against what he saw, without what a later edit of his own has settled; None: emptied."""
    changed = changed_fields(sides.original, wanted) - sides.superseded
    return {name: wanted.get(name) for name in changed if sides.newest.get(name) != wanted.get(name)}


def conflict(
    record: Record, schema: Register, sides: Sides, wanted: Data, day: dt.date, *, code: str = "version-moved"
) -> ConflictError:
    """The 409 with three columns; `detail`: record_id, newest number, who, at, rows (texts as shown, masked)."""
    other = sides.others
    who = other.author_name if other is not None else ""
    at = other.valid_from if other is not None else clock.now()
    rows = tuple(_rows(schema, sides, wanted, day))
    choose = [row.title for row in rows if row.choose]
    told = f"{who} 已于 {clock.words(at)} 改过这条记录，现为第 {sides.number} 版，您的改动没有存入"
    told += f"；“{'”“'.join(choose)}”双方都改了，请逐项选定" if choose else "；可以只改我改的"
    return ConflictError(code, told, record_id=record.pk, newest=sides.number, who=who, at=at, rows=rows)


def _rows(schema: Register, sides: Sides, wanted: Data, day: dt.date) -> Sequence[FieldSides]:
    mine = mine_in(sides, wanted)
    found = []
    for one in schema.fields:
        if one.name not in sides.theirs and one.name not in mine:
            continue
        contents: tuple[Mapping[str, Value], ...] = (sides.original, sides.newest, wanted)
        original, theirs, own = [shown(schema, one, data.get(one.name), day) or ABSENT for data in contents]
        choose = must_choose(sides, mine, one.name)
        found.append(FieldSides(one.name, one.title, original, theirs, own, choose))
    return found


def must_choose(sides: Sides, mine: Mapping[str, Value | None], name: str) -> bool:
    """Whether a field was changed by both, to different values."""
    return name in sides.theirs and name in mine

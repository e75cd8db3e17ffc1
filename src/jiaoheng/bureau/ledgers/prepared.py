"""New records made ready by a preview: contents as JSON text, keys and index columns, so that storing them is quick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from jiaoheng.bureau.ledgers.changes import keys_of
from jiaoheng.bureau.ledgers.slots import Keys, slot_columns
from jiaoheng.registers.model import SLOTS, Data, Register


@dataclass(slots=True)
class Prepared:
    """New records side by side. `slots`: the index columns, laid out by the register's version `layout`."""

    layout: int
    units: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    slots: list[Keys] = field(default_factory=lambda: [[] for _ in range(SLOTS)])

    def add(self, more: Prepared) -> None:
        """Append other records of the same layout."""
        self.units += more.units
        self.texts += more.texts
        self.keys += more.keys
        for mine, others in zip(self.slots, more.slots, strict=True):
            mine += others

    def contents(self) -> list[Data]:
        """The contents as they are stored."""
        return [orjson.loads(text) for text in self.texts]


def prepare(schema: Register, units: Sequence[int], contents: Sequence[Data]) -> Prepared:
    """Make new records of a register's newest version ready."""
    texts = [made.decode() for made in map(orjson.dumps, contents)]
    return Prepared(schema.version, list(units), texts, keys_of(schema, contents), slot_columns(schema, contents))


def to_line(one: Prepared) -> bytes:
    """The records as one line of JSON; a column without a value is left out."""
    slots = [None if column.count(None) == len(column) else column for column in one.slots]
    return orjson.dumps(
        {"layout": one.layout, "units": one.units, "keys": one.keys, "slots": slots, "texts": one.texts}
    )


def from_line(line: bytes) -> Prepared:
    """The records of `to_line`."""
    found = orjson.loads(line)
    count = len(found["units"])
    slots: list[Keys] = [[None] * count if column is None else column for column in found["slots"]]
    return Prepared(found["layout"], found["units"], found["texts"], found["keys"], slots)

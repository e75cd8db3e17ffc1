"""New records made ready by a preview: contents as JSON text, keys and index columns, so that storing them is quick.

Protected values are sealed already when they are made ready, so nothing of them has to be encrypted while the base is
locked for writing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from jiaoheng.bureau.core import secrets
from jiaoheng.bureau.core.models.fields import as_content
from jiaoheng.bureau.ledgers import sealing
from jiaoheng.bureau.ledgers.changes import keys_of
from jiaoheng.bureau.ledgers.slots import Keys, slot_columns
from jiaoheng.registers.model import SLOTS, Data, Register
from jiaoheng.registers.sealed import Sealed


@dataclass(slots=True)
class Prepared:
    """New records side by side. `slots`, `hashes`: the index columns, laid out by the register's version `layout`.

    `key_id`: the key that sealed the protected values, "" where there are none.
    """

    layout: int
    units: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    slots: list[Keys] = field(default_factory=lambda: [[] for _ in range(SLOTS)])
    hashes: list[sealing.Hashes] = field(default_factory=lambda: [[] for _ in range(sealing.SLOTS)])
    key_id: str = ""

    def add(self, more: Prepared) -> None:
        """Append other records of the same layout and key."""
        self.units += more.units
        self.texts += more.texts
        self.keys += more.keys
        for slot, others in zip(self.slots, more.slots, strict=True):
            slot += others
        for hashes, added in zip(self.hashes, more.hashes, strict=True):
            hashes += added

    def fits(self, layout: int) -> bool:
        """Whether the records can be stored as they are: laid out so, and sealed with the key that seals now."""
        return self.layout == layout and self.key_id in ("", secrets.newest_key())

    def contents(self) -> list[Data]:
        """The contents with plain values, to be sealed (anew) by who stores them. Errors of opening: KeyMissingError."""
        return [_opened(as_content(orjson.loads(text))) for text in self.texts]


def _opened(content: Data) -> Data:
    return {name: value.open() if type(value) is Sealed else value for name, value in content.items()}


def prepared_line(schema: Register, units: Sequence[int], contents: Sequence[Data]) -> bytes:
    """New records of a register's newest version, made ready, as a line of JSON and below it a line for each content.

    A column without a value is left out.
    """
    sealed = sealing.seal_rows(schema, contents)
    head = {
        "layout": schema.version,
        "units": units,
        "keys": keys_of(schema, sealed),
        "slots": _filled(slot_columns(schema, sealed)),
        "hashes": _filled(sealing.hash_columns(schema, sealed)) if schema.sealed_fields else [],
        "key_id": secrets.newest_key() if schema.sealed_fields else "",
    }
    return b"\n".join((orjson.dumps(head), *sealing.stored_texts(schema, sealed)))


def _filled(columns: Sequence[Keys] | Sequence[sealing.Hashes]) -> list[Keys | sealing.Hashes | None]:
    return [None if column.count(None) == len(column) else column for column in columns]


def from_line(line: bytes) -> Prepared:
    """The records of `prepared_line`."""
    head, _, texts = line.partition(b"\n")
    found = orjson.loads(head)
    nothing: list[None] = [None] * len(found["units"])
    return Prepared(
        found["layout"],
        found["units"],
        # those of an earlier program stand in the head
        texts.decode().split("\n") if texts else found.get("texts", []),
        found["keys"],
        [list(nothing) if column is None else column for column in found["slots"]],
        [list(nothing) if column is None else column for column in found.get("hashes") or [None] * sealing.SLOTS],
        found.get("key_id", ""),
    )

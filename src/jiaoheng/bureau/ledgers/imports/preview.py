"""The stored preview of an import: its head (counts, questions, problems) and the rows that would be written.

The head is one JSON file that pages read; the rows are JSON lines that only the confirmation reads.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

import orjson
from django.conf import settings

from jiaoheng.bureau.core import durable, secrets
from jiaoheng.bureau.ledgers.imports.files import PREVIEWS, below
from jiaoheng.bureau.ledgers.prepared import from_line, prepared_line
from jiaoheng.registers.model import Data, Register
from jiaoheng.sheets.places import Choice, Place, Problem, Question, Severity


@dataclass(slots=True)  # not frozen: there is one a row, and freezing doubles the time of making it
class PlannedRow:
    """A row that would be written. `draft`: required fields it lacks, so that it becomes a draft instead."""

    unit: int
    data: Data
    record: int | None = None
    version: int | None = None
    draft: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownCell:
    """One value that would change, as the page shows it: protected values masked already."""

    place: str
    unit: str
    name: str  # of the record
    title: str  # of the field
    change: str  # 45 → 46


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file of several: how many rows it holds and how many of them are wrong; `refused` where it cannot be read."""

    file: str
    rows: int
    wrong: int
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What the second step of an import shows."""

    counts: dict[str, int]
    sentence: str
    problems: tuple[Problem, ...] = ()
    questions: tuple[Question, ...] = ()  # still without an answer
    notes: tuple[str, ...] = ()
    not_taken: tuple[str, ...] = ()
    cells: tuple[ShownCell, ...] = ()  # at most MOST_CELLS
    missing: tuple[str, ...] = ()  # names of records that the file does not have, at most MOST_CELLS
    files: tuple[FileLine, ...] = ()
    answered: tuple[tuple[tuple[str, ...], str], ...] = ()
    headers: tuple[tuple[str, str, int], ...] = ()  # file, sheet, 1-based header row: for the marked copy
    blocked: str = ""  # why it cannot be confirmed now; "" where it can
    units: tuple[int, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)


MOST_CELLS = 500
_PLACE = "imports/preview"
ROWS, LINE = "rows.sealed", 1_000
_OLD_ROWS = "rows.jsonl"  # of a preview that an earlier program made: sealed lines of text
_SIZE = 4  # bytes before each part of ROWS that say how long it is


def save(preview: Preview, rows: Sequence[PlannedRow], schema: Register | None = None) -> str:
    """Store a preview; returns its folder's name below settings.FILES.

    schema: the register's newest version where the rows are of it: then parts of new rows alone are made ready.
    """
    inside = f"{PREVIEWS}/{token_hex(16)}"
    folder = below(inside, "x").parent
    folder.chmod(0o700)
    with (folder / ROWS).open("wb") as out:  # on the disk before an import names it: a cut-off one would import half
        for start in range(0, len(rows), LINE):
            part = rows[start : start + LINE]
            if schema is not None and all(row.record is None and not row.draft for row in part):
                found = prepared_line(schema, [row.unit for row in part], [row.data for row in part])
            else:
                found = orjson.dumps([(row.unit, row.data, row.record, row.version, row.draft) for row in part])
            block = secrets.seal_block(_PLACE, found)
            out.write(len(block).to_bytes(_SIZE, "big"))
            out.write(block)
    durable.keep(folder / ROWS)
    durable.put(folder / "head.json", secrets.seal_bytes(_PLACE, orjson.dumps(asdict(preview))))
    return inside


def load(inside: str) -> Preview:
    """The head of a stored preview. FileNotFoundError where it is gone."""
    found = orjson.loads(secrets.unseal_bytes(_PLACE, (_folder(inside) / "head.json").read_bytes()))
    return Preview(
        counts=found["counts"],
        sentence=found["sentence"],
        problems=tuple(
            Problem(one["code"], Severity(one["severity"]), Place(**one["place"]), one["message"], one["remedy"])
            for one in found["problems"]
        ),
        questions=tuple(map(_question, found["questions"])),
        notes=tuple(found["notes"]),
        not_taken=tuple(found["not_taken"]),
        cells=tuple(ShownCell(**one) for one in found["cells"]),
        missing=tuple(found["missing"]),
        files=tuple(FileLine(**one) for one in found["files"]),
        answered=tuple((tuple(key), value) for key, value in found["answered"]),
        headers=tuple((file, sheet, row) for file, sheet, row in found["headers"]),
        blocked=found["blocked"],
        units=tuple(found["units"]),
        extra=found["extra"],
    )


def _question(one: dict[str, Any]) -> Question:
    return Question(
        one["code"],
        tuple(one["key"]),
        Place(**one["place"]),
        one["text"],
        tuple(Choice(**choice) for choice in one["choices"]),
        one["default"],
        one["blocking"],
        tuple(Place(**place) for place in one["places"]),
    )


def lines(inside: str) -> Iterator[bytes]:
    """The planned rows, opened: each line holds up to LINE of them, for `rows_of`."""
    folder = _folder(inside)
    if (folder / _OLD_ROWS).is_file():
        with (folder / _OLD_ROWS).open("rb") as old:
            for line in old:
                yield secrets.unseal_bytes(_PLACE, line)
        return
    with (folder / ROWS).open("rb") as found:
        while size := found.read(_SIZE):
            yield secrets.unseal_block(_PLACE, found.read(int.from_bytes(size, "big")))


def is_prepared(line: bytes) -> bool:
    """Whether a line holds new rows that are ready to be stored."""
    return line.startswith(b"{")


def rows_of(line: bytes) -> list[PlannedRow]:
    """The rows of one line."""
    if is_prepared(line):
        ready = from_line(line)
        return [PlannedRow(unit, data) for unit, data in zip(ready.units, ready.contents(), strict=True)]
    return [
        PlannedRow(unit, data, record, version, tuple(draft))
        for unit, data, record, version, draft in orjson.loads(line)
    ]


def planned(inside: str) -> Iterator[PlannedRow]:
    """The rows that a confirmation writes, in the order of the file."""
    for line in lines(inside):
        yield from rows_of(line)


def discard(inside: str) -> None:
    """Remove a stored preview; one that is gone already is no fault."""
    if inside:
        shutil.rmtree(_folder(inside), ignore_errors=True)


def _folder(inside: str) -> Path:
    return Path(settings.FILES) / inside

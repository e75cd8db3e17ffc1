"""What the scores of each subject look like before any setting is resolved: the material for defaults and questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from jiaoheng import packs
from jiaoheng.exams.steps import Milli, smallest_step
from jiaoheng.sheets.places import Place
from jiaoheng.sheets.reading_model import Measure, PupilBlock, Role, ScoreColumn, ScoreState, SheetKind, SheetReading


@dataclass(frozen=True, slots=True)
class SubjectObservation:
    """One subject over all sheets that are used. Scores in thousandths of a mark; max and min None without scores.

    `declared_full`: each full mark that a sheet states with the sheets that state it; more than one is a contradiction.
    """

    name: str
    n: int  # scores that are numbers
    max: int | None
    min: int | None
    step: Fraction  # smallest step that all scores keep to
    declared_full: Mapping[int, tuple[Place, ...]]
    measures: frozenset[Measure]
    places: tuple[Place, ...] = field(default=())  # the columns that hold it
    max_place: Place | None = None  # the cell of the best score


@dataclass(slots=True)
class _Gathering:
    values: list[Milli] = field(default_factory=list)
    measures: set[Measure] = field(default_factory=set)
    places: list[Place] = field(default_factory=list)
    best: tuple[int, Place] | None = None


def subject_values(block: PupilBlock, column: ScoreColumn) -> list[tuple[str, npt.NDArray[np.bool_]]]:
    """The subjects of a score column with a mask of their rows: one in wide sheets, several in long ones."""
    if column.column.subject is not None:
        return [(column.column.subject, np.ones(len(block.rows), np.bool_))]
    names = block.texts.get(Role.SUBJECT)
    if names is None:
        return []
    texts = np.array([name or "" for name in names], dtype=object)
    return [(str(name), texts == name) for name in dict.fromkeys(texts.tolist()) if name]


def subject_names(readings: Sequence[SheetReading]) -> set[str]:
    """All subjects that have a score column, as the sheets name them."""
    return set().union(*(_names(reading) for reading in readings)) if readings else set()


def _names(reading: SheetReading) -> set[str]:
    block = reading.pupils
    if block is None or reading.kind not in (SheetKind.SCORES, SheetKind.ITEMS):
        return set()
    texts = block.texts.get(Role.SUBJECT) or () if block.long else ()
    return {name for name in (*(column.column.subject for column in block.scores), *texts) if name}


def same_subjects(readings: Sequence[SheetReading]) -> dict[str, str]:
    """Subject names that are one subject (外语 in one file, 英语 in another), as name → name that is kept.

    Only names that never stand beside each other in one sheet are joined (packs/subjects.yaml `same_as`).
    """
    together = [_names(reading) for reading in readings]
    present = set().union(*together) if together else set()
    joined = {}
    for name, entry in packs.load("subjects")["subjects"].items():
        other = entry.get("same_as")
        if other in present and name in present and not any({name, other} <= names for names in together):
            joined[name] = other
    return joined


def observe(readings: Sequence[SheetReading]) -> Mapping[str, SubjectObservation]:
    """Per subject of the score sheets: n, max, min, smallest step, declared full marks with places, measures.

    Give only the sheets that are used (see `selection.select`). Item scores are no subject scores and are left out.
    """
    found: dict[str, _Gathering] = {}
    declared: dict[str, dict[int, list[Place]]] = {}
    joined = same_subjects(readings)
    for reading in readings:
        if reading.kind not in (SheetKind.SCORES, SheetKind.ITEMS):
            continue
        for subject, full in reading.declared.full_marks.items():
            place = Place(reading.sheet.file, reading.sheet.name)
            declared.setdefault(joined.get(subject, subject), {}).setdefault(full, []).append(place)
        if reading.pupils is not None:
            _observe_block(reading, reading.pupils, found, joined)
    return {name: _observation(name, parts, declared.get(name, {})) for name, parts in found.items()}


def _observe_block(
    reading: SheetReading, block: PupilBlock, found: dict[str, _Gathering], joined: Mapping[str, str]
) -> None:
    for column in block.scores:
        measure = column.column.measure or Measure.RAW
        if measure in (Measure.ITEM, Measure.MAKE_UP):
            continue
        for subject, mask in subject_values(block, column):
            parts = found.setdefault(joined.get(subject, subject), _Gathering())
            parts.measures.add(measure)
            parts.places.append(Place(reading.sheet.file, reading.sheet.name, 0, column.column.index + 1))
            scored = np.flatnonzero(mask & (column.states == ScoreState.SCORED))
            if not scored.size:
                continue
            values = column.values[scored]
            parts.values.append(values)
            top = int(values.argmax())
            if parts.best is None or int(values[top]) > parts.best[0]:
                row = int(block.rows[scored[top]]) + 1
                place = Place(reading.sheet.file, reading.sheet.name, row, column.column.index + 1)
                parts.best = (int(values[top]), place)


def _observation(name: str, parts: _Gathering, declared: Mapping[int, list[Place]]) -> SubjectObservation:
    values = np.concatenate(parts.values) if parts.values else np.zeros(0, np.int64)
    return SubjectObservation(
        name,
        int(values.size),
        int(values.max()) if values.size else None,
        int(values.min()) if values.size else None,
        smallest_step(values),
        {full: tuple(places) for full, places in declared.items()},
        frozenset(parts.measures),
        tuple(parts.places),
        parts.best[1] if parts.best else None,
    )

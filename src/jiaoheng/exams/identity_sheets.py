"""Pupils known by name alone who stand in two sheets with few pupils in common: probably two people of one name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import polars as pl

from jiaoheng import packs
from jiaoheng.exams.gathering import Gathered, Index
from jiaoheng.sheets.reading_model import ScoreState


@dataclass(frozen=True, slots=True)
class Suspects:
    """One pupil's rows in the sheet that came first and in the other one."""

    person: int
    first: tuple[int, ...]
    second: tuple[int, ...]


def chance_meetings(gathered: Gathered, person: Index, by_name: Sequence[bool]) -> list[Suspects]:
    """Pupils known by name (`by_name[person]`) in two sheets that give the same subject but share few pupils.

    A summary beside its parts, or two exams of one class, share most of their pupils; two classes or schools whose
    sheets do not say which they are share a name only by chance.
    """
    rows = pl.DataFrame(
        {"row": np.arange(person.size), "sheet": gathered.rows["sheet"], "person": person},
        {"row": pl.Int64, "sheet": pl.Int32, "person": pl.Int64},
    ).filter(pl.col("person") >= 0)
    known = np.flatnonzero(np.array(by_name, np.bool_))
    presence = rows.select("sheet", "person").unique()
    sizes = dict(presence.group_by("sheet").len().iter_rows())
    named = presence.filter(pl.col("person").is_in(known.tolist()))
    repeated = named.filter(pl.len().over("person") > 1)
    if repeated.is_empty():
        return []
    pairs = repeated.join(repeated, on="person", suffix="_other").filter(pl.col("sheet") < pl.col("sheet_other"))
    shared = presence.filter(pl.len().over("person") > 1)
    counts = (
        shared.join(shared, on="person", suffix="_other")
        .filter(pl.col("sheet") < pl.col("sheet_other"))
        .group_by("sheet", "sheet_other")
        .len()
    )
    least = Fraction(packs.load("joining")["identity"]["chance_meetings"])
    few = {(a, b) for a, b, n in counts.iter_rows() if Fraction(n, min(sizes[a], sizes[b])) < least}
    suspects = [
        (who, a, b)
        for who, a, b in pairs.select("person", "sheet", "sheet_other").sort("person").iter_rows()
        if (a, b) in few
    ]
    return _with_common_subject(gathered, rows, suspects)


def _with_common_subject(
    gathered: Gathered, rows: pl.DataFrame, suspects: list[tuple[int, int, int]]
) -> list[Suspects]:
    people = {who for who, _, _ in suspects}
    rows_of: dict[tuple[int, int], list[int]] = {}
    for row, sheet, who in rows.filter(pl.col("person").is_in(sorted(people))).iter_rows():
        rows_of.setdefault((who, sheet), []).append(row)
    subjects = _subjects(gathered, {row for group in rows_of.values() for row in group})
    found = []
    for who, a, b in suspects:
        first, second = rows_of[who, a], rows_of[who, b]
        given = [set().union(*(subjects.get(row, set()) for row in group)) for group in (first, second)]
        if given[0] & given[1]:
            found.append(Suspects(who, tuple(first), tuple(second)))
    return found


def _subjects(gathered: Gathered, rows: set[int]) -> Mapping[int, set[int]]:
    """The subjects that each of some rows gives a score or state for."""
    cells = gathered.cells
    which = np.flatnonzero(np.isin(cells.row, np.array(sorted(rows), np.int64)) & (cells.state != ScoreState.MISSING))
    found: dict[int, set[int]] = {}
    for i in which:
        found.setdefault(int(cells.row[i]), set()).add(int(cells.subject[i]))
    return found

"""Rows become pupils and cells become one score a pupil and subject; repeats are dropped, contradictions are errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from jiaoheng.exams.gathering import MEASURES, CellTable, Gathered, Index
from jiaoheng.exams.identity import FIRST, LAST, Identified
from jiaoheng.exams.units import natural_key
from jiaoheng.sheets.reading_model import Measure, ScoreState

_KEPT_TEXTS = ("name", "sex", "district", "school", "class", "grade", "track", "combination", "status", "exam_no")


@dataclass(frozen=True, slots=True)
class Matrix:
    """Scores of one subject and measure for every pupil: thousandths, state, and the cell it came from (−1: none)."""

    values: Index
    states: npt.NDArray[np.uint8]
    cell: Index


@dataclass(frozen=True, slots=True)
class Repeats:
    """Cells that say a score again: positions in `Gathered.cells` of the cell that counts and of the other one."""

    kept: Index
    other: Index
    differs: npt.NDArray[np.bool_]
    settled: npt.NDArray[np.bool_]  # an answer says which row holds


@dataclass(frozen=True, slots=True)
class Joined:
    """All pupils in roster order with their scores.

    `pupils`: one row a pupil; `position[row]` is the pupil of a row of `Gathered.rows` or −1.
    """

    pupils: pl.DataFrame
    position: Index
    scores: Mapping[tuple[int, Measure], Matrix]
    repeats: Repeats


def join(gathered: Gathered, identified: Identified, people: Mapping[str, str]) -> Joined:
    """One row a pupil and one score a subject and measure. `people`: answers that say which of two rows holds."""
    pupils, position = _pupils(gathered, identified, people)
    cells = gathered.cells
    pupil = position[cells.row]
    used = np.flatnonzero((pupil >= 0) & (cells.state != ScoreState.MISSING))
    chosen = _chosen_rows(gathered, position, pupils, people)
    order, starts = _grouped(cells, pupil, used, pupils, people, chosen)
    first = order[starts]
    group = np.cumsum(starts) - 1 if order.size else np.zeros(0, np.int64)
    holder = order[np.flatnonzero(starts)][group] if order.size else order
    again = ~starts
    repeats = _repeats(cells, holder[again], order[again], pupil, pupils, people, chosen)
    scores = {}
    seen = np.unique(cells.subject.astype(np.int64) * len(MEASURES) + cells.measure)
    code = cells.subject[first].astype(np.int64) * len(MEASURES) + cells.measure[first]
    for subject_measure in seen:
        which = first[code == subject_measure]
        matrix = Matrix(
            np.zeros(pupils.height, np.int64),
            np.full(pupils.height, ScoreState.MISSING, np.uint8),
            np.full(pupils.height, -1, np.int64),
        )
        matrix.values[pupil[which]] = np.where(cells.state[which] == ScoreState.SCORED, cells.value[which], 0)
        matrix.states[pupil[which]] = cells.state[which]
        matrix.cell[pupil[which]] = which
        subject, measure = divmod(int(subject_measure), len(MEASURES))
        scores[subject, MEASURES[measure]] = matrix
    _blank_cells(gathered, pupil, scores)
    return Joined(pupils, position, scores, repeats)


def _chosen_rows(
    gathered: Gathered, position: Index, pupils: pl.DataFrame, people: Mapping[str, str]
) -> npt.NDArray[np.bool_]:
    """Rows in the school or class that an answer names for their pupil, who stands in several."""
    chosen = np.zeros(position.size, np.bool_)
    for at, key in enumerate(pupils["key"]):
        if (answer := people.get(key)) is not None and answer not in (FIRST, LAST):
            for row in np.flatnonzero(position == at):
                chosen[row] = answer in (gathered.rows["school"][int(row)], gathered.rows["class"][int(row)])
    return chosen


def _grouped(
    cells: CellTable,
    pupil: Index,
    used: Index,
    pupils: pl.DataFrame,
    people: Mapping[str, str],
    chosen: npt.NDArray[np.bool_],
) -> tuple[Index, npt.NDArray[np.bool_]]:
    """Cells sorted by pupil, subject and measure, and where a new group starts; the first of a group counts."""
    width = len(MEASURES) * (int(cells.subject.max()) + 1 if cells.subject.size else 1)
    key = pupil[used] * width + cells.subject[used].astype(np.int64) * len(MEASURES) + cells.measure[used]
    bad = np.isin(cells.state[used], (ScoreState.UNRESOLVED, ScoreState.INVALID))
    rank = np.arange(used.size, dtype=np.int64)
    last = [i for i, name in enumerate(pupils["key"]) if people.get(name) == LAST] if LAST in people.values() else []
    if last:
        rank = np.where(np.isin(pupil[used], last), -rank, rank)
    order = np.lexsort((rank, ~chosen[cells.row[used]], bad, key))
    sorted_key = key[order]
    starts = np.ones(order.size, np.bool_)
    starts[1:] = sorted_key[1:] != sorted_key[:-1]
    return used[order], starts


def _repeats(
    cells: CellTable,
    kept: Index,
    other: Index,
    pupil: Index,
    pupils: pl.DataFrame,
    people: Mapping[str, str],
    chosen: npt.NDArray[np.bool_],
) -> Repeats:
    bad = np.isin(cells.state[other], (ScoreState.UNRESOLVED, ScoreState.INVALID))
    differs = (cells.state[kept] != cells.state[other]) | (cells.value[kept] != cells.value[other])
    answered = np.array([people.get(key) in (FIRST, LAST) for key in pupils["key"]], np.bool_)
    settled = answered[pupil[other]] if other.size else np.zeros(0, np.bool_)
    settled = settled | (chosen[cells.row[kept]] & ~chosen[cells.row[other]])
    return Repeats(kept, other, differs & ~bad, settled)


def _blank_cells(gathered: Gathered, pupil: Index, scores: Mapping[tuple[int, Measure], Matrix]) -> None:
    """Remember the cell of a blank, so that a message about it can name the place."""
    cells = gathered.cells
    blank = np.flatnonzero((pupil >= 0) & (cells.state == ScoreState.MISSING))
    for (subject, measure), matrix in scores.items():
        which = blank[(cells.subject[blank] == subject) & (cells.measure[blank] == MEASURES.index(measure))]
        free = which[matrix.cell[pupil[which]] < 0]
        matrix.cell[pupil[free]] = free


def _pupils(gathered: Gathered, identified: Identified, people: Mapping[str, str]) -> tuple[pl.DataFrame, Index]:
    rows = gathered.rows.with_row_index("row").with_columns(
        pl.col("row").cast(pl.Int64), pl.Series("person", identified.person)
    )
    table = (
        rows.filter(pl.col("person") >= 0)
        .sort("listed", "row")
        .group_by("person", maintain_order=True)
        .agg(
            *(pl.col(name).drop_nulls().first() for name in _KEPT_TEXTS),
            pl.col("row").first(),
            pl.col("sheet").first(),
            pl.col("line").first(),
            pl.col("listed").all(),
        )
    )
    person = table["person"].to_list()
    keys = [identified.keys[p] for p in person]
    table = table.with_columns(
        pl.Series("key", keys, pl.String),
        pl.Series("pupil_id", [identified.numbers[p] for p in person], pl.String),
        pl.Series("id_kind", [identified.kinds[p] for p in person], pl.String),
    )
    table = _answered_places(rows, table, people)
    classes = sorted({name for name in table["class"].to_list() if name is not None}, key=natural_key)
    order = pl.DataFrame(
        {"class": classes, "class_order": range(len(classes))}, {"class": pl.String, "class_order": pl.Int64}
    )
    table = table.join(order, on="class", how="left", maintain_order="left").sort(
        "school", "class_order", "row", nulls_last=True, maintain_order=True
    )
    position = np.full(len(identified.keys) + 1, -1, np.int64)
    position[table["person"].to_numpy()] = np.arange(table.height)
    return table.drop("class_order"), position[identified.person]


def _answered_places(rows: pl.DataFrame, table: pl.DataFrame, people: Mapping[str, str]) -> pl.DataFrame:
    """Where an answer names the school or class of a pupil who stands in two, that row's school and class hold."""
    answered = [(i, people[key]) for i, key in enumerate(table["key"]) if key in people]
    for i, answer in answered:
        own = rows.filter(pl.col("person") == table["person"][i])
        for column in ("school", "class"):
            chosen = own.filter(pl.col(column) == answer)
            if chosen.height:
                row = chosen.row(0, named=True)
                here = pl.arange(pl.len()) == i
                table = table.with_columns(
                    *(pl.when(here).then(pl.lit(row[c])).otherwise(pl.col(c)).alias(c) for c in ("school", "class"))
                )
                break
    return table

"""Ranks and means as the files state them, compared with the computed ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np
import polars as pl

from jiaoheng.exams.gathering import ColumnCells, Gathered, Index
from jiaoheng.exams.roster_model import SubjectScores
from jiaoheng.methods.numbers import half_up
from jiaoheng.sheets.places import Place, Problem, Severity
from jiaoheng.sheets.reading_model import MILLI, Measure, Role, ScoreState, SheetReading

_SCOPES = {"class": ("school", "class"), "school": ("school",), "grade": ("school",), "all": ()}
_SCOPE_WORDS = {("school", "class"): "班", ("school",): "校", (): "全体"}
_EXAMPLES = 5


def competition_ranks(values: Index, groups: Index) -> Index:
    """Rank 1 2 2 4 of each value within its group, highest first."""
    order = np.lexsort((-values, groups))
    sorted_groups, sorted_values = groups[order], values[order]
    new_group = np.ones(order.size, np.bool_)
    new_group[1:] = sorted_groups[1:] != sorted_groups[:-1]
    new_value = new_group.copy()
    new_value[1:] |= sorted_values[1:] != sorted_values[:-1]
    places = np.arange(order.size, dtype=np.int64)
    start_of_group = np.maximum.accumulate(np.where(new_group, places, 0))
    start_of_value = np.maximum.accumulate(np.where(new_value, places, 0))
    ranks = np.empty(order.size, np.int64)
    ranks[order] = start_of_value - start_of_group + 1
    return ranks


def check_ranks(
    gathered: Gathered,
    position: Index,
    pupils: pl.DataFrame,
    scores: Mapping[str, SubjectScores],
    total: SubjectScores | None,
    file_total: SubjectScores | None = None,
) -> list[Problem]:
    """One entry for each kind of rank column: how many ranks differ and the first of them; nothing where all agree.

    `file_total`: the totals as the files state them, to tell whether ranks follow those.
    """
    columns: dict[tuple[str | None, str | None, tuple[str, ...]], list[ColumnCells]] = {}
    for cells in gathered.declared:
        if cells.column.role is Role.RANK and cells.column.total_of is None:
            key = (cells.column.subject, cells.column.rank_scope, cells.column.header)
            columns.setdefault(key, []).append(cells)
    problems = []
    for (subject, scope, header), same in columns.items():
        own = total if subject is None else scores.get(subject)
        if own is not None:
            problems += _check_column(
                gathered, position, pupils, own, scope, "/".join(header), same, None if subject else file_total
            )
    return problems


def _check_column(
    gathered: Gathered,
    position: Index,
    pupils: pl.DataFrame,
    own: SubjectScores,
    scope: str | None,
    header: str,
    columns: Sequence[ColumnCells],
    file_total: SubjectScores | None,
) -> list[Problem]:
    rows = np.concatenate([cells.rows[cells.states == ScoreState.SCORED] for cells in columns])
    said = np.concatenate([cells.values[cells.states == ScoreState.SCORED] for cells in columns])
    where = np.concatenate([np.full(int((c.states == ScoreState.SCORED).sum()), c.column.index) for c in columns])
    pupil = position[rows]
    good = pupil >= 0
    good[good] = own.states[pupil[good]] == ScoreState.SCORED
    rows, said, where, pupil = rows[good], said[good], where[good], pupil[good]
    if not rows.size:
        return []
    wanted = [_SCOPES[scope]] if scope in _SCOPES else list(_SCOPE_WORDS)
    if scope in ("grade", "school"):
        wanted.append(())
    ranked = {by: _ranks(pupils, own, by) for by in wanted}
    by = max(wanted, key=lambda by: int((ranked[by][pupil] * MILLI == said).sum()))
    ranks = ranked[by][pupil]
    wrong = np.flatnonzero(ranks * MILLI != said)
    if not wrong.size:
        return []
    first = gathered.place(int(rows[wrong[0]]), int(where[wrong[0]]))
    if 2 * wrong.size > rows.size:
        wider = int(said.max()) > MILLI * pupils.height
        reason = "，最大的名次超过了文件中的人数，可能是按更大的范围排的" if wider else ""
        if file_total is not None and _ranks_of_file(pupils, file_total, by, pupil, said):
            reason = "，而与按文件中的总分排的一致"
        message = f"“{header}”中 {rows.size} 个名次有 {wrong.size} 个与按{_SCOPE_WORDS[by]}计算的不同{reason}"
        severity = Severity.NOTE if wider else Severity.WARNING
        return [Problem("rank-unexplained", severity, first, message, "报告采用计算的名次（并列同名次，下一名跳号）")]
    some = "；".join(
        f"{gathered.place(int(rows[i]), int(where[i])).cell} 为 {int(said[i]) // MILLI}，应为 {int(ranks[i])}"
        for i in wrong[:_EXAMPLES]
    )
    message = f"“{header}”中 {rows.size} 个名次有 {wrong.size} 个与按{_SCOPE_WORDS[by]}计算的不同：{some}"
    return [Problem("rank-differs", Severity.WARNING, first, message, "报告采用计算的名次（并列同名次，下一名跳号）")]


def _ranks_of_file(
    pupils: pl.DataFrame, file_total: SubjectScores, by: tuple[str, ...], pupil: Index, said: Index
) -> bool:
    """Whether nearly all stated ranks follow the totals that the files state."""
    agree = int((_ranks(pupils, file_total, by)[pupil] * MILLI == said).sum())
    return 10 * agree >= 9 * said.size


def _ranks(pupils: pl.DataFrame, own: SubjectScores, by: tuple[str, ...]) -> Index:
    """Ranks of all pupils in their scope; 0 for pupils without a score."""
    if by:
        text = pl.concat_str([pl.col(c).fill_null("") for c in by], separator="\x1f")
        groups = pupils.select(text.alias("g"))["g"].rank("dense").cast(pl.Int64).to_numpy()
    else:
        groups = np.zeros(pupils.height, np.int64)
    scored = own.states == ScoreState.SCORED
    ranks = np.zeros(pupils.height, np.int64)
    ranks[scored] = competition_ranks(own.values[scored].astype(np.int64), groups[scored])
    return ranks


def check_means(readings: Sequence[SheetReading]) -> list[Problem]:
    """The means that footers state against those of the sheet's own scores, at the decimals that are printed."""
    problems = []
    for reading in readings:
        block = reading.pupils
        if block is None or block.long or not reading.declared.means:
            continue
        for subject, text in reading.declared.means.items():
            column = next(
                (
                    c
                    for c in block.scores
                    if c.column.subject == subject and c.column.measure in (None, Measure.RAW, Measure.SCALED)
                ),
                None,
            )
            if column is not None:
                scored = column.values[column.states == ScoreState.SCORED]
                place = Place(reading.sheet.file, reading.sheet.name, 0, column.column.index + 1)
                problems += _check_mean(place, subject, text, scored, len(column.values))
    return problems


def _check_mean(place: Place, subject: str, text: str, scored: Index, pupils: int) -> list[Problem]:
    try:
        said = Decimal(text.strip())
    except ArithmeticError:
        return []
    if not scored.size or not said.is_finite():
        return []
    exponent = said.as_tuple().exponent
    digits = min(max(-exponent, 0), 6) if isinstance(exponent, int) else 0
    total = Fraction(int(scored.sum()), MILLI)
    mean = half_up(total / scored.size, digits)
    if mean == said:
        return [Problem("mean-agrees", Severity.NOTE, place, f"表尾的{subject}平均分 {text} 与计算的一致")]
    over_all = half_up(total / pupils, digits)
    why = f"（按全部 {pupils} 人、缺考计零分则为 {over_all}）" if over_all == said else ""
    return [
        Problem(
            "mean-differs",
            Severity.WARNING,
            place,
            f"表尾的{subject}平均分是 {text}，按 {scored.size} 个成绩计算是 {mean}{why}",
            "报告采用计算的平均分，请核对表中的成绩是否改动过",
        )
    ]

"""Item sheets 小题分 and blueprints 双向细目表 become item scores of roster pupils."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from jiaoheng.exams.gathering import ColumnCells, Gathered, Index
from jiaoheng.exams.repeats import listed
from jiaoheng.exams.roster_model import ItemScores
from jiaoheng.exams.steps import plain, plain_fraction, smallest_step
from jiaoheng.sheets.places import Choice, Place, Problem, Question, Severity
from jiaoheng.sheets.reading_model import MILLI, BlueprintItem, ScoreState, SheetKind, SheetReading

_RANGE = re.compile(r"(\d{1,3})[-~—至到](\d{1,3})")


@dataclass(frozen=True, slots=True)
class ItemResult:
    """Item scores per subject, their sums in thousandths (−1: some item lacks a score), and what was found."""

    items: Mapping[str, ItemScores]
    sums: Mapping[str, Index]
    places: Mapping[str, Place]  # the first sheet with items of each subject
    problems: tuple[Problem, ...]
    questions: tuple[Question, ...]


@dataclass(slots=True)
class _Found:
    problems: list[Problem] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)


def join_items(
    gathered: Gathered,
    position: Index,
    pupils: int,
    blueprints: Sequence[SheetReading],
    fulls: Mapping[str, int],
    accepted: Mapping[str, str],
) -> ItemResult:
    """Item scores of every subject that has item sheets.

    `fulls`: full marks of subjects in thousandths. Full marks of items come from the blueprint, else from the sheet's
    full-mark row; where neither says them the highest score of each item is taken and asked.
    """
    found = _Found()
    plans = _blueprints(gathered, blueprints, found)
    columns: dict[str, list[ColumnCells]] = {}
    for cells in gathered.items:
        subject = cells.column.subject or gathered.readings[cells.sheet].declared.subject
        if subject is None and len(plans) == 1:
            subject = next(iter(plans))
        if subject is None:
            place = gathered.sheet_place(cells.sheet)
            message = "这张表是小题分，但看不出学科"
            problem = Problem("items-without-subject", Severity.ERROR, place, message, "请在工作表名或标题中写明学科")
            if problem not in found.problems:
                found.problems.append(problem)
            continue
        columns.setdefault(subject, []).append(cells)
    items, sums, places = {}, {}, {}
    for subject, cells_of in columns.items():
        table = _table(gathered, position, pupils, cells_of, found)
        plan = spread(plans.get(subject, ()), table.names, table.given, _best(table))
        items[subject] = _scores(gathered, subject, table, plan, fulls, accepted, found)
        whole = (table.states == ScoreState.SCORED).all(axis=0)
        places[subject] = table.place
        sums[subject] = np.where(whole, table.values.sum(axis=0), -1)
    for subject in plans.keys() - columns.keys():
        place = _blueprint_place(blueprints, subject)
        message = f"有{subject}的双向细目表，但没有{subject}的小题分"
        found.problems.append(Problem("blueprint-unused", Severity.NOTE, place, message))
    return ItemResult(items, sums, places, tuple(found.problems), tuple(found.questions))


def _blueprint_place(blueprints: Sequence[SheetReading], subject: str) -> Place:
    for reading in blueprints:
        if any((item.subject or reading.declared.subject) == subject for item in reading.blueprint):
            return Place(reading.sheet.file, reading.sheet.name)
    return Place()


def _blueprints(
    gathered: Gathered, readings: Sequence[SheetReading], found: _Found
) -> dict[str, tuple[BlueprintItem, ...]]:
    """Blueprint lines by subject; without a subject word the only subject with items is meant."""
    subjects = {c.column.subject or gathered.readings[c.sheet].declared.subject for c in gathered.items} - {None}
    only = next(iter(subjects)) if len(subjects) == 1 else None
    plans: dict[str, dict[str, BlueprintItem]] = {}
    for reading in readings:
        place = Place(reading.sheet.file, reading.sheet.name)
        for item in reading.blueprint:
            subject = item.subject or reading.declared.subject or only
            if not subject:
                message = "这张表是双向细目表，但看不出学科"
                problem = Problem("blueprint-without-subject", Severity.ERROR, place, message, "请在工作表名中写明学科")
                if problem not in found.problems:
                    found.problems.append(problem)
                continue
            known = plans.setdefault(subject, {}).setdefault(item.item, item)
            if known.full != item.full:
                where = Place(place.file, place.sheet, item.row + 1)
                message = f"{subject}第 {item.item} 题的分值前后不同：{plain(known.full)} 与 {plain(item.full)}"
                found.problems.append(Problem("blueprint-differs", Severity.ERROR, where, message, "请改成一个值"))
    return {subject: tuple(items.values()) for subject, items in plans.items()}


@dataclass(frozen=True, slots=True)
class _Table:
    names: tuple[str, ...]
    values: npt.NDArray[np.int64]  # items × pupils, thousandths
    states: npt.NDArray[np.uint8]
    given: Mapping[str, int]  # full marks that the sheets state
    place: Place
    cells: Mapping[str, tuple[ColumnCells, ...]]


def _table(gathered: Gathered, position: Index, pupils: int, columns: Sequence[ColumnCells], found: _Found) -> _Table:
    names = tuple(dict.fromkeys(cells.column.item or "" for cells in columns))
    index = {name: i for i, name in enumerate(names)}
    values = np.zeros((len(names), pupils), np.int64)
    states = np.full((len(names), pupils), ScoreState.MISSING, np.uint8)
    given: dict[str, int] = {}
    conflicts: list[Problem] = []
    cells_of: dict[str, list[ColumnCells]] = {}
    for cells in columns:
        item = cells.column.item or ""
        cells_of.setdefault(item, []).append(cells)
        full = gathered.readings[cells.sheet].declared.item_full_marks.get(item)
        if full is not None and given.setdefault(item, full) != full:
            place = gathered.sheet_place(cells.sheet)
            message = f"第 {item} 题的满分前后不同：{plain(given[item])} 与 {plain(full)}"
            found.problems.append(Problem("item-full-differs", Severity.ERROR, place, message, "请改成一个值"))
        line = index[item]
        where = np.flatnonzero((position[cells.rows] >= 0) & (cells.states != ScoreState.MISSING))
        pupil = position[cells.rows[where]]
        known = states[line, pupil] != ScoreState.MISSING
        differs = known & ((values[line, pupil] != cells.values[where]) | (states[line, pupil] != cells.states[where]))
        for i in where[differs]:
            place = gathered.place(int(cells.rows[i]), cells.column.index)
            other = plain(int(values[line, position[cells.rows[i]]]))
            message = f"同一学生第 {item} 题的得分前后不同：{other} 与 {plain(int(cells.values[i]))}"
            conflicts.append(Problem("item-differs", Severity.ERROR, place, message, "请在文件中改成一个值"))
        values[line, pupil[~known]] = cells.values[where[~known]]
        states[line, pupil[~known]] = cells.states[where[~known]]
    found.problems += listed(conflicts, "同一学生同一题得分不同")
    values[states != ScoreState.SCORED] = 0
    cells_by_name = {name: tuple(group) for name, group in cells_of.items()}
    return _Table(names, values, states, given, gathered.sheet_place(columns[0].sheet), cells_by_name)


def _best(table: _Table) -> dict[str, int]:
    """The best score of each item in thousandths."""
    return {name: int(table.values[line].max(initial=0)) for line, name in enumerate(table.names)}


def spread(
    plan: tuple[BlueprintItem, ...], names: Sequence[str], given: Mapping[str, int], best: Mapping[str, int]
) -> tuple[BlueprintItem, ...]:
    """A blueprint's line 1-10 as ten items where the score sheet has them one by one.

    Its mark is that of each item or of all together, as the sheet's own full marks (`given`) or best scores show;
    where they leave it open the line stays as it is.
    """
    out: list[BlueprintItem] = []
    for item in plan:
        match = _RANGE.fullmatch(item.item) if item.item not in names else None
        parts = [str(n) for n in range(int(match[1]), int(match[2]) + 1)] if match else []
        if len(parts) < 2 or not set(parts) <= set(names):
            out.append(item)
            continue
        known = [given[part] for part in parts if part in given]
        if len(known) == len(parts) and item.full in (sum(known), *(known if len(set(known)) == 1 else ())):
            out += [replace(item, item=part, full=given[part]) for part in parts]
        elif not known and any(best[part] * len(parts) > item.full for part in parts):
            out += [replace(item, item=part) for part in parts]
        else:
            out.append(item)
    return tuple(out)


def _scores(
    gathered: Gathered,
    subject: str,
    table: _Table,
    plan: tuple[BlueprintItem, ...],
    fulls: Mapping[str, int],
    accepted: Mapping[str, str],
    found: _Found,
) -> ItemScores:
    full = _item_fulls(subject, table, plan, fulls, accepted, found)
    _check_items(gathered, table, full, found)
    whole = fulls.get(subject)
    if whole is not None and sum(full) != whole:
        message = f"{subject}各小题满分之和 {plain(sum(full))} 与全卷满分 {plain(whole)} 不一致"
        found.problems.append(
            Problem("items-sum-full", Severity.WARNING, table.place, message, "请核对双向细目表或全卷满分")
        )
    known = set(table.names)
    extra = [item.item for item in plan if item.item not in known]
    if extra:
        message = f"双向细目表中的第 {'、'.join(extra)} 题没有得分列"
        found.problems.append(
            Problem("blueprint-extra", Severity.WARNING, table.place, message, "请核对题号的写法，每题一行")
        )
    with_scores = np.flatnonzero((table.states == ScoreState.SCORED).any(axis=0))
    step = smallest_step(table.values.ravel(), full)
    unit = int(step * MILLI)
    values = np.where(table.states == ScoreState.SCORED, table.values // unit, -1)[:, with_scores]
    return ItemScores(
        subject,
        table.names,
        tuple(Fraction(mark, MILLI) for mark in full),
        step,
        with_scores,
        np.ascontiguousarray(values.T).astype(np.int32),
        plan,
    )


def _item_fulls(
    subject: str,
    table: _Table,
    plan: tuple[BlueprintItem, ...],
    fulls: Mapping[str, int],
    accepted: Mapping[str, str],
    found: _Found,
) -> list[int]:
    planned = {item.item: item.full for item in plan}
    full: list[int] = []
    guessed: list[str] = []
    for line, name in enumerate(table.names):
        known = planned.get(name, table.given.get(name))
        if known is None:
            guessed.append(name)
            known = int(table.values[line].max()) if table.values.shape[1] else 0
        elif name in planned and table.given.get(name, known) != known:
            message = (
                f"{subject}第 {name} 题的满分在双向细目表中是 {plain(known)}，在小题分表中是 {plain(table.given[name])}"
            )
            found.problems.append(Problem("item-full-differs", Severity.ERROR, table.place, message, "请改成一个值"))
        full.append(known)
    code = f"item-full-{subject}"
    if guessed and code not in accepted and sum(full) != fulls.get(subject):
        text = f"{subject}第 {'、'.join(guessed)} 题没有满分（双向细目表和满分行都没有写），是否取各题的最高得分作满分"
        choices = (Choice("取最高得分", "取各题的最高得分作满分"),)
        found.questions.append(
            Question("item-full", ("accept", code), table.place, text, choices, "取最高得分", True, (table.place,))
        )
    return full


def _check_items(gathered: Gathered, table: _Table, full: Sequence[int], found: _Found) -> None:
    """Item scores above the item's full mark or below zero."""
    problems = []
    for line, name in enumerate(table.names):
        for cells in table.cells[name]:
            scored = cells.states == ScoreState.SCORED
            for i in np.flatnonzero(scored & ((cells.values > full[line]) | (cells.values < 0))):
                value = int(cells.values[i])
                what = f"超过满分 {plain(full[line])}" if value > 0 else "是负数"
                place = gathered.place(int(cells.rows[i]), cells.column.index)
                message = f"第 {name} 题得分 {plain(value)} {what}"
                problems.append(
                    Problem("item-above-full", Severity.ERROR, place, message, "请改正得分，或改正该题的满分")
                )
    found.problems += listed(problems, "小题得分不在满分以内")


def check_sums(
    result: ItemResult,
    values: Mapping[str, Index],
    states: Mapping[str, npt.NDArray[np.uint8]],
    names: Sequence[str | None],
) -> list[Problem]:
    """Where the items of a pupil do not add up to the subject's score: how many pupils, and the first of them."""
    problems = []
    for subject, sums in result.sums.items():
        if subject not in values:
            continue
        wrong = np.flatnonzero((sums >= 0) & (states[subject] == ScoreState.SCORED) & (sums != values[subject]))
        if not wrong.size:
            continue
        some = "；".join(
            f"{names[int(i)] or '（无名）'} 小题和 {plain_fraction(Fraction(int(sums[i]), MILLI))}，"
            f"成绩 {plain_fraction(Fraction(int(values[subject][i]), MILLI))}"
            for i in wrong[:5]
        )
        problems.append(
            Problem(
                "items-sum-differs",
                Severity.WARNING,
                result.places[subject],
                f"{subject}有 {wrong.size} 名学生的小题分之和与成绩不一致：{some}",
                "请核对小题分或成绩；报告的成绩采用成绩列，小题分析采用小题分",
            )
        )
    return problems


def only_blueprints(readings: Sequence[SheetReading]) -> tuple[SheetReading, ...]:
    """The blueprint sheets."""
    return tuple(reading for reading in readings if reading.kind is SheetKind.BLUEPRINT)

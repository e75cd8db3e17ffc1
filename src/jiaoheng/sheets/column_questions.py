"""Columns that the header alone does not settle: doubles of a subject, levels instead of scores, unknown words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from jiaoheng.sheets.answers import IGNORE
from jiaoheng.sheets.cells import text_kind
from jiaoheng.sheets.columns import ColumnPlan
from jiaoheng.sheets.findings import Findings
from jiaoheng.sheets.places import Severity, column_letters
from jiaoheng.sheets.reading_model import Column, Measure, Role, ScoreColumn, ScoreState
from jiaoheng.sheets.sheet_grid import Grid
from jiaoheng.sheets.vocabulary import Vocabulary

_LEVEL_SHARE = 0.8  # of the filled cells that must be levels (A, B, 优) to call the column one of levels
_SCORE_SHARE = 0.6  # of the filled cells that must be numbers in the range of scores to ask about an unknown column
_SCORE_RANGE = 1000


def drop_levels(
    grid: Grid,
    columns: Sequence[Column],
    rows: npt.NDArray[np.int64],
    first: int,
    words: Vocabulary,
    findings: Findings,
    answered: frozenset[int],
) -> tuple[Column, ...]:
    """A column of a subject that holds levels and no numbers is left aside with one message."""
    out = []
    for column in columns:
        cells = grid.column(column.index, first)
        if column.role is Role.SCORE and not cells.numeric and column.index not in answered:
            counts = Counter(cells.cells[row - first] for row in rows.tolist())
            texts = {cell: n for cell, n in counts.items() if isinstance(cell, str) and cell.strip()}
            kinds = {cell: text_kind(cell, words) for cell in texts}
            numbers = sum(n for cell, n in counts.items() if isinstance(cell, (int, float)))
            numbers += sum(n for cell, n in texts.items() if kinds[cell] == "number")
            levels = sum(n for cell, n in texts.items() if kinds[cell] == "level")
            if sum(texts.values()) >= 3 and not numbers and levels >= _LEVEL_SHARE * sum(texts.values()):
                example = next(cell.strip() for cell in texts if kinds[cell] == "level")
                findings.warn(
                    "level-column", f"“{''.join(column.header)}”列是等级（如“{example}”），不是分数，没有读入",
                    "等级不能计算平均分；如有分数，请交分数", column=column.index,
                )  # fmt: skip
                column = replace(column, role=Role.IGNORED)
        out.append(column)
    return tuple(out)


def ask_duplicates(
    findings: Findings, scores: Sequence[ScoreColumn], declared: Sequence[ScoreColumn], answered: frozenset[int]
) -> None:
    """Two columns of one subject and measure: which is raw, which is scaled, or which is not used."""
    groups: dict[tuple[str | None, str | None, str], list[ScoreColumn]] = defaultdict(list)
    for score in scores:
        column = score.column
        measure = Measure.RAW if column.measure is None else column.measure
        groups[column.subject, column.item, measure.value].append(score)
    for (subject, item, _), group in groups.items():
        if len(group) < 2:
            continue
        if item is not None:
            _duplicate_items(findings, subject, item, group)
            continue
        names = "、".join(
            f"{column_letters(s.column.index + 1)} 列“{' / '.join(s.column.header)}”" for s in group
        )  # fmt: skip
        same = all(_same(group[0], other) for other in group[1:])
        evidence = "两列逐行相同。" if same else _total_evidence(group, scores, declared)
        places = [findings.grid.place(column=s.column.index) for s in group]
        for at, score in enumerate(group):
            if score.column.index in answered and score.column.measure is not None:
                continue
            default = None if not same else ("原始分" if at == 0 else IGNORE)
            place = findings.grid.place(column=score.column.index)
            others = [other for other in places if other != place]
            text = f"{subject or '成绩'}有 {len(group)} 列：{names}。{evidence}{place.cell}是原始分、赋分，还是不用？"
            choices = (("原始分", "原始分（卷面分）"), ("赋分", "等级赋分"), (IGNORE, "不用这一列"))
            findings.ask(
                "duplicate-subject", ("columns", place.key), text,
                places=[place, *others], choices=choices, default=default,
            )  # fmt: skip


def _duplicate_items(findings: Findings, subject: str | None, item: str, group: Sequence[ScoreColumn]) -> None:
    letters = "、".join(column_letters(score.column.index + 1) for score in group)
    findings.error(
        "duplicate-item", f"{subject or ''}第 {item} 题有 {len(group)} 列（{letters} 列）",
        "请把题号改成不同的小题号，如 12(1)、12(2)", column=group[1].column.index,
    )  # fmt: skip


def _same(one: ScoreColumn, other: ScoreColumn) -> bool:
    return bool(np.array_equal(one.values, other.values) and np.array_equal(one.states, other.states))


def _total_evidence(
    group: Sequence[ScoreColumn], scores: Sequence[ScoreColumn], declared: Sequence[ScoreColumn]
) -> str:
    """Which of the columns the declared total is made of, if the other subjects leave no doubt."""
    total = next((d for d in declared if d.column.role is Role.TOTAL and d.column.total_of is None), None)
    if total is None or total.column.subject is not None:
        return ""
    mine = {id(score) for score in group}
    others = [s for s in scores if id(s) not in mine and s.column.measure not in (Measure.MAKE_UP, Measure.ITEM)]
    if len({s.column.subject for s in others}) != len(others):
        return ""
    rest = sum((s.values for s in others), np.zeros(len(total.values), dtype=np.int64))
    stated = total.states == ScoreState.SCORED
    fitting = []
    for score in group:
        rows = stated & (score.states == ScoreState.SCORED)
        if rows.any() and (rest[rows] + score.values[rows] == total.values[rows]).mean() >= 0.9:
            fitting.append(score)
    if len(fitting) != 1:
        return ""
    return f"总分列里加的是 {column_letters(fitting[0].column.index + 1)} 列。"


def note_unknown(
    grid: Grid,
    columns: Sequence[Column],
    plan: ColumnPlan,
    rows: npt.NDArray[np.int64],
    first: int,
    findings: Findings,
) -> None:
    """Columns whose header is no known word: listed; asked about where they look like scores."""
    for column in columns:
        name = " / ".join(column.header).replace("\n", "")
        if column.index in plan.beside:
            findings.joined("side-table", Severity.NOTE, "名单右侧另有一个小表，没有读入", column=column.index)
            continue
        if column.index in plan.aggregates:
            findings.note("aggregate-column", f"“{name}”列是统计数，没有读入", column=column.index)
            continue
        if column.index not in plan.unknown:
            continue
        if not _like_scores(grid, column, rows, first):
            findings.note(
                "ignored-column", f"“{name}”列不是已知的表头，没有读入",
                "如需要，请在考试设置的 columns 中说明", column=column.index,
            )  # fmt: skip
            continue
        place = grid.place(column=column.index)
        choices = (
            (IGNORE, "不用这一列"), (name, f"作为学科“{name}”的成绩"), ("总分", "是总分"), ("名次", "是名次"),
        )  # fmt: skip
        findings.ask(
            "unknown-column", ("columns", place.key),
            f"“{name}”列不是已知的表头，内容像成绩。它是什么？可以写学科名",
            places=[place], choices=choices, default=IGNORE,
        )  # fmt: skip


def _like_scores(grid: Grid, column: Column, rows: npt.NDArray[np.int64], first: int) -> bool:
    cells = grid.column(column.index, first)
    numbers = cells.numbers[rows - first]
    if not cells.numeric:
        texts = [cells.cells[row - first] for row in rows.tolist()]
        numbers = np.array([_as_number(cell) for cell in texts], dtype=np.float64)
    filled = int(cells.filled[rows - first].sum())
    good = numbers[~np.isnan(numbers)]
    good = good[(good >= 0) & (good <= _SCORE_RANGE)]
    if filled < max(1, 0.3 * len(rows)) or len(good) < _SCORE_SHARE * filled:
        return False
    counting = len(good) > 2 and bool(np.all(np.diff(good) == 1))
    return not counting and (len(good) < 3 or len(np.unique(good)) > 2)


def _as_number(cell: object) -> float:
    if isinstance(cell, (int, float)):
        return float(cell)
    try:
        return float(str(cell)) if cell is not None else float("nan")
    except ValueError:
        return float("nan")

"""From the header's words to columns: role, subject, measure; doubles and unknown columns are asked about."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace

import numpy as np

from jiaoheng.sheets.answers import Answers
from jiaoheng.sheets.header_words import HeaderWord, answered_word
from jiaoheng.sheets.headers import Header
from jiaoheng.sheets.reading_model import Column, Measure, Role
from jiaoheng.sheets.sheet_grid import Grid
from jiaoheng.sheets.text import cell_text
from jiaoheng.sheets.vocabulary import Vocabulary

IDENTITY = (Role.NAME, Role.PUPIL_ID, Role.EXAM_NO, Role.ID_CARD)
# of two columns with one of these roles the first of the list of words is used, the others are left aside
_SINGLE = (
    Role.SERIAL, Role.PUPIL_ID, Role.EXAM_NO, Role.ID_CARD, Role.NAME, Role.SEX, Role.DISTRICT, Role.SCHOOL,
    Role.GRADE, Role.CLASS, Role.TRACK, Role.COMBINATION, Role.STATUS, Role.SUBJECT, Role.EXAM, Role.REMARK,
    Role.ITEM_NO, Role.ITEM_FULL, Role.ITEM_TYPE, Role.ABILITY,
)  # fmt: skip
_PREFERRED = ("学籍号", "全国学籍号", "学校名称", "学校", "班级", "行政班")


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """The columns of a sheet with what their header declared, and which of them nobody could name."""

    columns: tuple[Column, ...]
    full_marks: dict[int, int] = field(default_factory=dict)  # column → thousandths, from 数学(150分)
    aggregates: tuple[int, ...] = ()  # columns of figures of groups
    unknown: tuple[int, ...] = ()
    answered: frozenset[int] = frozenset()  # columns that the settings declare
    blocks: tuple[tuple[int, int], ...] = ()  # first and last column of tables that stand side by side
    beside: tuple[int, ...] = ()  # columns of a side table without pupils


def plan_columns(grid: Grid, header: Header, words: Vocabulary, answers: Answers) -> ColumnPlan:
    """One Column for each header stack; nothing is read from the rows but whether a column is numeric."""
    columns: list[Column] = []
    full_marks: dict[int, int] = {}
    aggregates, answered = [], set()
    for index in range(grid.width):
        stack = list(header.stacks[index]) if index < len(header.stacks) else []
        answer = answers.columns.get(grid.place(column=index).key)
        texts = header.texts[index] if index < len(header.texts) else ()
        if answer is not None:
            own = answered_word("", answer, words)
            stack = [replace(own, subject=own.subject or _subject_of(stack))] if own.role is Role.SCORE else [own]
            answered.add(index)
        if not stack:
            continue
        columns.append(_column(index, texts, stack, words))
        full = next((word.full for word in reversed(stack) if word.full is not None), None)
        if full is not None:
            full_marks[index] = full
        if any(word.aggregate for word in stack) and columns[-1].role is Role.UNKNOWN:
            aggregates.append(index)
    columns = _items(_subtotals(columns, header, words), header, answered)
    blocks, beside = _side_by_side(columns, grid, header)
    columns = [replace(column, role=Role.IGNORED) if column.index in beside else column for column in columns]
    columns = _running_numbers(_ambiguous_ranks(columns, grid, header, words), grid, header, words)
    if len(blocks) < 2:
        columns = _single_roles(columns, answered)
    unknown = tuple(
        column.index for column in columns if column.role is Role.UNKNOWN and column.index not in aggregates
    )
    return ColumnPlan(
        tuple(columns), full_marks, tuple(aggregates), unknown, frozenset(answered), tuple(blocks), tuple(beside)
    )


def _subject_of(stack: list[HeaderWord]) -> str | None:
    return next((word.subject for word in reversed(stack) if word.subject), None)


def _column(index: int, texts: tuple[str, ...], stack: list[HeaderWord], words: Vocabulary) -> Column:
    """Join the levels: the lowest known word gives the role, any level the subject."""
    subject = _subject_of(stack)
    lowest = next((word for word in reversed(stack) if word.role is not Role.UNKNOWN), None)
    if lowest is None or any(word.aggregate for word in stack):
        return Column(index, texts, Role.UNKNOWN, subject=subject)
    if any(word.role is Role.IGNORED for word in stack):
        return Column(index, texts, Role.IGNORED, subject=subject)
    upper = stack[: stack.index(lowest)]
    total = next((word for word in upper if word.role is Role.TOTAL), None)
    if total is not None and subject is None and lowest.role is Role.SCORE:
        return Column(index, texts, Role.TOTAL, total_of=total.total_of)
    if lowest.role is Role.RANK:
        total_of = next((word.total_of for word in stack if word.total_of), None)
        scope = next((word.rank_scope for word in reversed(stack) if word.rank_scope), None)
        return Column(index, texts, Role.RANK, subject=subject, rank_scope=scope, total_of=total_of)
    if lowest.role is Role.TOTAL and subject is not None:
        # 语文 over 总分: this subject's own total
        has_items = any(word.measure is Measure.ITEM for word in upper)
        return Column(index, texts, Role.SCORE, subject=subject, measure=None if has_items else Measure.RAW)
    measure = next((word.measure for word in reversed(stack) if word.measure), None)
    item = lowest.item
    if item is not None and lowest.bare and item in words.measures and upper and upper[-1].subject == subject:
        # 卷面 is the neatness of a paper among its items, and right under 语文 the score of the paper
        kind = words.measures[item]
        return Column(index, texts, Role.SCORE, subject, Measure(kind))
    if item is not None:
        group = next((word.item for word in reversed(upper) if word.item), None)
        if group and not item.startswith(group):
            # 一 over 1 is written 一(1) in blueprints, 选择题 over 1 is 选择题1
            item = f"{group}({item})" if len(group) <= 2 and item.isdigit() else f"{group}{item}"
    kept = subject if lowest.role in (Role.SCORE, Role.RANK) else None
    return Column(
        index, texts, lowest.role, kept, measure if lowest.role is Role.SCORE else None, item, total_of=lowest.total_of
    )


def _subtotals(columns: list[Column], header: Header, words: Vocabulary) -> list[Column]:
    """客观题, 小计 beside numbered items are sums of them and no items."""
    items = [column for column in columns if column.measure is Measure.ITEM]
    sums = [
        c.index for c in items if header.stacks[c.index] and header.stacks[c.index][-1].text in words.item_subtotals
    ]
    if len(items) - len(sums) < 2:
        return columns
    return [
        replace(column, role=Role.TOTAL, measure=None, item=None, total_of=column.item)
        if column.index in sums
        else column
        for column in columns
    ]


def _items(columns: list[Column], header: Header, answered: set[int]) -> list[Column]:
    """Bare numbers and words like 选择题 are items only where there are several; else their headers are unknown.

    An item keeps its group's word only where the numbers begin again in each group.
    """
    items = [column for column in columns if column.measure is Measure.ITEM]
    sure = [column for column in items if not _bare(column, header)]
    if len(items) < 2 or (not sure and len(items) < 3 and not _numbers_from_one(items)):
        return [
            replace(column, role=Role.UNKNOWN, measure=None, item=None)
            if column in items and column.index not in answered
            else column
            for column in columns
        ]
    plain = {column.index: header.stacks[column.index][-1].item or "" for column in items}
    seen = Counter((column.subject, plain[column.index]) for column in items)
    out = []
    for column in columns:
        if column.measure is Measure.ITEM and seen[column.subject, plain[column.index]] == 1:
            out.append(replace(column, item=plain[column.index] or column.item))
        else:
            out.append(column)
    return out


def _bare(column: Column, header: Header) -> bool:
    stack = header.stacks[column.index]
    return bool(stack) and stack[-1].bare


def _numbers_from_one(items: list[Column]) -> bool:
    return [column.item for column in items][:2] == ["1", "2"]


def _ambiguous_ranks(columns: list[Column], grid: Grid, header: Header, words: Vocabulary) -> list[Column]:
    """班次, 校名: a rank where another column has the role already or where the cells are large numbers."""
    taken = Counter(column.role for column in columns)
    out = []
    for column in columns:
        word = header.stacks[column.index][-1].text if header.stacks[column.index] else ""
        scope = words.also_rank.get(word.strip("*!:"))
        if (
            scope
            and column.role in (Role.CLASS, Role.SCHOOL)
            and (taken[column.role] > 1 or (column.role is Role.SCHOOL and _numeric(grid, header, column.index)))
        ):
            column = replace(column, role=Role.RANK, rank_scope=scope)
        out.append(column)
    return out


def _running_numbers(columns: list[Column], grid: Grid, header: Header, words: Vocabulary) -> list[Column]:
    """编号 that counts 1, 2, 3 tells nobody apart outside its sheet: a running number and no id."""
    out = []
    for column in columns:
        stack = header.stacks[column.index]
        word = stack[-1].text.strip("*!:") if stack else ""
        if column.role is Role.EXAM_NO and word in words.also_serial:
            cells = grid.column(column.index, header.first_data_row).cells
            numbers = [int(text) for cell in cells[:200] if (text := cell_text(cell)) and text.isdecimal()]
            counting = numbers[:3] == [1, 2, 3][: len(numbers[:3])]
            column = replace(column, role=Role.SERIAL) if counting else column
        out.append(column)
    return out


def _numeric(grid: Grid, header: Header, index: int) -> bool:
    cells = grid.column(index, header.first_data_row)
    count = int(cells.filled.sum())
    return count > 0 and int((~np.isnan(cells.numbers)).sum()) >= 0.8 * count


def _single_roles(columns: list[Column], answered: set[int]) -> list[Column]:
    """Where a role occurs twice, the declared or the preferred column is used and the rest is left aside."""
    by_role: dict[Role, list[Column]] = defaultdict(list)
    for column in columns:
        if column.role in _SINGLE:
            by_role[column.role].append(column)
    dropped: set[int] = set()
    for group in by_role.values():
        if len(group) > 1:
            best = min(group, key=lambda column: (column.index not in answered, _preference(column), column.index))
            dropped |= {column.index for column in group if column is not best}
    return [replace(column, role=Role.IGNORED) if column.index in dropped else column for column in columns]


def _preference(column: Column) -> int:
    name = column.header[-1] if column.header else ""
    return next((rank for rank, word in enumerate(_PREFERRED) if word in name), len(_PREFERRED))


def _side_by_side(columns: list[Column], grid: Grid, header: Header) -> tuple[list[tuple[int, int]], tuple[int, ...]]:
    """Tables beside each other: several lists of pupils, or one list and a small table of figures at its side."""
    named = [column for column in columns if column.role is Role.NAME]
    names = [column.index for column in named if column.header[-1:] == named[0].header[-1:]]
    present = {column.index for column in columns}
    groups: list[list[int]] = []
    for index in range(grid.width):
        if index not in present and not grid.column(index, header.first_data_row).filled.any():
            groups.append([])
        elif index in present:
            if not groups:
                groups.append([])
            groups[-1].append(index)
    groups = [group for group in groups if group]
    if len(names) > 1:
        return _pupil_blocks(columns, names), ()
    roles = {column.index: column.role for column in columns}
    main = [group for group in groups if any(roles[index] in IDENTITY for index in group)]
    if len(main) != 1 or len(groups) < 2:
        return [], ()
    rows = grid.column(next(i for i in main[0] if roles[i] in IDENTITY), header.first_data_row).filled
    beside: list[int] = []
    for group in groups:
        if group is main[0] or group[0] < main[0][0]:
            continue
        filled = np.zeros(len(rows), dtype=bool)
        for index in group:
            filled |= grid.column(index, header.first_data_row).filled
        # a small table has its own few rows; more columns of the list fill nearly every pupil's row
        if rows.any() and (filled & rows).sum() < 0.5 * rows.sum():
            beside += group
    return [], tuple(beside)


def _pupil_blocks(columns: list[Column], names: list[int]) -> list[tuple[int, int]]:
    """First and last column of each list: a list begins where the roles of the first one begin again."""
    used = [column for column in columns if column.role is not Role.UNKNOWN]
    start_role = used[0].role
    starts = [column.index for column in used if column.role is start_role]
    if len(starts) != len(names):
        starts = names
    starts[0] = used[0].index
    ends = [start - 1 for start in starts[1:]] + [used[-1].index]
    return list(zip(starts, ends, strict=True))

"""A column of scores for the pupils' rows: whole columns of numbers at once, odd cells one by one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from jiaoheng.sheets.answers import Answers
from jiaoheng.sheets.cells import WRONG, Oddity, ScoreCell, read_number, read_score, score_mark
from jiaoheng.sheets.findings import Findings
from jiaoheng.sheets.places import Severity
from jiaoheng.sheets.reading_model import MILLI, Column, Measure, ScoreColumn, ScoreState
from jiaoheng.sheets.sheet_grid import ColumnCells, Grid
from jiaoheng.sheets.text import number_text, shown
from jiaoheng.sheets.vocabulary import Vocabulary
from jiaoheng.sheets.workbook import Cell

ROUND_DECIMALS, WRONG_DECIMALS = "四舍五入", "报错"  # settings accept › too-many-decimals
CORE = "必考"  # answers under 必考|/ hold for subjects that every pupil takes
_PLAIN_NUMBER = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,2})?")
_MENDED = {
    Oddity.FOLDED: "全角数字按半角读入",
    Oddity.UNIT: "带“分”字的成绩按数字读入",
    Oddity.QUOTE: "成绩前的单引号已去掉",
    Oddity.THOUSANDS: "带千分位逗号的数按数字读入",
    Oddity.ZERO: "写着零分或白卷的，成绩读作 0 分",
    Oddity.EXPONENT: "科学计数法的数按数字读入",
}


@dataclass(slots=True)
class MarkPlaces:
    """Marks that the settings do not explain: mark → (row, column, subject) of each cell."""

    marks: dict[str, list[tuple[int, int, str | None]]] = field(default_factory=dict)
    pairs: list[tuple[int, int, str]] = field(default_factory=list)
    rounded: list[tuple[int, int, str]] = field(default_factory=list)  # more decimals than are kept

    def add(self, mark: str, row: int, column: int, subject: str | None) -> None:
        """Remember one cell."""
        self.marks.setdefault(mark, []).append((row, column, subject))


@dataclass(frozen=True, slots=True)
class ScoreReader:
    """What the reading of score cells needs: the sheet, its words, the answers, and where findings go."""

    grid: Grid
    words: Vocabulary
    answers: Answers
    findings: Findings
    marks: MarkPlaces
    first: int  # row under the header
    merged: Mapping[tuple[int, int], tuple[int, int]]  # covered cell of a merge → its anchor
    answered: dict[str | None, dict[str, str]] = field(default_factory=dict)

    def marks_of(self, subject: str | None) -> dict[str, str]:
        """Answered marks for a subject: 语文|/ goes before 必考|/ goes before /."""
        if subject not in self.answered:
            out: dict[str, str] = {}
            scopes = ("", f"{CORE}|" if subject not in self.words.electives else None, f"{subject}|")
            for scope in scopes:
                for key, value in self.answers.marks.items():
                    if scope is not None and (key.startswith(scope) if scope else "|" not in key.strip("|")):
                        out[score_mark(key.removeprefix(scope), self.words)] = value
            self.answered[subject] = out
        return self.answered[subject]


def read_scores(
    reader: ScoreReader,
    column: Column,
    rows: npt.NDArray[np.int64],
    fulls: Mapping[str | None, int],
    subjects: Sequence[str | None] | None = None,
) -> ScoreColumn:
    """Scores of the pupils' rows. `subjects`: of each row in a long layout; `fulls`: subject (or None) → full mark."""
    cells = reader.grid.column(column.index, reader.first)
    offsets = rows - reader.first
    values, states, slow = _numbers(cells, offsets)
    make_up: dict[int, int] = {}
    marks: dict[int, str] = {}
    memo: dict[tuple[object, str | None], ScoreCell] = {}
    for position in np.flatnonzero(slow):
        at, row = int(position), int(rows[position])
        subject = subjects[at] if subjects is not None else column.subject
        cell = cells.cells[row - reader.first]
        key = (cell, subject) if isinstance(cell, str) else (None, None)
        found = memo.get(key) if key[0] is not None else None
        if found is None:
            found = _read(reader, cell, subject, fulls)
            if key[0] is not None:
                memo[key] = found
        if Oddity.ROUNDED in found.oddities and reader.answers.accept.get(Oddity.ROUNDED.value) == WRONG_DECIMALS:
            found = ScoreCell(ScoreState.INVALID, oddities=found.oddities)
        values[at], states[at] = found.value, int(found.state)
        if found.make_up is not None:
            make_up[at] = found.make_up
        if (
            isinstance(cell, str)
            and found.state is not ScoreState.MISSING
            and (found.oddities or found.state is not ScoreState.SCORED)
        ):
            marks[at] = cell
        if found.oddities:
            _report(reader, found, row, column, subject, cell)
    _sheet_errors(reader, column, rows, values, states)
    _merged(reader, column, rows, values, states, marks)
    _above_full(reader, column, rows, values, states, fulls, subjects)
    return ScoreColumn(column, values, states, make_up, marks)


def _numbers(
    cells: ColumnCells, offsets: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Plain numbers of at most two decimals at once; True where a cell needs a look of its own."""
    numbers = (cells.numbers if cells.numeric else _with_plain_texts(cells))[offsets]
    filled = cells.filled[offsets]
    plain = ~np.isnan(numbers)
    scaled = np.where(plain, numbers, 0.0) * MILLI
    with np.errstate(invalid="ignore"):
        whole = np.rint(scaled)
        exact = np.abs(scaled - whole) <= 1e-7 * np.maximum(1.0, np.abs(scaled) * 1e-3)
        usual = plain & exact & (whole >= 0) & (whole <= 1e7) & (np.rint(whole / 10) * 10 == whole)
    values = np.where(usual, whole, 0.0).astype(np.int64)
    states = np.where(usual, ScoreState.SCORED, ScoreState.MISSING).astype(np.uint8)
    return values, states, filled & ~usual


def _with_plain_texts(cells: ColumnCells) -> npt.NDArray[np.float64]:
    """Numbers of a column that holds text, with texts like 85 and 92.5 read too (csv files hold nothing else)."""
    texts = {cell for cell in cells.cells if type(cell) is str}
    known: dict[Cell, float] = {text: float(text) for text in texts if _PLAIN_NUMBER.fullmatch(text)}
    if not known:
        return cells.numbers
    read = np.array([known.get(cell) if type(cell) is str else None for cell in cells.cells], dtype=np.float64)
    return np.where(np.isnan(read), cells.numbers, read)


def _read(reader: ScoreReader, cell: Cell, subject: str | None, fulls: Mapping[str | None, int]) -> ScoreCell:
    if type(cell) is float or type(cell) is int:
        return read_number(cell)
    return read_score(cell, reader.words, reader.marks_of(subject), fulls.get(subject))


def _name(column: Column, subject: str | None) -> str:
    if column.item is not None:
        return f"第 {column.item} 题得分"
    return f"{subject}成绩" if subject else "成绩"


def _report(reader: ScoreReader, found: ScoreCell, row: int, column: Column, subject: str | None, cell: Cell) -> None:
    """Put one odd cell into the findings."""
    what, text = _name(column, subject), shown(cell)
    findings, index = reader.findings, column.index
    for oddity in found.oddities:
        if oddity in WRONG:
            message, remedy = _wrong_words(oddity, what, text)
            findings.error(oddity.value, message, remedy, row=row, column=index)
        elif oddity is Oddity.MARK and found.mark is not None:
            reader.marks.add(found.mark, row, index, subject)
        elif oddity is Oddity.PAIR:
            reader.marks.pairs.append((row, index, text))
        elif oddity is Oddity.MAKE_UP and found.make_up is not None:
            told = f"{what}“{text}”读作原始 {_marks(found.value)} 分、补考 {_marks(found.make_up)} 分，统计用原始成绩"
            findings.note(oddity.value, told, "如不是补考，请改为一个数", row=row, column=index)
        elif oddity is Oddity.DECIMALS:
            message = f"{what}有三位小数，已按原数读入"
            findings.joined(oddity.value, Severity.WARNING, message, "请核对是否误录", row=row, column=index)
        elif oddity is Oddity.ROUNDED:
            _report_rounded(reader, what, row, index, text)
        else:
            findings.joined(oddity.value, Severity.NOTE, _MENDED[oddity], row=row, column=index)


def _report_rounded(reader: ScoreReader, what: str, row: int, column: int, text: str) -> None:
    """More than three decimals: asked once for all sheets; the answer is 四舍五入 or 报错."""
    answer = reader.answers.accept.get(Oddity.ROUNDED.value)
    if answer == WRONG_DECIMALS:
        message = f"{what} {text} 超过三位小数"
        reader.findings.error(Oddity.ROUNDED.value, message, "请改成最多三位小数的分数", row=row, column=column)
    elif answer is None:
        reader.marks.rounded.append((row, column, text))
    else:
        message = f"{what}超过三位小数，已四舍五入到三位小数"
        reader.findings.joined(
            Oddity.ROUNDED.value, Severity.WARNING, message, "请核对是否误录", row=row, column=column
        )


def _marks(milli: int) -> str:
    return number_text(milli / MILLI)


def _wrong_words(oddity: Oddity, what: str, text: str) -> tuple[str, str]:
    if oddity is Oddity.NEGATIVE:
        return f"{what} {text} 是负数", "成绩不能小于 0，请改正"
    if oddity is Oddity.DATE:
        return (
            f"{what}是日期“{text.removesuffix(' 00:00:00')}”，不是分数；在 Excel 中输入 3/5 会自动变成日期",
            "请把单元格设为文本格式后重新录入成绩",
        )
    if oddity is Oddity.TRUTH:
        return f"{what}是逻辑值 {text}，不是分数", "请改为数字"
    if oddity is Oddity.ERROR:
        return f"{what}是错误值 {text}", "请改正公式或直接填写分数"
    if oddity is Oddity.TOO_LARGE:
        return f"{what} {text} 过大，不像分数", "请核对是否录错了列"
    return (
        f"{what}“{text}”不是数字，也不是已知的状态（如缺考、免考）",
        "请改为数字，或在考试设置的 marks 中说明它的意思",
    )


def _sheet_errors(
    reader: ScoreReader,
    column: Column,
    rows: npt.NDArray[np.int64],
    values: npt.NDArray[np.int64],
    states: npt.NDArray[np.uint8],
) -> None:
    """Error cells (#REF!) and formulas that were never calculated: their cells look blank and are not."""
    sheet, corrected = reader.grid.sheet, reader.grid.corrected
    bad = {place: f"是错误值 {text}" for place, text in sheet.error_cells.items() if place[1] == column.index}
    uncalculated = {place for place in sheet.formulas_without_value if place[1] == column.index}
    for place in sorted((set(bad) | uncalculated) - corrected):
        at = int(np.searchsorted(rows, place[0]))
        if at >= len(rows) or rows[at] != place[0]:
            continue
        values[at], states[at] = 0, ScoreState.INVALID
        what = _name(column, column.subject)
        if place in bad:
            reader.findings.error(
                "error-value", f"{what}{bad[place]}", "请改正公式或直接填写分数", row=place[0], column=place[1]
            )
        else:
            reader.findings.error(
                "formula-without-value", f"{what}是没有计算结果的公式",
                "请用 Excel 或 WPS 打开后保存一次，再交来", row=place[0], column=place[1],
            )  # fmt: skip


def _merged(
    reader: ScoreReader,
    column: Column,
    rows: npt.NDArray[np.int64],
    values: npt.NDArray[np.int64],
    states: npt.NDArray[np.uint8],
    marks: dict[int, str],
) -> None:
    """A merged score: a state written once over several subjects of a pupil holds for all; a number is an error."""
    if not reader.merged:
        return
    for at in range(len(rows)):
        anchor = reader.merged.get((int(rows[at]), column.index))
        if anchor is None or (int(rows[at]), column.index) in reader.grid.corrected:
            continue
        cell = reader.grid.rows[anchor[0]][anchor[1]]
        if cell is None:
            continue
        found = _read(reader, cell, column.subject, {})
        if anchor[0] == rows[at] and found.state not in (ScoreState.SCORED, ScoreState.INVALID, ScoreState.UNRESOLVED):
            states[at] = found.state
            if anchor[1] != column.index:
                marks[at] = shown(cell)
                message = f"合并单元格中的“{shown(cell)}”用于合并范围内的各科"
                reader.findings.joined("merged-state", Severity.NOTE, message, row=int(rows[at]), column=column.index)
        else:
            values[at], states[at] = 0, ScoreState.INVALID
            place = reader.grid.place(*anchor).cell
            reader.findings.error(
                "merged-score", f"{_name(column, column.subject)}在从 {place} 起的合并单元格内，不知道属于哪名学生或哪一科",
                "请取消合并，分别填写", row=int(rows[at]), column=column.index,
            )  # fmt: skip


def _above_full(
    reader: ScoreReader,
    column: Column,
    rows: npt.NDArray[np.int64],
    values: npt.NDArray[np.int64],
    states: npt.NDArray[np.uint8],
    fulls: Mapping[str | None, int],
    subjects: Sequence[str | None] | None,
) -> None:
    """Scores above a full mark that the sheet or the settings declare."""
    if column.measure is Measure.MAKE_UP or not fulls:
        return
    if subjects is None:
        full = fulls.get(column.subject)
        over = np.flatnonzero(values > full) if full is not None else np.array([], dtype=np.int64)
    else:
        limits = np.array([fulls.get(subject, 1 << 60) for subject in subjects], dtype=np.int64)
        over = np.flatnonzero(values > limits)
    for position in over:
        at = int(position)
        subject = subjects[at] if subjects is not None else column.subject
        message = f"{_name(column, subject)} {_marks(int(values[at]))} 超过满分 {_marks(fulls[subject])}"
        remedy = "请改正，或在考试设置中修改满分"
        values[at], states[at] = 0, ScoreState.INVALID
        reader.findings.error("score-above-full", message, remedy, row=int(rows[at]), column=column.index)


def read_declared(reader: ScoreReader, column: Column, rows: npt.NDArray[np.int64]) -> ScoreColumn:
    """A total or rank as the file states it: numbers are read, anything else is only "not stated"."""
    cells = reader.grid.column(column.index, reader.first)
    values, states, slow = _numbers(cells, rows - reader.first)
    marks: dict[int, str] = {}
    for position in np.flatnonzero(slow):
        at = int(position)
        cell = cells.cells[int(rows[at]) - reader.first]
        found = _read(reader, cell, None, {})
        values[at], states[at] = found.value, int(found.state)
        if found.state is not ScoreState.SCORED:
            marks[at] = shown(cell)
    return ScoreColumn(column, values, states, {}, marks)

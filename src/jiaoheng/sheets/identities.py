"""Names, numbers, classes and other texts of the pupils' rows: cleaned, restored, checked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jiaoheng.methods.ids import IdKind, check_identity
from jiaoheng.sheets.findings import Findings
from jiaoheng.sheets.places import Severity
from jiaoheng.sheets.reading_model import Column, Role
from jiaoheng.sheets.sheet_grid import Grid
from jiaoheng.sheets.text import clean, fold, is_blank, name_key, number_text, shown
from jiaoheng.sheets.workbook import Cell

TEXT_ROLES = (
    Role.SERIAL, Role.PUPIL_ID, Role.EXAM_NO, Role.ID_CARD, Role.NAME, Role.SEX, Role.DISTRICT, Role.SCHOOL,
    Role.GRADE, Role.CLASS, Role.TRACK, Role.COMBINATION, Role.STATUS, Role.SUBJECT, Role.EXAM, Role.REMARK,
)  # fmt: skip
ID_ROLES = (Role.PUPIL_ID, Role.EXAM_NO, Role.ID_CARD)
EXACT_DIGITS = 15  # a spreadsheet's numbers hold 15 digits; the rest is lost when an id is typed as a number
_EXPONENT = re.compile(r"\d(?:\.\d+)?e\+?\d{1,2}", re.IGNORECASE)
_POINT_ZERO = re.compile(r"(\d+)\.0+")


@dataclass(frozen=True, slots=True)
class TextReader:
    """The sheet, the pupils' rows (0-based), the row under the header, and where findings go."""

    grid: Grid
    rows: npt.NDArray[np.int64]
    first: int
    findings: Findings

    def read(self, column: Column) -> list[str | None]:
        """The cleaned texts of a column for the pupils' rows, filled within vertical merges only."""
        every = self.grid.column(column.index, self.first).cells
        cells = [every[row - self.first] for row in self.rows.tolist()]
        if column.role in ID_ROLES:
            texts = self._ids(column, cells)
        elif column.role is Role.NAME:
            memo_names: dict[Cell, str | None] = {}
            texts = [_memo(memo_names, cell, _name) for cell in cells]
        else:
            memo: dict[Cell, str | None] = {}
            texts = [_memo(memo, cell, _label) for cell in cells]
        self._sheet_errors(column, texts)
        self._fill_merged(column, texts)
        return texts

    def _ids(self, column: Column, cells: Sequence[Cell]) -> list[str | None]:
        zeros = {place: digits for place, digits in self.grid.sheet.zero_formats.items() if place[1] == column.index}
        texts: list[str | None] = []
        for row, cell in zip(self.rows.tolist(), cells, strict=True):
            texts.append(self._id(column, row, cell, zeros))
        if column.role is Role.ID_CARD:
            return self._check_cards(column, texts)
        self._check_lengths(column, cells, texts)
        return texts

    def _id(self, column: Column, row: int, cell: Cell, zeros: dict[tuple[int, int], int]) -> str | None:
        name = column.header[-1] if column.header else "编号"
        if cell is None:
            return None
        if isinstance(cell, str):
            text = clean(cell)
            if text is None or text.isalnum():
                if text is not None and _EXPONENT.fullmatch(text):
                    self._lost(name, text, row, column)
                    return None
                return text
            tight = fold(text).upper() if column.role is Role.ID_CARD else text.replace(" ", "")
            if _EXPONENT.fullmatch(tight):
                self._lost(name, tight, row, column)
                return None
            whole = _POINT_ZERO.fullmatch(tight)
            if whole:
                self.findings.joined(
                    "id-decimals", Severity.NOTE, f"{name}末尾的“.0”已去掉", row=row, column=column.index
                )
            return whole[1] if whole else tight
        if isinstance(cell, bool) or not isinstance(cell, (int, float)):
            self.findings.error(
                "id-not-text",
                f"{name}“{shown(cell)}”不是编号",
                "请把该列设为文本格式后重新录入",
                row=row,
                column=column.index,
            )
            return None
        if abs(cell) >= 10**EXACT_DIGITS:
            self._lost(name, f"{number_text(cell)[:EXACT_DIGITS]}…", row, column)
            return None
        text = number_text(cell)
        digits = zeros.get((row, column.index))
        if digits is not None and len(text) < digits:
            text = text.zfill(digits)
            self.findings.joined(
                "leading-zeros",
                Severity.NOTE,
                f"{name}存为数字，已按单元格格式补足前面的 0",
                "建议把该列设为文本格式",
                row=row,
                column=column.index,
            )
        return text

    def _lost(self, name: str, text: str, row: int, column: Column) -> None:
        self.findings.error(
            "precision-lost", f"{name} {text} 存为数字，超过 {EXACT_DIGITS} 位的数字已经丢失，无法恢复",
            "请把该列设为文本格式后重新录入", row=row, column=column.index
        )  # fmt: skip

    def _check_cards(self, column: Column, texts: list[str | None]) -> list[str | None]:
        for at, text in enumerate(texts):
            if text is None:
                continue
            found = check_identity(text)
            texts[at] = found.text
            if not found.ok and not (found.kind is IdKind.UNKNOWN and not any(c.isdigit() for c in text)):
                self.findings.warn(
                    "id-card-check", f"身份证号 {found.text}：{found.problem}", "请与户口簿核对",
                    row=int(self.rows[at]), column=column.index,
                )  # fmt: skip
        return texts

    def _check_lengths(self, column: Column, cells: Sequence[Cell], texts: Sequence[str | None]) -> None:
        """An id with fewer digits than the others may have lost zeros: shown, never padded."""
        lengths = Counter(len(text) for text in texts if text is not None and text.isdigit())
        if not lengths:
            return
        usual, count = lengths.most_common(1)[0]
        zero_led = any(text is not None and len(text) == usual > 1 and text.startswith("0") for text in texts)
        if len(lengths) == 1 or count < 0.5 * lengths.total() or not (usual >= 6 or zero_led):
            return
        name = column.header[-1] if column.header else "编号"
        for at, text in enumerate(texts):
            if text is None or not text.isdigit() or len(text) == usual:
                continue
            number = "（存为数字，前面的 0 可能已丢失）" if not isinstance(cells[at], str) and len(text) < usual else ""
            message = f"{name} {text} 有 {len(text)} 位，本列通常为 {usual} 位{number}"
            self.findings.warn("id-length", message, "请核对", row=int(self.rows[at]), column=column.index)

    def _sheet_errors(self, column: Column, texts: list[str | None]) -> None:
        sheet = self.grid.sheet
        wrong = {place: text for place, text in sheet.error_cells.items() if place[1] == column.index}
        wrong |= {place: "没有计算结果的公式" for place in sheet.formulas_without_value if place[1] == column.index}
        for (row, _), text in sorted(wrong.items()):
            at = int(np.searchsorted(self.rows, row))
            if at < len(self.rows) and self.rows[at] == row and (row, column.index) not in self.grid.corrected:
                texts[at] = None
                name = column.header[-1] if column.header else "该列"
                severity = self.findings.error if column.role in (*ID_ROLES, Role.NAME) else self.findings.warn
                severity("error-value", f"{name}是{text}", "请改正公式或直接填写", row=row, column=column.index)

    def _fill_merged(self, column: Column, texts: list[str | None]) -> None:
        if column.role is Role.REMARK:
            return
        for (top, left), (low, right) in self.grid.sheet.merged:
            if not (left <= column.index <= right) or low == top:
                continue
            cell = self.grid.rows[top][left]
            value = None if is_blank(cell) else (_name(cell) if column.role is Role.NAME else _label(cell))
            for at in range(int(np.searchsorted(self.rows, top)), int(np.searchsorted(self.rows, low, "right"))):
                if texts[at] is None:
                    texts[at] = value


def _memo(memo: dict[Cell, str | None], cell: Cell, make: Callable[[Cell], str | None]) -> str | None:
    if cell is None:
        return None
    if cell not in memo:
        memo[cell] = make(cell)
    return memo[cell]


def _name(cell: Cell) -> str | None:
    text = shown(cell)
    return name_key(text) or None


def _label(cell: Cell) -> str | None:
    return clean(shown(cell))


def check_classes(reader: TextReader, column: Column, texts: Sequence[str | None]) -> None:
    """Blank classes are listed, never filled from above."""
    blank = [int(row) for row, text in zip(reader.rows.tolist(), texts, strict=True) if text is None]
    if blank:
        rows = "、".join(str(row + 1) for row in blank[:8]) + (" 等" if len(blank) > 8 else "")
        reader.findings.warn(
            "blank-class", f"{len(blank)} 名学生没有写班级（第 {rows} 行），没有按上一行补",
            "请补写班级；不在合并单元格内的空格不会自动填充", row=blank[0], column=column.index,
        )  # fmt: skip

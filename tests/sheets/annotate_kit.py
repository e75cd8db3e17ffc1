"""Workbooks and readings for the tests of the annotated copy."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import openpyxl
import python_calamine
import xlsxwriter

from jiaoheng.sheets.places import Choice, Place, Problem, Question, Severity
from jiaoheng.sheets.workbook import Sheet, SourceFile

ERROR, QUESTION, WARNING = "FFFCC9C3", "FFCFE3F6", "FFFDECB1"
SHEET = "九(1)班"
QUOTED = "小明's 表"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000" + "1f15c4890000000d49444154789c6360f8cf50"
    "0f0003860180347d68ae0000000049454e44ae426082"
)


def rich_workbook(path: Path) -> Path:
    """A workbook with everything that a round trip through a reader loses."""
    book = xlsxwriter.Workbook(str(path))
    sheet, other, chart_sheet = book.add_worksheet(SHEET), book.add_worksheet(QUOTED), book.add_chartsheet("图")
    head = book.add_format({"bold": True, "border": 1, "bg_color": "#DDEEFF"})
    cell = book.add_format({"border": 1, "num_format": "0.0", "align": "center"})
    sheet.merge_range("A1:E1", "某县九年级期末成绩", book.add_format({"bold": True, "font_size": 16}))
    for column, word in enumerate(("考号", "姓名", "语文", "数学", "总分")):
        sheet.write(1, column, word, head)
    for row in range(2, 30):
        sheet.write_string(row, 0, f"0118{row:04d}", cell)
        sheet.write(row, 1, f"学生{row}", cell)
        sheet.write(row, 2, 80 + row, cell)
        if row != 9:
            sheet.write(row, 3, 70 + row, cell)
        sheet.write_formula(row, 4, f"=C{row + 1}+D{row + 1}", cell, 150 + 2 * row)
    sheet.write_comment("B3", "自己的批注：转学生")
    sheet.data_validation("C3:C30", {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": 150})
    sheet.conditional_format("D3:D30", {"type": "data_bar", "bar_solid": True})  # stands in extLst
    sheet.set_row(6, None, None, {"hidden": True})
    sheet.set_column("B:B", 17.5)
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": f"='{SHEET}'!$C$3:$C$10"})
    sheet.insert_chart("H2", chart)
    picture = path.with_suffix(".png")
    picture.write_bytes(PIXEL)
    sheet.insert_image("H20", str(picture))
    line = book.add_chart({"type": "line"})
    line.add_series({"values": f"='{SHEET}'!$C$3:$C$10"})
    chart_sheet.set_chart(line)
    sheet.print_area("A1:E30")
    other.print_area("A1:B2")
    other.write("A1", "姓名")
    other.protect("x")
    sheet.activate()
    book.close()
    return path


def problem(row: int, column: int, severity: Severity = Severity.ERROR, **more: str) -> Problem:
    """A problem at a cell of the first sheet of 甲校.xlsx."""
    place = Place(more.get("file", "甲校.xlsx"), more.get("sheet", SHEET), row, column)
    message = more.get("message", "成绩 155 超过满分 150")
    return Problem("score-above-full", severity, place, message, more.get("remedy", "请改正"))


def mark_question(file: str = "甲校.xlsx", sheet: str = SHEET, row: int = 6) -> Question:
    """What `/` means, three choices with a default."""
    choices = (Choice("未选", "未选考"), Choice("缺考", "缺考"), Choice("缺失", "没有成绩"))
    return Question("mark-unknown", ("marks", "/"), Place(file, sheet, row, 3), "“/”表示什么？", choices, "未选")


def full_question() -> Question:
    """A free number without default."""
    place = Place("甲校.xlsx", SHEET, 0, 4)
    return Question("full-unknown", ("subjects", "数学", "full"), place, "数学的满分是多少？")


def column_question(count: int = 40) -> Question:
    """More choices than fit into a cell rule, with commas in them."""
    choices = tuple(Choice(f"一门名称很长的科目,第{number}门", f"科目{number}") for number in range(1, count + 1))
    place = Place("甲校.xlsx", SHEET, 0, 3)
    return Question("column-unknown", ("columns", f"甲校.xlsx|{SHEET}|C"), place, "C 列是哪一科？", choices)


def parts(path: Path) -> dict[str, bytes]:
    """Every part of a package."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewritten(path: Path, change: Callable[[str, bytes], bytes | None], add: Mapping[str, bytes] | None = None) -> Path:
    """The package with its parts changed by name (None drops one)."""
    old = parts(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in old.items():
            new = change(name, data)
            if new is not None:
                archive.writestr(name, new)
        for name, data in (add or {}).items():
            archive.writestr(name, data)
    return path


def prefixed(data: bytes) -> bytes:
    """The part with its main namespace bound to the prefix x, as some exporters write."""
    data = data.replace(b' xmlns="', b' xmlns:x="', 1)
    return re.sub(rb"<(/?)([A-Za-z][A-Za-z0-9]*)(?=[\s/>])", rb"<\1x:\2", data)


def read(path: Path, label: str | None = None) -> list[Sheet]:
    """Sheets as the reading room gives them (cells only)."""
    book = python_calamine.CalamineWorkbook.from_path(str(path))
    found = []
    for meta in book.sheets_metadata:
        if meta.typ is python_calamine.SheetTypeEnum.WorkSheet:
            rows = book.get_sheet_by_name(meta.name).to_python(skip_empty_area=False)
            cells = [[None if cell == "" else cell for cell in row] for row in rows]
            hidden = meta.visible is not python_calamine.SheetVisibleEnum.Visible
            found.append(Sheet(label or path.name, meta.name, cells, hidden=hidden))
    return found


def source(path: Path, sheets: list[Sheet], kind: str = "csv") -> SourceFile:
    """A source file around sheets."""
    return SourceFile(str(path), path.name, "0" * 64, path.stat().st_size, kind, None, tuple(sheets))


def fills(path: Path, sheet: str) -> dict[str, str]:
    """Cell → colour of our marks."""
    book = openpyxl.load_workbook(path)
    cells = (cell for row in book[sheet].iter_rows() for cell in row)
    return {
        cell.coordinate: cell.fill.fgColor.rgb for cell in cells if cell.fill.fgColor.rgb in (ERROR, QUESTION, WARNING)
    }


def notes(path: Path, sheet: str) -> dict[str, str]:
    """Cell → note text."""
    book = openpyxl.load_workbook(path)
    return {cell.coordinate: cell.comment.text for row in book[sheet].iter_rows() for cell in row if cell.comment}


def fill_in(path: Path, answers: Mapping[int, object], cells: Mapping[tuple[str, str], object] | None = None) -> None:
    """What a person does: answer rows of 待确认 and correct cells, then save (with another program's writer)."""
    book = openpyxl.load_workbook(path)
    for row, answer in answers.items():
        book["待确认"].cell(row, 6).value = answer
    for (sheet, place), value in (cells or {}).items():
        book[sheet][place] = value
    book.save(path)

"""P14: all errors in one pass, exactly those cells marked, corrected in the same file and read again clean."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
from register_kit import edit, register

from jiaoheng.registers.differences import RowState
from jiaoheng.registers.judging import Judged, Scope, judge
from jiaoheng.registers.marking import mark_workbook
from jiaoheng.registers.model import Field, FieldType, Register
from jiaoheng.registers.workbook_reading import Known, understand
from jiaoheng.sheets.places import Severity
from jiaoheng.sheets.reading import read_file

UNITS = {f"33{number:02d}": f"第{number}小学" for number in range(1, 43)}
AT = dt.date(2025, 10, 1)


def hazards() -> Register:
    return register(
        Field("number", FieldType.STRING, "编号", required=True),
        Field("size", FieldType.INTEGER, "面积", unit="㎡", minimum=Decimal(0), required=True),
        Field("day", FieldType.DATE, "检查日期"),
        Field("level", FieldType.STRING, "等级", codes="levels"),
        key=("number",),
    )


def workbook(path: Path) -> Path:
    """Two sheets, 42 rows, a title row, a unit line, a formula, widths."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, codes in (("九1", range(1, 22)), ("九2", range(22, 43))):
        sheet = book.create_sheet(name)
        sheet.append([f"{name}班检查表"])
        sheet.append(["编号", "单位代码", "面积（㎡）", "检查日期", "等级", "说明"])
        for row, code in enumerate(codes, 3):
            sheet.append([f"N{code:03d}", f"33{code:02d}", 30 + row, dt.date(2025, 9, row % 28 + 1), "优", None])
            sheet.cell(row, 6).value = f"=C{row}*2"
        sheet.append(["合计", None, "=SUM(C3:C23)", None, None, None])
        sheet.column_dimensions["A"].width = 17.5
    first, second = book["九1"], book["九2"]
    first["C5"], first["D9"], first["B12"] = "约30", "2025-13-01", "9999"
    second["C7"], second["E8"], second["A15"], second["B15"] = -3, "优秀", second["A3"].value, second["B3"].value
    book.save(path)
    return path


def check(path: Path) -> tuple[Any, Judged]:
    source = read_file(path)
    one = hazards()
    filled = understand(source, one, Known(units=UNITS))
    return source, judge(filled, at=AT, scope=Scope(UNITS))


def marked_cells(path: Path, names: tuple[str, ...]) -> set[str]:
    book = openpyxl.load_workbook(path)
    return {
        f"{s}!{c.coordinate}" for s in names for r in book[s].iter_rows() for c in r if c.fill.fgColor.rgb == "FFFCC9C3"
    }


WRONG = {"九1!C5", "九1!D9", "九1!B12", "九2!C7", "九2!E8", "九2!A15"}


def test_one_pass_names_all_six(tmp_path: Path) -> None:
    _, found = check(workbook(tmp_path / "检查表.xlsx"))
    errors = [problem for problem in found.problems if problem.severity is Severity.ERROR]
    assert {f"{p.place.sheet}!{p.place.cell}" for p in errors} == WRONG
    assert len(errors) == 6
    by_cell = {f"{p.place.sheet}!{p.place.cell}": p for p in errors}
    assert "“约30”不是数字" in by_cell["九1!C5"].message
    assert "2025-13-01" in by_cell["九1!D9"].message
    assert "无此单位：“9999”" in by_cell["九1!B12"].message
    assert "“-3”小于下限 0 ㎡" in by_cell["九2!C7"].message
    assert "优、良、差" in by_cell["九2!E8"].remedy
    assert "A3" in by_cell["九2!A15"].message
    assert len(found.differences.rows) == 42
    assert found.differences.count(RowState.WRONG) == 6
    assert not found.clean


def test_the_marked_workbook_is_the_own_one_and_reads_clean_once_corrected(tmp_path: Path) -> None:
    path = workbook(tmp_path / "检查表.xlsx")
    source, found = check(path)
    out = mark_workbook(path, source, found, tmp_path / "检查表-标注.xlsx").path
    assert marked_cells(out, ("九1", "九2")) == WRONG
    assert "再次上传" in openpyxl.load_workbook(out)["待确认"]["A2"].value
    before, after = openpyxl.load_workbook(path), openpyxl.load_workbook(out)
    assert [name for name in after.sheetnames if name in ("九1", "九2")] == ["九1", "九2"]
    for name in ("九1", "九2"):
        assert [[c.value for c in row] for row in before[name]] == [[c.value for c in row] for row in after[name]]
        assert after[name].column_dimensions["A"].width == before[name].column_dimensions["A"].width
    assert after["九1"]["F4"].value == "=C4*2"

    def correct(book: Any) -> None:
        first, second = book["九1"], book["九2"]
        first["C5"], first["D9"], first["B12"] = 30, "2025年10月1日", "3310"
        second["C7"], second["E8"], second["A15"], second["B15"] = 3, "优", "N999", "3334"

    _, again = check(edit(out, correct))
    assert [str(p) for p in again.problems if p.severity is Severity.ERROR] == []
    assert again.differences.count(RowState.NEW) == 42
    assert again.clean
    assert set(again.filled.sheets) == {"九1", "九2"}

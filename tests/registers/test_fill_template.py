"""The fill-in workbook: ids, heads, drop-downs, formats, protection, current rows; filled in, it comes back."""

from __future__ import annotations

import datetime as dt
import zipfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
from register_kit import AT, column, data_sheet, edit, judged, people, read, register

from jiaoheng.registers.differences import Current, RowState
from jiaoheng.registers.model import CodeItem, CodeTable, Data, Field, FieldType
from jiaoheng.registers.template import TemplateRow, write_template

ROW: Data = {
    "number": "0301",
    "name": "张三",
    "nation": "02",
    "skills": ["01", "03"],
    "rate": "95.5",
    "rooms": 0,
    "born": "2012-04-07",
    "lodging": True,
    "start": "08:20",
    "seen": "2025-09-30T15:30:00Z",
}


def made(path: Path, **more: Any) -> Path:
    facts: dict[str, Any] = {
        "unit_code": "U1",
        "unit_name": "东镇中心小学",
        "period": "2025秋",
        "rows": [TemplateRow(ROW, "r1", 3)],
        "at": AT,
        "deadline": "2025-10-10 23:59",
    }
    write_template(people(), path, **{**facts, **more})
    return path


def test_people_read_the_name_of_the_period_and_the_file_keeps_its_code(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(made(tmp_path / "模板.xlsx", period="Y2026", period_name="2026—2027 学年"))
    read_by_people = "\n".join(str(cell.value) for name in ("人员名册", "说明") for row in book[name] for cell in row)
    assert read_by_people.count("2026—2027 学年") == 2
    assert "Y2026" not in read_by_people
    assert ["period", "Y2026"] in [[cell.value for cell in row] for row in book["_jh"].iter_rows()]


def test_the_sheet_says_what_it_is(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(made(tmp_path / "模板.xlsx"))
    assert book.sheetnames[:2] == ["人员名册", "说明"]
    assert book.active.title == "人员名册"
    assert {name: book[name].sheet_state for name in ("_jh", "_选项")} == {"_jh": "veryHidden", "_选项": "veryHidden"}
    words = "\n".join(str(cell.value) for row in book["说明"].iter_rows() for cell in row if cell.value)
    for word in (
        "第 1 版",
        "2025-03-01",
        "东镇中心小学",
        "2025秋",
        "2025-10-10 23:59",
        "「清空」",
        "空着的单元格不改动",
    ):
        assert word in words
    meta = {row[0].value: row[1].value for row in book["_jh"].iter_rows()}
    assert meta["register"] == "people"
    assert meta["version"] == "1"
    assert meta["period"] == "2025秋"
    assert meta["unit"] == "U1"
    assert meta["rows"] == "1"
    assert len(meta["digest"]) == 16


def test_heads_ids_formats_and_protection(tmp_path: Path) -> None:
    sheet = data_sheet(openpyxl.load_workbook(made(tmp_path / "模板.xlsx")))
    assert sheet.row_dimensions[2].hidden
    assert sheet.column_dimensions["A"].hidden
    assert sheet.cell(3, column(sheet, "number")).value == "编号 *"
    assert sheet.cell(3, column(sheet, "rate")).value == "出勤率（%）"
    assert "0 至 100" in sheet.cell(3, column(sheet, "rate")).comment.text
    assert sheet.protection.sheet
    assert not sheet.protection.password
    assert sheet.cell(3, 3).protection.locked
    cell = sheet.cell(4, column(sheet, "id_card"))
    letters = cell.column_letter
    assert not sheet.cell(4, column(sheet, "number")).protection.locked
    assert sheet.cell(4, column(sheet, "number")).number_format == "@"
    assert sheet.column_dimensions[letters].width >= 20
    assert sheet.freeze_panes is not None
    assert sheet.cell(4, column(sheet, "nation")).value == "蒙古族"
    assert sheet.cell(4, column(sheet, "skills")).value == "汉族、回族"
    assert sheet.cell(4, column(sheet, "seen")).value == dt.datetime(2025, 9, 30, 23, 30)


def test_drop_downs_come_from_a_range_and_hold_the_whole_list(tmp_path: Path) -> None:
    """An inline list of more than 255 characters would be dropped in silence."""
    labels = [f"第{number}种很长的选项名称" for number in range(60)]
    table = CodeTable("many", "许多", tuple(CodeItem(f"{n:02d}", label) for n, label in enumerate(labels)))
    one = register(
        Field("a", FieldType.STRING, "选项", codes="many"),
        Field("n", FieldType.INTEGER, "数", minimum=Decimal(0)),
        tables={"many": table},
    )
    path = tmp_path / "模板.xlsx"
    write_template(one, path, unit_code="U1")
    book = openpyxl.load_workbook(path)
    rules = {rule.type: rule for rule in data_sheet(book).data_validations.dataValidation}
    assert rules["list"].formula1 == "'_选项'!$A$1:$A$61"
    words = [cell.value for cell in book["_选项"]["A"]]
    assert words == [*labels, "清空"]
    assert rules["custom"].errorTitle == "数"
    assert "INT(" in rules["custom"].formula1
    assert '"清空"' in rules["custom"].formula1


def test_filled_in_and_returned(tmp_path: Path) -> None:
    """The unit's own row is the same, a changed cell is one change, a row below is new."""
    path = made(tmp_path / "模板.xlsx")
    current = [Current("r1", 3, ROW, "U1", "2025秋")]
    same = judged(path, people(), current, period="2025秋")
    assert same.clean
    assert [same.differences.count(state) for state in RowState] == [0, 0, 1, 0]

    def fill(book: Any) -> None:
        sheet = data_sheet(book)
        sheet.cell(4, column(sheet, "rooms")).value = 12
        for name, value in {
            "number": "0302",
            "name": "李四",
            "nation": "汉族",
            "born": dt.date(2013, 5, 6),
            "lodging": "否",
        }.items():
            sheet.cell(5, column(sheet, name)).value = value

    found = judged(edit(path, fill), people(), current, period="2025秋")
    assert [str(problem) for problem in found.problems] == []
    assert [found.differences.count(state) for state in RowState] == [1, 1, 0, 0]
    assert found.differences.rows[1].data == {
        "number": "0302",
        "name": "李四",
        "nation": "01",
        "born": "2013-05-06",
        "lodging": False,
    }
    assert found.units == ("U1", "U1")


def test_masked_columns_come_back_untouched(tmp_path: Path) -> None:
    row = {**ROW, "id_card": "990000201204070001"}
    path = made(tmp_path / "模板.xlsx", rows=[TemplateRow(row, "r1", 3)], masked=["id_card", "name"])
    with zipfile.ZipFile(path) as archive:
        assert all(b"990000201204070001" not in archive.read(name) for name in archive.namelist())
    found = judged(path, people(), [Current("r1", 3, row, "U1", "2025秋")], period="2025秋")
    assert found.differences.count(RowState.SAME) == 1
    assert found.differences.masked == {"name": 1, "id_card": 1}


def test_several_units_choose_from_a_list(tmp_path: Path) -> None:
    path = tmp_path / "模板.xlsx"
    one = register(Field("a", FieldType.INTEGER, "数"))
    write_template(
        one,
        path,
        units={"U1": "甲", "U2": "乙"},
        rows=[TemplateRow({"a": 1}, "", 0, "U1", "甲"), TemplateRow({"a": 2}, "", 0, "U2", "乙")],
    )
    found = judged(path, one, units={"U1": "甲", "U2": "乙"}, unit="")
    assert found.units == ("U1", "U2")
    assert found.clean


def test_any_title_makes_a_workbook(tmp_path: Path) -> None:
    """Sheet names have no slash or bracket and at most 31 characters."""
    one = replace(
        register(Field("a", FieldType.INTEGER, "数[个]/台")),
        title="校舍/安全[2025]：说明*很长很长很长很长很长很长很长很长很长很长",
    )
    path = tmp_path / "模板.xlsx"
    write_template(one, path, unit_code="U1", rows=[TemplateRow({"a": 1})])
    assert read(path, one).cells["a"] == [1.0]


def test_a_template_of_another_period_or_unit_is_refused(tmp_path: Path) -> None:
    """A's figures must never land at B, nor last term's in this term."""
    path = made(tmp_path / "模板.xlsx", rows=[TemplateRow(ROW)])
    late = judged(path, people(), period="2026春")
    assert [p.code for p in late.problems if p.severity == "error"] == ["template-other-period"]
    assert "2025秋" in late.problems[0].message
    assert "2026春" in late.problems[0].message
    assert not late.clean
    foreign = judged(path, people(), period="2025秋", units={"U2": "西镇小学"}, unit="U2")
    assert foreign.problems[0].code == "template-other-unit"
    assert not foreign.clean
    both = judged(path, people(), period="2025秋", units={"U1": "东镇中心小学", "U2": "西镇小学"}, unit="U2")
    assert both.units == ("U1",)

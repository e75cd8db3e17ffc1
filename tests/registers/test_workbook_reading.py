"""Filled workbooks of every kind are understood, or refused with a sentence that says what they are."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import openpyxl
from register_kit import column, data_sheet, edit, judged, read, register, sheets

from jiaoheng.registers.differences import RowState
from jiaoheng.registers.model import Field, FieldType, Register
from jiaoheng.registers.template import TemplateRow, write_template


def version_1(**more: Any) -> Register:
    return register(
        Field("teachers", FieldType.INTEGER, "教师数"),
        Field("pcs", FieldType.INTEGER, "电脑台数"),
        Field("books", FieldType.INTEGER, "图书册数"),
        **more,
    )


def version_2() -> Register:
    return register(
        Field("teachers", FieldType.INTEGER, "教师数"),
        Field("computers", FieldType.INTEGER, "计算机台数", renamed_from=("pcs",)),
        Field("rooms", FieldType.INTEGER, "多媒体教室", required=True),
        version=2,
        effective_from=dt.date(2025, 9, 1),
        dropped=("books",),
    )


UNITS = {f"U{number}": f"第{number}小学" for number in range(1, 9)}


def filled_version_1(path: Path) -> Path:
    """A version 1 template, filled in by 8 schools."""
    rows = [
        TemplateRow({"teachers": n, "pcs": 10 * n, "books": 100 * n}, "", 0, f"U{n}", f"第{n}小学") for n in range(1, 9)
    ]
    write_template(version_1(), path, units=UNITS, rows=rows)
    return path


def test_p12_an_older_template(tmp_path: Path) -> None:
    """Both versions and dates named; 16 cells taken, 8 values of 图书册数 listed, 8 rows become drafts."""
    path = filled_version_1(tmp_path / "旧模板.xlsx")
    found = judged(path, version_2(), versions=(version_1(), version_2()), units=UNITS, unit="")
    note = found.filled.notes[0]
    for word in ("第 1 版", "2025-03-01", "第 2 版", "2025-09-01"):
        assert word in note
    taken = sum(cell is not None for cells in found.filled.cells.values() for cell in cells)
    assert taken == 16
    assert set(found.filled.cells) == {"teachers", "computers"}
    assert [(one.title, one.values) for one in found.filled.not_taken] == [("图书册数", 8)]
    assert found.filled.missing == ("rooms",)
    rows = found.differences.rows
    assert [row.state for row in rows] == [RowState.NEW] * 8
    assert all(row.incomplete == ("rooms",) for row in rows)
    assert rows[2].data == {"teachers": 3, "computers": 30}
    assert "8 条缺必填项，只能存为草稿" in found.differences.sentence(version_2())


def test_p12_another_registers_template_is_refused_naming_both(tmp_path: Path) -> None:
    path = filled_version_1(tmp_path / "模板.xlsx")
    other = register(Field("teachers", FieldType.INTEGER, "教师数"), name="other", title="教师台账")
    found = read(path, other)
    assert found.refused
    assert found.count == 0
    told = str(found.problems[-1])
    assert "学校用房台账" in told
    assert "教师台账" in told


def test_p12_an_unknown_column_is_named_and_asked_about(tmp_path: Path) -> None:
    rows = [["教师数", "电脑台数", "图书本数", "空列"], [1, 2, 3, None], [4, 5, 6, None]]
    path = sheets(tmp_path / "表.xlsx", {"表": rows})
    found = read(path, version_1())
    asked = [q for q in found.questions if q.code == "column-unknown"]
    assert len(asked) == 1
    assert "C 列“图书本数”" in asked[0].text
    assert "2 个值" in asked[0].text
    assert [choice.value for choice in asked[0].choices] == ["books", "忽略"]
    assert asked[0].blocking
    again = read(path, version_1(), answers={asked[0].key: "books"})
    assert again.cells["books"] == [3.0, 6.0]
    assert not again.open_questions
    ignored = read(path, version_1(), answers={asked[0].key: "忽略"})
    assert "books" not in ignored.cells
    assert not ignored.open_questions


def test_renamed_moved_and_hidden_columns_do_not_matter(tmp_path: Path) -> None:
    path = filled_version_1(tmp_path / "模板.xlsx")

    def change(book: Any) -> None:
        sheet = data_sheet(book)
        sheet.title = "随便改名"
        first, second = column(sheet, "teachers"), column(sheet, "books")
        for row in range(2, 12):
            one, other = sheet.cell(row, first), sheet.cell(row, second)
            one.value, other.value = other.value, one.value
        sheet.cell(3, second).value = "老师人数"
        sheet.column_dimensions["E"].hidden = True
        book.move_sheet("说明", -1)

    found = read(edit(path, change), version_1())
    assert not found.questions
    assert found.cells["teachers"] == [float(n) for n in range(1, 9)]
    assert found.cells["books"] == [100.0 * n for n in range(1, 9)]


def test_lost_ids_and_lost_meta_are_known_by_heads_with_a_question(tmp_path: Path) -> None:
    path = filled_version_1(tmp_path / "模板.xlsx")

    def change(book: Any) -> None:
        data_sheet(book).delete_rows(1, 2)
        del book["_jh"]

    found = read(edit(path, change), version_1())
    assert [q.code for q in found.questions] == ["columns-by-head"]
    assert "教师数" in found.questions[0].text
    assert not found.open_questions
    assert found.cells["teachers"] == [float(n) for n in range(1, 9)]
    refused = read(path, version_1(), answers={found.questions[0].key: "否"})
    assert refused.refused


def test_p14_a_hand_made_file_with_title_unit_line_footer_and_several_sheets(tmp_path: Path) -> None:
    table = [
        ["学校用房情况统计表", None, None, None],
        ["填报单位：第2小学", None, None, "2025年10月"],
        ["序号", "教师数*", "电脑台数（台）", "图书册数"],
        [1, 5, 10, 100],
        [None, None, None, None],
        [2, 6, 20, 200],
        ["合计", 11, 30, 300],
        ["填表人：王芳", None, None, "审核人：李"],
    ]
    second = [["图书册数", "电脑台数", "教师数"], [7, 8, 9], ["图书册数", "电脑台数", "教师数"], [1, 2, 3]]
    path = sheets(tmp_path / "表.xlsx", {"一": table, "二": second, "空": [], "封面": [["各位老师"]]})
    found = read(path, version_1(), units=UNITS)
    assert not found.refused
    assert found.cells["teachers"] == [5.0, 6.0, 9.0, 3.0]
    assert found.unit_hint == "U2"
    assert str(found.place(1, "pcs")).endswith("工作表“一” C6")
    assert str(found.place(2, "teachers")).endswith("工作表“二” C2")
    assert any("第 7 行是合计行" in note for note in found.notes)
    assert any("第 8 行是表尾" in note for note in found.notes)
    assert any("重复的表头" in note for note in found.notes)


def test_a_csv_made_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "表.csv"
    path.write_bytes('教师数,电脑台数,图书册数\r\n5,10,"1,000"\r\n'.encode("gb18030"))
    found = judged(path, version_1())
    assert found.differences.rows[0].data == {"teachers": 5, "pcs": 10, "books": 1000}


def test_merged_cells_error_cells_and_formulas(tmp_path: Path) -> None:
    one = register(
        Field("g", FieldType.STRING, "学段"),
        Field("n", FieldType.STRING, "编号"),
        Field("a", FieldType.INTEGER, "数"),
        key=["n"],
    )
    path = sheets(
        tmp_path / "表.xlsx", {"表": [["学段", "编号", "数"], ["小学", "1", 5], [None, "2", 6], [None, "3", None]]}
    )

    def change(book: Any) -> None:
        sheet = book["表"]
        sheet.merge_cells("A2:A4")
        sheet["C4"] = "=C2+C3"

    found = judged(edit(path, change), one)
    assert [row.data.get("g") for row in found.differences.rows] == ["小学"] * 3
    assert [(p.code, p.place.cell) for p in found.problems] == [("formula-without-value", "C4")]


def test_nothing_is_never_a_success(tmp_path: Path) -> None:
    """Never “成功” with 0 rows."""
    path = tmp_path / "模板.xlsx"
    write_template(version_1(), path, unit_code="U1", unit_name="第1小学")
    assert [p.code for p in read(path, version_1()).problems] == ["register-no-rows"]
    other = sheets(tmp_path / "别的.xlsx", {"表": [["甲", "乙"], [1, 2]]})
    found = read(other, version_1())
    assert [p.code for p in found.problems] == ["register-no-header"]
    assert "教师数" in found.problems[0].remedy
    broken = tmp_path / "坏.xlsx"
    broken.write_bytes(b"PK\x03\x04nothing")
    assert read(broken, version_1()).refused


def test_two_columns_of_one_field_are_refused(tmp_path: Path) -> None:
    path = sheets(tmp_path / "表.xlsx", {"表": [["教师数", "电脑台数", "教师数"], [1, 2, 3]]})
    found = read(path, version_1())
    assert [p.code for p in found.problems] == ["column-twice"]
    assert "A 列和 C 列" in found.problems[0].message


def test_zeros_of_a_number_format_come_back(tmp_path: Path) -> None:
    """C01 in a register: a number shown as 0000000000 keeps its zeros."""
    one = register(Field("n", FieldType.STRING, "编号"), Field("a", FieldType.INTEGER, "数"), key=["n"])
    path = sheets(tmp_path / "表.xlsx", {"表": [["编号", "数"], ["0118030001", 1], [118030002, 2]]})

    def change(book: openpyxl.Workbook) -> None:
        book["表"]["A3"].number_format = "0000000000"

    found = judged(edit(path, change), one)
    assert [row.data["n"] for row in found.differences.rows] == ["0118030001", "0118030002"]


def test_another_unit_of_measure_is_asked_about(tmp_path: Path) -> None:
    """面积（亩） is not 面积（㎡）: the column is not taken without an answer."""
    one = register(
        Field("a", FieldType.NUMBER, "面积", unit="㎡"),
        Field("n", FieldType.INTEGER, "数"),
        Field("m", FieldType.INTEGER, "量"),
    )
    path = sheets(tmp_path / "表.xlsx", {"表": [["数", "量", "面积（亩）"], [1, 2, 3]]})
    found = read(path, one)
    assert "a" not in found.cells
    assert [q.code for q in found.open_questions] == ["column-unknown"]
    assert read(sheets(tmp_path / "b.xlsx", {"表": [["数", "量", "面积(㎡)"], [1, 2, 3]]}), one).cells["a"] == [3.0]


def test_a_percent_cell_is_taken_as_it_is_seen(tmp_path: Path) -> None:
    """0.955 formatted as 95.5 % is 95.5 in a column counted in %, and 0.955 in one that is not."""
    one = register(
        Field("a", FieldType.NUMBER, "出勤率", unit="%"),
        Field("b", FieldType.NUMBER, "比例"),
        Field("c", FieldType.INTEGER, "数"),
    )
    path = sheets(
        tmp_path / "表.xlsx",
        {"表": [["出勤率", "比例", "数"], [0.955, 0.955, 1], [0.07, 0.5, 2], [95.5, 1, 3], [0.96, 1, 4]]},
    )

    def change(book: Any) -> None:
        for place, look in (("A2", "0.0%"), ("B2", "0%"), ("A3", "0.00%"), ("A5", '0.0"%"')):
            book["表"][place].number_format = look

    found = judged(edit(path, change), one, units={"U1": "x"}).checked.data
    assert [row["a"] for row in found] == ["95.5", "7", "95.5", "0.96"]
    assert [row["b"] for row in found] == ["0.955", "0.5", "1", "1"]

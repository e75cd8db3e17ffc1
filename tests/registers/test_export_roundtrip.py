"""An export imported unchanged is the same in every cell, for every type of field, as xlsx and as csv."""

from __future__ import annotations

import datetime as dt
import tempfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from register_kit import AT, TABLES, column, data_sheet, edit, judged, people, register

from jiaoheng.registers.differences import Current, RowState
from jiaoheng.registers.export import TooManyRowsError, write_csv, write_xlsx
from jiaoheng.registers.export_rows import ExportNote, ExportRow
from jiaoheng.registers.model import Data, Field, FieldType, Register, Sensitive
from jiaoheng.registers.values import CLEAR_WORD, NOT_CALCULATED, canonical_text

NOTE = ExportNote("学段=小学", "2025-10-01", "王芳（东镇中心校）", "2025-10-02 09:30", "王芳 2025-10-02 09:30")
CODES = {
    name: list(dict.fromkeys(item.code for item in table.items if item.until is None)) for name, table in TABLES.items()
}


def texts(one: Field) -> st.SearchStrategy[str]:
    """Texts as they may be stored: in canonical form and not one of the words with a meaning of their own."""
    nasty = st.sampled_from(
        ["=1+1", "'=1", "-3", "+86", "@x", "0118", "1,5", "TRUE", "2025-09-01", "a\nb", "#1 楼", "1e5", "''1"]
    )
    letters = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
    raw = nasty | letters | st.from_regex(r"[\u4e00-\u9fff]{1,6}", fullmatch=True)
    made = raw.map(lambda text: canonical_text(text, one))
    own = {CLEAR_WORD, "「清空」", "【清空】", "“清空”", "—", "——", NOT_CALCULATED}
    return made.filter(
        lambda t: (
            bool(t)
            and t not in own
            and "*" not in t
            and "＊" not in t
            and not t.startswith("#")
            and canonical_text(t, one) == t
        )
    )


def number_texts() -> st.SearchStrategy[str]:
    """Canonical decimals, also with more digits than a number cell holds."""
    whole = st.integers(-(10**20), 10**20).map(str)
    parts = st.tuples(st.integers(-(10**6), 10**6), st.integers(1, 10**7)).map(
        lambda p: format(Decimal(f"{p[0]}.{p[1]}"), "f").rstrip("0").rstrip(".")
    )
    return (whole | parts).map(lambda t: "0" if t in ("-0", "") else t)


def stored(one: Field) -> st.SearchStrategy[Any]:
    """Values of a field."""
    if one.codes:
        codes = st.sampled_from(CODES[one.codes])
        if one.type is FieldType.ARRAY:
            order = CODES[one.codes]
            return st.lists(codes, min_size=1, unique=True).map(lambda found: sorted(found, key=order.index))
        return codes
    moments = st.datetimes(dt.datetime(1950, 1, 1), dt.datetime(2099, 1, 1)).map(
        lambda m: m.strftime("%Y-%m-%dT%H:%M:%SZ")
    )
    return {
        FieldType.STRING: texts(one),
        FieldType.INTEGER: st.integers(-(10**17), 10**17),
        FieldType.NUMBER: number_texts(),
        FieldType.BOOLEAN: st.booleans(),
        FieldType.DATE: st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31)).map(dt.date.isoformat),
        FieldType.DATETIME: moments,
        FieldType.TIME: st.times().map(lambda t: t.strftime("%H:%M:%S" if t.second else "%H:%M")),
        FieldType.YEAR: st.integers(1900, 2100).map(str),
        FieldType.YEARMONTH: st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31)).map(lambda d: d.strftime("%Y-%m")),
        FieldType.ARRAY: st.lists(st.from_regex(r"[a-z\u4e00-\u9fff]{1,5}", fullmatch=True), min_size=1, unique=True),
    }[one.type]


@st.composite
def registers(draw: st.DrawFn) -> Register:
    """A register with 1 to 8 fields of any type, with or without a key."""
    types = draw(st.lists(st.sampled_from([t for t in FieldType if t is not FieldType.FILE]), min_size=1, max_size=8))
    fields = []
    for number, kind in enumerate(types):
        codes = draw(st.sampled_from(["", "nation", "levels"])) if kind in (FieldType.STRING, FieldType.ARRAY) else ""
        unit = draw(st.sampled_from(["", "名", "%", "㎡"])) if kind in (FieldType.INTEGER, FieldType.NUMBER) else ""
        widget = draw(st.sampled_from(["", "textarea"])) if kind is FieldType.STRING else ""
        fields.append(Field(f"f{number}", kind, f"第{number}列{unit}", unit=unit, codes=codes, widget=widget))
    return register(*fields, name="any", title="任意台账")


@st.composite
def cases(draw: st.DrawFn) -> tuple[Register, list[Data]]:
    """A register and rows; each row has at least one value."""
    one = draw(registers())
    row = st.fixed_dictionaries({}, optional={field.name: stored(field) for field in one.fields})
    return one, draw(st.lists(row.filter(bool), min_size=1, max_size=6))


def records(rows: list[Data], unit: str = "U1") -> list[Current]:
    """Current records of some data."""
    return [Current(f"r{number}", 3, data, unit) for number, data in enumerate(rows)]


def exported(current: list[Current]) -> list[ExportRow]:
    return [ExportRow(one.data, one.id, one.version, one.unit, "东镇中心小学", one.period) for one in current]


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
@given(case=cases())
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_every_type_comes_back_the_same(kind: str, case: tuple[Register, list[Data]]) -> None:
    """0 new, 0 changed, all same, for random registers and rows."""
    one, rows = case
    current = [replace(record, unit=f"U{number}") for number, record in enumerate(records(rows))]  # no key: one a unit
    units = {record.unit: f"第{number}小学" for number, record in enumerate(current)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"导出.{kind}"
        if kind == "xlsx":
            write_xlsx(one, path, exported(current), NOTE, at=AT)
        else:
            write_csv(one, path, exported(current), at=AT)
        found = judged(path, one, current, units=units, unit="")
    assert not found.filled.refused, found.problems
    wrong = [problem for problem in found.problems if problem.severity != "note"]
    assert not wrong, [str(problem) for problem in wrong]
    states = [row.state for row in found.differences.rows]
    assert states == [RowState.SAME] * len(rows), [row.changes for row in found.differences.rows]
    assert found.differences.missing == ()


def roster(count: int = 25) -> list[Current]:
    """P11: code, date, rate, two choices, a zero, a blank, an identity number."""
    rows: list[Data] = []
    for number in range(count):
        row: Data = {
            "number": f"{301 + number:04d}",
            "name": f"张{'一二三四五'[number % 5]}{number}",
            "id_card": f"99000020120407{number:04d}",
            "nation": "03",
            "skills": ["01", "10"],
            "rate": "95.5",
            "rooms": 0 if number == 0 else number,
            "born": "2012-04-07",
            "seen": "2025-09-30T15:30:00Z",
            "lodging": number % 2 == 0,
        }
        if number == 7:
            del row["rate"]
        rows.append(row)
    return records(rows)


def test_p11_out_and_in_again(tmp_path: Path) -> None:
    """Unchanged: all same. One rate set, rows sorted, a column hidden, 2 rows deleted: 1 changed, 22 same, 2 untouched."""
    one, current = people(), roster()
    path = tmp_path / "名册.xlsx"
    write_xlsx(one, path, exported(current), NOTE, at=AT, masked=["id_card"])
    same = judged(path, one, current).differences
    assert [same.count(state) for state in RowState] == [0, 0, 25, 0]
    assert same.masked == {"id_card": 25}
    assert "“身份证号”有 25 个脱敏值，未导入" in same.sentence(one)

    def change(book: Any) -> None:
        sheet = data_sheet(book)
        sheet.cell(4 + 3, column(sheet, "rate")).value = 96.0
        rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=4)]
        del rows[10:12]
        rows.reverse()
        sheet.delete_rows(4, 25)
        for number, row in enumerate(rows, 4):
            for place, value in enumerate(row, 1):
                sheet.cell(number, place).value = value
        sheet.column_dimensions["F"].hidden = True

    found = judged(edit(path, change), one, current).differences
    assert [found.count(state) for state in RowState] == [0, 1, 22, 0]
    changed = next(row for row in found.rows if row.state is RowState.CHANGED)
    assert [(c.field, c.old, c.new) for c in changed.changes] == [("rate", "95.5", "96")]
    assert changed.data["id_card"] == "990000201204070003"
    assert [one.id for one in found.missing] == ["r10", "r11"]
    assert found.sentence(one).startswith("新增 0，变更 1，相同 22。2 条在文件中没有，未作改动。")


def test_p11_a_blank_keeps_and_the_word_clears(tmp_path: Path) -> None:
    """A blank cell changes nothing; 清空 empties, counted; columns may come in any order; ids lost: heads and a question."""
    one, current = people(), roster()
    path = tmp_path / "名册.xlsx"
    write_xlsx(one, path, exported(current), NOTE, at=AT)

    def change(book: Any) -> None:
        sheet = data_sheet(book)
        sheet.cell(4, column(sheet, "born")).value = None
        sheet.cell(5, column(sheet, "born")).value = CLEAR_WORD
        first, second = column(sheet, "rate"), column(sheet, "nation")
        for row in range(2, 29):
            one_cell, other = sheet.cell(row, first), sheet.cell(row, second)
            one_cell.value, other.value = other.value, one_cell.value

    edit(path, change)
    found = judged(path, one, current)
    assert not found.filled.questions
    assert found.differences.cleared == 1
    assert [found.differences.count(state) for state in RowState] == [0, 1, 24, 0]
    assert "born" in found.differences.rows[0].data
    assert "born" not in found.differences.rows[1].data

    def lose(book: Any) -> None:
        data_sheet(book).delete_rows(2)

    again = judged(edit(path, lose), one, current)
    assert [question.code for question in again.filled.questions] == ["columns-by-head"]
    assert [again.differences.count(state) for state in RowState] == [0, 1, 24, 0]


def test_p18_versions_in_one_export(tmp_path: Path) -> None:
    """5 rows, one column 计算机台数, "—" where a version had no such column, a column 表样版本; back again all same."""
    old = register(
        Field("teachers", FieldType.INTEGER, "教师数"),
        Field("pcs", FieldType.INTEGER, "电脑台数"),
        Field("books", FieldType.INTEGER, "图书册数"),
    )
    new = register(
        Field("teachers", FieldType.INTEGER, "教师数"),
        Field("computers", FieldType.INTEGER, "计算机台数", renamed_from=("pcs",)),
        Field("rooms", FieldType.INTEGER, "多媒体教室"),
        version=2,
        effective_from=dt.date(2025, 9, 1),
        dropped=("books",),
    )
    rows = [
        *(
            ExportRow({"teachers": 5, "pcs": 10 * n, "books": 100 * n}, f"a{n}", 1, f"U{n}", "甲", "", 1)
            for n in (1, 2, 3)
        ),
        *(
            ExportRow({"teachers": 5, "computers": c, "rooms": m}, f"b{c}", 1, f"U{c}", "甲", "", 2)
            for c, m in ((40, 4), (50, 6))
        ),
    ]
    path = tmp_path / "全部.xlsx"
    write_xlsx(new, path, rows, NOTE, at=AT, versions=(old, new))
    sheet = data_sheet(openpyxl.load_workbook(path))
    heads = [cell.value for cell in sheet[3]]
    assert heads.count("计算机台数") == 1
    assert "电脑台数" not in heads
    assert [sheet.cell(r, column(sheet, "computers")).value for r in range(4, 9)] == [10, 20, 30, 40, 50]
    assert [sheet.cell(r, column(sheet, "books")).value for r in range(4, 9)] == [100, 200, 300, "—", "—"]
    assert [sheet.cell(r, column(sheet, "rooms")).value for r in range(4, 9)] == ["—", "—", "—", 4, 6]
    assert [sheet.cell(r, column(sheet, "_schema")).value for r in range(4, 9)] == ["第 1 版"] * 3 + ["第 2 版"] * 2
    current = [
        Current(r.record, 1, {("computers" if k == "pcs" else k): v for k, v in r.data.items()}, r.unit) for r in rows
    ]
    found = judged(path, new, current, versions=(old, new), units={r.unit: r.unit for r in rows}, unit="")
    assert found.differences.count(RowState.SAME) == 5
    assert [(one.title, one.values) for one in found.filled.not_taken] == [("图书册数", 3)]


def test_an_old_record_with_the_new_column_shows_its_value(tmp_path: Path) -> None:
    """P18: an old record given 多媒体教室 afterwards appears with it in the same export."""
    new = register(Field("rooms", FieldType.INTEGER, "多媒体教室"), Field("n", FieldType.INTEGER, "数"), version=2)
    old = register(Field("n", FieldType.INTEGER, "数"))
    path = tmp_path / "全部.xlsx"
    write_xlsx(
        new,
        path,
        [ExportRow({"n": 1, "rooms": 2}, "a", 2, "U1", "甲", "", 1), ExportRow({"n": 1}, "b", 1, "U1", "甲", "", 1)],
        NOTE,
        at=AT,
        versions=(old, new),
    )
    sheet = data_sheet(openpyxl.load_workbook(path))
    assert [sheet.cell(r, column(sheet, "rooms")).value for r in (4, 5)] == [2, "—"]


def test_p20_the_file_says_what_it_is(tmp_path: Path) -> None:
    """The first sheet states filter, as-of, row count, who and when; left-out columns empty nothing; 12,000 rows stay 12,000."""
    one = people()
    current = records([{"number": f"{n:05d}", "name": "王五", "rooms": n} for n in range(12_000)])
    path, plain = tmp_path / "筛选.xlsx", tmp_path / "筛选.csv"
    write_xlsx(one, path, exported(current), NOTE, at=AT, fields=["rooms", "number"])
    write_csv(one, plain, exported(current), at=AT, fields=["rooms", "number"])
    book = openpyxl.load_workbook(path, read_only=True)
    assert book.sheetnames[0] == "说明"
    facts = {row[0]: row[1] for row in book["说明"].iter_rows(values_only=True) if row[0]}
    assert facts["筛选"] == "学段=小学"
    assert facts["截至"] == "2025-10-01"
    assert facts["行数"] == "12000"
    assert facts["导出人"] == "王芳（东镇中心校）"
    assert facts["导出时间"] == "2025-10-02 09:30"
    for file in (path, plain):
        found = judged(file, one, current)
        assert found.differences.count(RowState.SAME) == 12_000
        assert found.differences.missing == ()
    assert plain.read_bytes().startswith(b"\xef\xbb\xbf")
    assert plain.read_text(encoding="utf-8-sig").splitlines()[0].split(",")[-2:] == ["教室数（间）", "编号 *"]


def test_formulas_are_texts(tmp_path: Path) -> None:
    """A stored text that a spreadsheet would run is a text in xlsx and neutralised in csv."""
    one = register(Field("a", FieldType.STRING, "甲"), Field("n", FieldType.INTEGER, "数"))
    rows = [ExportRow({"a": '=HYPERLINK("http://x")', "n": -3}, "r", 1, "U1", "东")]
    write_xlsx(one, tmp_path / "a.xlsx", rows, NOTE, at=AT)
    write_csv(one, tmp_path / "a.csv", rows, at=AT)
    sheet = data_sheet(openpyxl.load_workbook(tmp_path / "a.xlsx"))
    assert sheet.cell(4, column(sheet, "a")).data_type == "s"
    line = (tmp_path / "a.csv").read_text(encoding="utf-8-sig").splitlines()[1]
    assert "'=HYPERLINK" in line
    assert line.endswith(",-3")


def test_a_masked_export_holds_no_full_number(tmp_path: Path) -> None:
    """P06: not a byte of the number in xlsx or csv."""
    one, current = people(), roster(3)
    write_xlsx(one, tmp_path / "a.xlsx", exported(current), NOTE, at=AT, masked=["id_card", "name"])
    write_csv(one, tmp_path / "a.csv", exported(current), at=AT, masked=["id_card", "name"])
    sheet = data_sheet(openpyxl.load_workbook(tmp_path / "a.xlsx"))
    assert sheet.cell(4, column(sheet, "id_card")).value == "990000********0000"
    assert sheet.cell(4, column(sheet, "name")).value == "张*"
    assert "990000201204070000" not in (tmp_path / "a.csv").read_text(encoding="utf-8-sig")
    assert Sensitive.NAME.value == "name"


def test_p19_an_ended_choice_goes_out_and_comes_in(tmp_path: Path) -> None:
    """A record that has C keeps it through export and import, in a year where C is no longer offered."""
    one = register(Field("g", FieldType.STRING, "等级", codes="grade"), Field("n", FieldType.STRING, "号"), key=["n"])
    current = records([{"n": "1", "g": "C"}, {"n": "2", "g": "B"}])
    for kind in ("xlsx", "csv"):
        path = tmp_path / f"a.{kind}"
        if kind == "xlsx":
            write_xlsx(one, path, exported(current), NOTE, at=AT)
        else:
            write_csv(one, path, exported(current), at=AT)
        found = judged(path, one, current)
        assert found.clean
        assert found.differences.count(RowState.SAME) == 2


def test_p29_days_and_times_go_out_and_in_unmoved(tmp_path: Path) -> None:
    """The day stays the day; 23:30 Beijing time is in the cell, 15:30 UTC is stored."""
    one = register(Field("d", FieldType.DATE, "日期"), Field("m", FieldType.DATETIME, "时间"))
    current = records([{"d": "2025-09-01", "m": "2025-09-30T15:30:00Z"}])
    path = tmp_path / "a.xlsx"
    write_xlsx(one, path, exported(current), NOTE, at=AT)
    sheet = data_sheet(openpyxl.load_workbook(path))
    assert sheet.cell(4, column(sheet, "m")).value == dt.datetime(2025, 9, 30, 23, 30)
    assert sheet.cell(4, column(sheet, "d")).value == dt.datetime(2025, 9, 1)
    assert judged(path, one, current).differences.count(RowState.SAME) == 1


def test_more_rows_than_a_sheet_holds_are_refused_with_both_numbers(tmp_path: Path) -> None:
    class Many(list):  # type: ignore[type-arg]
        def __len__(self) -> int:
            return 2_000_000

    with pytest.raises(TooManyRowsError, match=r"2,000,000 行.*1,048,573 行"):
        write_xlsx(people(), tmp_path / "a.xlsx", Many(), NOTE, at=AT)
    assert not (tmp_path / "a.xlsx").exists()

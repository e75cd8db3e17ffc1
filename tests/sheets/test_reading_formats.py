"""What is read from each format: by content, with row numbers as the user sees them, and the facts beside the cells."""

from __future__ import annotations

import datetime as dt
import io
import struct
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st
from reading_makers import (
    MAIN,
    biff8,
    binary_number,
    binary_record,
    binary_row,
    binary_string,
    number,
    ods,
    ole,
    record,
    sheet_xml,
    styles_xml,
    wide_text,
    xlsb,
    xlsx,
)

from jiaoheng.sheets.number_formats import padded_digits
from jiaoheng.sheets.reading import read_file
from jiaoheng.sheets.workbook import Sheet, SourceFile


def read(tmp_path: Path, name: str, data: bytes) -> SourceFile:
    """Write and read one file."""
    path = tmp_path / name
    path.write_bytes(data)
    return read_file(path)


def only_sheet(source: SourceFile) -> Sheet:
    """The single sheet of a file without errors."""
    assert [problem for problem in source.problems if problem.severity == "error"] == []
    (sheet,) = source.sheets
    return sheet


def test_leading_zeros_come_from_the_number_format(tmp_path: Path) -> None:
    """C01: numeric ids keep their number and tell how many digits are shown; text and plain numbers do not."""
    cells = (
        '<row r="2"><c r="A2" t="inlineStr"><is><t>0118030001</t></is></c><c r="B2" s="1"><v>118030002</v></c>'
        '<c r="C2"><v>118030003</v></c><c r="D2" s="1" t="inlineStr"><is><t>0118030004</t></is></c>'
        '<c r="E2" s="2"><v>7</v></c><c r="F2" s="3"><v>7</v></c><c r="G2" s="1"/></row>'
    )
    data = xlsx(sheet_xml(cells), styles=styles_xml("0000000000", "000_ ;[Red]\\-000", "0.00"))
    sheet = only_sheet(read(tmp_path, "a.xlsx", data))
    assert sheet.rows == ((None,) * 6, ("0118030001", 118030002.0, 118030003.0, "0118030004", 7.0, 7.0))
    assert sheet.zero_formats == {(1, 1): 10, (1, 4): 3}


@pytest.mark.parametrize(
    ("code", "digits"),
    [
        ("0000000000", 10),
        ("00", 2),
        ("[$-804]0000", 4),
        ("000_ ", 3),
        ("0000;-0000", 4),
        ("[红色]00000", 5),
        ("0", 0),
        ("0.00", 0),
        ("General", 0),
        ("@", 0),
        ("#,##0", 0),
        ('"2024"0000', 0),
        ("00:00", 0),
        ("yyyy", 0),
        ("", 0),
        ("0" * 500, 0),
    ],
)
def test_padding_of_number_formats(code: str, digits: int) -> None:
    """Only a bare run of zeros pads a whole number."""
    assert padded_digits(code) == digits


def test_cells_of_every_type_from_a_usual_writer(tmp_path: Path) -> None:
    """Dates arrive as dates, text numbers as text, long ids as the float they are, blanks as None."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet("成绩")
    day, clock = book.add_format({"num_format": "m月d日"}), book.add_format({"num_format": "[h]:mm"})
    sheet.write_row(2, 1, ["x", "007", 3.5, True, 990000201204070144])
    sheet.write_datetime(3, 1, dt.datetime(2024, 3, 5), day)
    sheet.write_datetime(3, 2, dt.datetime(2024, 3, 5, 8, 30), day)
    sheet.write_number(3, 3, 1.5, clock)
    sheet.write_rich_string(4, 1, book.add_format({"bold": True}), "粗", "细")
    sheet.write_string(4, 2, " 前后\n空白 ")
    sheet.write_blank(900, 30, None, day)
    book.close()
    found = only_sheet(read(tmp_path, "a.xlsx", out.getvalue()))
    assert found.rows == (
        (None,) * 6,
        (None,) * 6,
        (None, "x", "007", 3.5, True, 9.900002012040701e17),
        (None, dt.date(2024, 3, 5), dt.datetime(2024, 3, 5, 8, 30), dt.timedelta(hours=36), None, None),
        (None, "粗细", " 前后\n空白 ", None, None, None),
    )


def test_errors_and_formulas_without_value_are_told_apart(tmp_path: Path) -> None:
    """An error cell is None with its word; a formula never calculated is listed, one with an empty result is not."""
    cells = (
        '<row r="1"><c r="A1" t="e"><f>NA()</f><v>#N/A</v></c><c r="B1"><f>1+1</f></c><c r="C1"><f>1+1</f><v>2</v></c>'
        '<c r="D1" t="str"><f>IF(1,"","")</f><v></v></c><c r="E1"><f>A1</f><v></v></c><c r="F1" t="e"><v>#DIV/0!</v></c></row>'
    )
    sheet = only_sheet(read(tmp_path, "a.xlsx", xlsx(sheet_xml(cells))))
    assert sheet.rows == ((None, None, 2.0, None, None, None),)
    assert sheet.error_cells == {(0, 0): "#N/A", (0, 5): "#DIV/0!"}
    assert sheet.formulas_without_value == {(0, 1), (0, 4)}


def test_numbers_that_are_none_become_error_cells(tmp_path: Path) -> None:
    """A value beyond every number is no number."""
    cells = '<row r="1"><c r="A1"><v>1</v></c><c r="B1"><v>1e999</v></c></row><row r="2"><c r="A2"><v>NaN</v></c></row>'
    sheet = only_sheet(read(tmp_path, "a.xlsx", xlsx(sheet_xml(cells))))
    assert sheet.rows == ((1.0, None), (None, None))
    assert sheet.error_cells == {(0, 1): "#NUM!", (1, 0): "#NUM!"}


HIDDEN = (
    '<row r="1"><c r="A1"><v>1</v></c><c r="C1"><v>3</v></c></row><row r="2" ht="0" hidden="1"><c r="A2"><v>2</v></c></row>'
    '<row r="3" hidden="0"><c r="A3"><v>3</v></c></row>'
)
COLS = '<cols><col min="2" max="3" width="0" hidden="1" customWidth="1"/></cols>'


@pytest.mark.parametrize("unusual", [False, True])
def test_hidden_rows_columns_sheets_and_filters(tmp_path: Path, unusual: bool) -> None:
    """The quick and the exact pass agree on what is hidden."""
    rows = ("<!-- x -->" if unusual else "") + HIDDEN
    parts = {
        "明": sheet_xml(rows, COLS, '<autoFilter ref="A1:C3"/>'),
        "暗": sheet_xml(rows),
        "深": sheet_xml(rows),
    }
    source = read(tmp_path, "a.xlsx", xlsx(sheets=parts, states={"暗": "hidden", "深": "veryHidden"}))
    assert [sheet.hidden for sheet in source.sheets] == [False, True, True]
    first, second, _ = source.sheets
    assert (first.hidden_rows, first.hidden_columns, first.filtered) == ({1}, {1, 2}, True)
    assert (second.hidden_rows, second.hidden_columns, second.filtered) == ({1}, frozenset(), False)


CELL = st.builds(
    lambda style, kind, body: (style, kind, body),
    st.sampled_from(["", ' s="1"', ' s="2"']),
    st.sampled_from(["", ' t="n"', ' t="e"', ' t="str"']),
    st.sampled_from(["", "<v>5</v>", "<f>1</f>", "<f>1</f><v></v>", "<f>1</f><v>7</v>"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.none() | CELL, min_size=1, max_size=5), min_size=1, max_size=6), st.data())
def test_the_quick_pass_says_what_the_exact_pass_says(
    grid: list[list[tuple[str, str, str] | None]], data: st.DataObject
) -> None:
    """Both passes over the same sheet give the same facts and the same reach."""
    from jiaoheng.sheets.extent import Extent
    from jiaoheng.sheets.guard import Archive
    from jiaoheng.sheets.limits import Limits
    from jiaoheng.sheets.xlsx_extra import read_facts, read_workbook
    from jiaoheng.sheets.xlsx_slow import scan_slowly

    rows = ""
    for number_, row in enumerate(grid, start=3):
        hidden = data.draw(st.sampled_from(["", ' hidden="1"', ' hidden="0"']))
        cells = ""
        for column, cell in enumerate(row):
            if cell is not None:
                style, kind, body = cell
                start = f'<c r="{"ABCDE"[column]}{number_}"{style}{kind}'
                cells += f"{start}>{body}</c>" if body else f"{start}/>"
        rows += f'<row r="{number_}" spans="1:5"{hidden}>{cells}</row>'
    archive = Archive(xlsx(sheet_xml(rows, COLS), styles=styles_xml("0000", "0.0")), Limits())
    workbook = read_workbook(archive)
    quick = read_facts(archive, workbook.parts[0], workbook.zero_styles, Extent(Limits()))
    exact = scan_slowly(archive, workbook.parts[0].part, workbook.zero_styles, Extent(Limits()).sheet(""))
    assert quick == exact


def test_merged_ranges_end_with_the_sheet(tmp_path: Path) -> None:
    """A merge over whole columns is cut to the rows that are there; one outside the cells is dropped."""
    after = '<mergeCells><mergeCell ref="A1:B1"/><mergeCell ref="A2:A1048576"/><mergeCell ref="X9:Z9"/></mergeCells>'
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c><c r="B{n}"><v>1</v></c></row>' for n in (1, 2, 3))
    sheet = only_sheet(read(tmp_path, "a.xlsx", xlsx(sheet_xml(rows, after=after))))
    assert set(sheet.merged) == {((0, 0), (0, 1)), ((1, 0), (2, 0))}


def test_wrong_dimension_is_harmless(tmp_path: Path, shared_cases: Path) -> None:
    """C17: all rows are read whatever the dimension says."""
    assert len(only_sheet(read_file(shared_cases / "C17.xlsx")).rows) == 4
    for wrong in ("A1", "A1:XFD1048576", "C3:A1", "nonsense"):
        sheet = only_sheet(read(tmp_path, "a.xlsx", xlsx(sheet_xml(before=f'<dimension ref="{wrong}"/>'))))
        assert sheet.rows == (("姓名", "语文"), ("学生甲", 81.5))


def test_hundred_thousands_of_empty_formatted_rows_are_not_read(tmp_path: Path) -> None:
    """A used range dragged down to nowhere, as WPS leaves it, does not matter."""
    empty = "".join(
        f'<row r="{n}" spans="1:2" s="1"><c r="A{n}" s="1"/><c r="XFD{n}" s="1"/></row>' for n in range(3, 200_000)
    )
    rows = '<row r="1"><c r="A1"><v>1</v></c></row>' + empty + '<row r="1048576"><c r="XFD1048576" s="1"/></row>'
    assert only_sheet(read(tmp_path, "a.xlsx", xlsx(sheet_xml(rows)))).rows == ((1.0,),)


def test_implied_references_and_prefixes(tmp_path: Path) -> None:
    """Cells without a reference stand where they follow; a prefixed sheet is the same sheet."""
    body = (
        f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row r="2"><x:c><x:v>1</x:v></x:c><x:c s="1"><x:v>2</x:v></x:c></x:row>'
        "</x:sheetData></x:worksheet>"
    )
    sheet = only_sheet(read(tmp_path, "a.xlsx", xlsx(body, styles=styles_xml("000"))))
    assert sheet.rows[-1] == (1.0, 2.0)
    assert sheet.zero_formats == {(1, 1): 3}


def test_phonetic_text_is_not_doubled_and_escapes_are_read(tmp_path: Path) -> None:
    """拼音 of a rich string is no part of the name; `_x000D_` is a character."""
    strings = (
        f'<sst xmlns="{MAIN}"><si><t>王</t><rPh sb="0" eb="1"><t>wang</t></rPh><phoneticPr fontId="1"/></si>'
        "<si><t>甲_x000D_\n乙</t></si></sst>"
    )
    rows = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'
    sheet = only_sheet(read(tmp_path, "a.xlsx", xlsx(sheet_xml(rows), strings=strings)))
    assert sheet.rows == (("王", "甲\r\n乙"),)


def test_xls_from_a_usual_writer(tmp_path: Path) -> None:
    """Numbers, dates, zero formats, merges, hidden rows and errors of a 97–2003 workbook."""
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("成绩")
    sheet.write_merge(0, 0, 0, 2, "标题")
    sheet.write(2, 0, 118030002, xlwt.easyxf(num_format_str="0000000000"))
    sheet.write(2, 1, 118030002.5, xlwt.easyxf(num_format_str="0000000000"))
    sheet.write(2, 2, dt.date(2024, 3, 5), xlwt.easyxf(num_format_str="yyyy-mm-dd"))
    sheet.write(3, 0, "㛃某")
    sheet.row(3).hidden = True
    sheet.col(1).hidden = True
    book.add_sheet("暗").visibility = 1
    out = io.BytesIO()
    book.save(out)
    source = read(tmp_path, "a.xls", out.getvalue())
    first, second = source.sheets
    assert first.rows[2] == (118030002.0, 118030002.5, dt.date(2024, 3, 5))
    assert first.zero_formats == {(2, 0): 10, (2, 1): 10}
    assert (first.merged, first.hidden_rows, first.hidden_columns) == ((((0, 0), (0, 2)),), {3}, {1})
    assert (source.true_format, second.hidden, source.problems) == ("xls", True, ())


def test_xls_error_cells(tmp_path: Path) -> None:
    """An error constant is None with its word."""
    cells = number(0, 0, 5.0) + record(0x0205, struct.pack("<HHHBB", 1, 0, 0, 0x2A, 1))
    sheet = only_sheet(read(tmp_path, "a.xls", ole({"Workbook": biff8(cells)})))
    assert (sheet.rows, sheet.error_cells) == (((5.0,), (None,)), {(1, 0): "#N/A"})


def test_xlsb(tmp_path: Path) -> None:
    """A binary workbook gives cells, zero formats and hidden rows."""
    styles = binary_record(615, struct.pack("<I", 1)) + binary_record(44, struct.pack("<H", 164) + wide_text("000000"))
    styles += binary_record(616) + binary_record(617, struct.pack("<I", 2))
    styles += binary_record(47, struct.pack("<HH", 0, 0) + bytes(12)) + binary_record(
        47, struct.pack("<HH", 0, 164) + bytes(12)
    )
    styles += binary_record(618)
    cells = binary_row(0) + binary_string(0, "学号") + binary_row(1, hidden=True) + binary_number(0, 42.0, 1)
    source = read(tmp_path, "a.xlsb", xlsb(cells, styles))
    sheet = only_sheet(source)
    assert (sheet.rows, sheet.zero_formats, sheet.hidden_rows) == ((("学号",), (42.0,)), {(1, 0): 6}, {1})
    assert source.true_format == "xlsb"


def test_ods(tmp_path: Path) -> None:
    """Repeats are spread out, the endless empty tail is not; styles tell zeros, visibility tells hidden rows."""
    styles = (
        '<number:number-style style:name="N1"><number:number number:decimal-places="0" number:min-integer-digits="6"/>'
        '</number:number-style><style:style style:name="ce1" style:family="table-cell" style:data-style-name="N1"/>'
    )
    float_cell = '<table:table-cell{} office:value-type="float" office:value="42"><text:p>x</text:p></table:table-cell>'
    table = (
        '<table:table-column table:number-columns-repeated="3"/><table:table-row><table:table-cell '
        'table:number-columns-spanned="2" office:value-type="string"><text:p>标题</text:p></table:table-cell>'
        "<table:covered-table-cell/></table:table-row>"
        f'<table:table-row table:visibility="filter">{float_cell.format(" table:style-name=" + chr(34) + "ce1" + chr(34))}'
        f"{float_cell.format(' table:number-columns-repeated=' + chr(34) + '2' + chr(34))}</table:table-row>"
        '<table:table-row table:number-rows-repeated="1048574"><table:table-cell table:number-columns-repeated="16384"/>'
        "</table:table-row>"
    )
    sheet = only_sheet(read(tmp_path, "a.ods", ods(table, styles)))
    assert sheet.rows == (("标题", None, None), (42.0, 42.0, 42.0))
    assert (sheet.zero_formats, sheet.hidden_rows, sheet.filtered) == ({(1, 0): 6}, {1}, True)
    assert sheet.merged == (((0, 0), (0, 1)),)


def test_html_saved_as_xls(tmp_path: Path) -> None:
    """C19: text stays text, spans become merges, blanks run together, scripts and styles are no text."""
    page = """<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head><meta charset="gb2312">
    <style>.id{mso-number-format:"0000000000";} .t{mso-number-format:"\\@"}</style><xml><x:ExcelWorkbook><x:ExcelWorksheets>
    <x:ExcelWorksheet><x:Name>期末</x:Name></x:ExcelWorksheet></x:ExcelWorksheets></x:ExcelWorkbook></xml></head><body>
    <table><tr><th rowspan=2>学号</th><th colspan="2">语文</th></tr><tr><td>得分</td><td>名次</td></tr>
    <tr><td class="id">118030002</td><td class=t>007</td><td> 8&nbsp;<b>1</b>
    .5</td></tr><tr style="display:none"><td>x<br>y<script>alert(1)</script></td></table></body></html>"""
    source = read(tmp_path, "a.xls", page.encode("gb18030"))
    sheet = only_sheet(source)
    assert sheet.name == "期末"
    assert sheet.rows == (
        ("学号", "语文", None),
        (None, "得分", "名次"),
        (118030002.0, "007", "8\xa01 .5"),
        ("x\ny", None, None),
    )
    assert sheet.zero_formats == {(2, 0): 10}
    assert set(sheet.merged) == {((0, 0), (1, 0)), ((0, 1), (0, 2))}
    assert sheet.hidden_rows == {3}
    assert (source.true_format, source.encoding) == ("html", "gb18030")
    (note,) = source.problems
    assert (note.code, note.severity) == ("extension-lies", "note")
    assert "扩展名是 .xls，内容其实是网页表格" in note.message


def test_html_layout_tables_give_way_to_the_tables_inside(tmp_path: Path) -> None:
    """A page laid out with tables gives its data tables, each a sheet."""
    page = "<table><tr><td><table><tr><td>a<td>1</table></td><td><table><tr><td>b<td>2</table></td></tr></table>"
    source = read(tmp_path, "a.html", page.encode())
    assert [(sheet.name, sheet.rows) for sheet in source.sheets] == [("表格1", (("a", "1"),)), ("表格2", (("b", "2"),))]


def test_xml_2003(tmp_path: Path) -> None:
    """SpreadsheetML: indexes, merges, types, zero formats, hidden parts, comments left out."""
    text = """<?xml version="1.0" encoding="GB2312"?><?mso-application progid="Excel.Sheet"?>
    <Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"
     xmlns:x="urn:schemas-microsoft-com:office:excel"><Styles><Style ss:ID="s1"><NumberFormat ss:Format="000000"/></Style>
    </Styles><Worksheet ss:Name="成绩"><Table><Column ss:Index="2" ss:Hidden="1"/><Row ss:Index="2"><Cell ss:MergeAcross="1">
    <Data ss:Type="String">标<B>题</B></Data></Cell><Cell><Data ss:Type="Number">1.5</Data><Comment><Data>注</Data></Comment>
    </Cell></Row><Row ss:Hidden="1"><Cell ss:StyleID="s1"><Data ss:Type="Number">42</Data></Cell><Cell ss:Index="3">
    <Data ss:Type="DateTime">2024-03-05T00:00:00.000</Data></Cell></Row><Row><Cell><Data ss:Type="Error">#N/A</Data></Cell>
    <Cell ss:Formula="=1"/><Cell><Data ss:Type="Boolean">1</Data></Cell></Row></Table><WorksheetOptions
    xmlns="urn:schemas-microsoft-com:office:excel"><Visible>SheetHidden</Visible></WorksheetOptions></Worksheet></Workbook>"""
    sheet = only_sheet(read(tmp_path, "a.xls", text.encode("gb18030")))
    assert sheet.rows == (
        (None, None, None),
        ("标题", None, 1.5),
        (42.0, None, dt.date(2024, 3, 5)),
        (None, None, True),
    )
    assert (sheet.zero_formats, sheet.hidden_rows, sheet.hidden_columns) == ({(2, 0): 6}, {2}, {1})
    assert (sheet.error_cells, sheet.formulas_without_value) == ({(3, 0): "#N/A"}, {(3, 1)})
    assert (sheet.merged, sheet.hidden, sheet.name) == ((((1, 0), (1, 1)),), True, "成绩")


def test_strict_dates_and_openpyxl_output(tmp_path: Path) -> None:
    """ISO dates of another writer are dates as well."""
    book = openpyxl.Workbook()
    book.iso_dates = True
    assert book.active is not None
    book.active.append([dt.datetime(2024, 3, 5, 8, 30), "=1+1", "07"])
    out = io.BytesIO()
    book.save(out)
    sheet = only_sheet(read(tmp_path, "a.xlsx", out.getvalue()))
    assert sheet.rows == ((dt.datetime(2024, 3, 5, 8, 30), None, "07"),)
    assert sheet.formulas_without_value == {(0, 1)}

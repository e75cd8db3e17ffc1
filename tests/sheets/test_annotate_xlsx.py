"""The marked copy of an xlsx workbook: marks and notes are there, everything else is as it was."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import openpyxl
import pytest
from annotate_kit import (
    ERROR,
    QUESTION,
    QUOTED,
    SHEET,
    WARNING,
    column_question,
    fills,
    full_question,
    mark_question,
    notes,
    parts,
    prefixed,
    problem,
    read,
    rewritten,
    rich_workbook,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from jiaoheng.sheets.annotate import AnnotateError, annotate
from jiaoheng.sheets.ooxml_edit import SheetPlan, edit_sheet
from jiaoheng.sheets.ooxml_scan import scan_sheet
from jiaoheng.sheets.places import Place, Problem, Question, Severity, column_letters

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return rich_workbook(tmp_path / "甲校.xlsx")


def test_untouched_parts_are_the_same_bytes(book: Path, tmp_path: Path) -> None:
    """Charts, pictures, shared strings, theme and chart sheets are copied, touched sheets keep all but their marks."""
    done = annotate(book, None, [problem(5, 3)], [], tmp_path / "OUT.xlsx")
    before, after = parts(book), parts(done.path)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {
        "[Content_Types].xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml", "xl/workbook.xml",
        "xl/comments1.xml", "xl/drawings/vmlDrawing1.vml", "xl/worksheets/sheet1.xml",
    }  # fmt: skip
    assert any(name.startswith("xl/media/") for name in before)
    sheet = after["xl/worksheets/sheet1.xml"]
    undone = re.sub(rb'(<c r="C5") s="\d+"', rb'\1 s="4"', sheet)
    original = before["xl/worksheets/sheet1.xml"].replace(b' tabSelected="1"', b"")
    assert re.sub(rb'(<c r="C5") s="\d+"', rb'\1 s="4"', original) == undone


def test_marks_keep_the_other_format_and_blank_cells_are_made(book: Path, tmp_path: Path) -> None:
    found = [problem(5, 3), problem(10, 4, Severity.WARNING), problem(40, 12), problem(13, 3, Severity.NOTE)]
    done = annotate(book, None, found, [], tmp_path / "OUT.xlsx")
    assert fills(done.path, SHEET) == {"C5": ERROR, "D10": WARNING, "L40": ERROR}
    assert (done.marked, done.notes, done.listed, done.unplaced) == (3, 3, 4, 0)
    marked = openpyxl.load_workbook(done.path)[SHEET]["C5"]
    assert (marked.value, marked.number_format, marked.border.left.style, marked.alignment.horizontal) == (
        84, "0.0", "thin", "center",
    )  # fmt: skip
    assert notes(done.path, SHEET)["C5"] == "【教衡】错误：成绩 155 超过满分 150。请改正。"


def test_rows_columns_and_merged_areas_find_their_cell(book: Path, tmp_path: Path) -> None:
    """A row marks its first filled cell, a column its head, a cell inside a merged area the area's first cell."""
    found = [problem(12, 0), problem(0, 4, Severity.WARNING), problem(1, 3)]
    done = annotate(book, None, found, [], tmp_path / "OUT.xlsx")
    assert fills(done.path, SHEET) == {"A12": ERROR, "D2": WARNING, "A1": ERROR}
    told = annotate(
        book, None, [problem(0, 1)], [], tmp_path / "OUT2.xlsx", headers={("甲校.xlsx", SHEET): 2}
    )  # fmt: skip
    assert fills(told.path, SHEET) == {"A2": ERROR}


def test_own_notes_stay_above_ours_and_one_cell_collects_all_reasons(book: Path, tmp_path: Path) -> None:
    found = [problem(3, 2, Severity.WARNING, message="同名", remedy=""), problem(3, 2, message="<b>&\"'")]
    done = annotate(book, None, found, [], tmp_path / "OUT.xlsx")
    assert notes(done.path, SHEET) == {
        "B3": "自己的批注：转学生\n【教衡】错误：<b>&\"'。请改正。\n提醒：同名。",
    }
    assert fills(done.path, SHEET) == {"B3": ERROR}


def test_every_note_has_its_box(book: Path, tmp_path: Path) -> None:
    """A note without a shape in the drawing makes Excel repair the file; ids must not repeat."""
    found = [problem(row, 3) for row in range(3, 29)]
    done = annotate(book, None, found, [], tmp_path / "OUT.xlsx")
    drawing = etree.fromstring(parts(done.path)["xl/drawings/vmlDrawing1.vml"])
    rows = [element.text for element in drawing.iter("{urn:schemas-microsoft-com:office:excel}Row")]
    identities = [shape.get("id") for shape in drawing.iter("{urn:schemas-microsoft-com:vml}shape")]
    assert len(rows) == 27
    assert len(set(identities)) == 27


def test_question_sheet_is_first_active_and_alone_selected(book: Path, tmp_path: Path) -> None:
    """With two selected sheets an edit would go to both of them."""
    done = annotate(book, None, [], [mark_question(), full_question()], tmp_path / "OUT.xlsx")
    opened = openpyxl.load_workbook(done.path)
    assert [sheet.title for sheet in opened.worksheets] == ["待确认", SHEET, QUOTED, "_教衡"]
    assert opened.active.title == "待确认"
    assert [sheet.title for sheet in opened.worksheets if sheet.sheet_view.tabSelected] == ["待确认"]
    assert opened["_教衡"].sheet_state == "veryHidden"
    assert opened["待确认"].column_dimensions["G"].hidden
    sheet = opened["待确认"]
    assert sheet["A1"].value == "2 个问题等您答复。填完后保存，再次运行。"
    assert [cell.value for cell in sheet[3]] == ["编号", "位置", "问题", "可选", "默认", "您的答复", "键"]
    assert [cell.value for cell in sheet[4]] == [
        "1", f"工作表“{SHEET}” C6", "“/”表示什么？", "1. 未选：未选考\n2. 缺考\n3. 缺失：没有成绩", "未选", None,
        '["marks", "/"]',
    ]  # fmt: skip
    assert sheet["E5"].value == "无，须答复"
    assert fills(done.path, SHEET) == {"C6": QUESTION, "D2": QUESTION}


def test_drop_downs_hold_every_choice(book: Path, tmp_path: Path) -> None:
    """A list over 255 characters or with a comma comes from the hidden sheet's range; programs drop it otherwise."""
    done = annotate(book, None, [], [mark_question(), column_question()], tmp_path / "OUT.xlsx")
    opened = openpyxl.load_workbook(done.path)
    rules = {str(rule.sqref): rule.formula1 for rule in opened["待确认"].data_validations.dataValidation}
    assert rules["F4"] == '"未选,缺考,缺失"'
    found = re.fullmatch(r"'_教衡'!\$D\$(\d+):\$D\$(\d+)", rules["F5"])
    assert found is not None
    words = [opened["_教衡"].cell(row, 4).value for row in range(int(found[1]), int(found[2]) + 1)]
    assert words == [choice.value for choice in column_question().choices]


def test_list_of_errors_links_to_cells(book: Path, tmp_path: Path) -> None:
    found = [
        problem(3, 1, Severity.WARNING, sheet=QUOTED),
        problem(5, 3),
        Problem("x", Severity.ERROR, Place("设置.yaml"), "缺少名称"),
    ]
    done = annotate(book, None, found, [], tmp_path / "OUT.xlsx")
    sheet = openpyxl.load_workbook(done.path)["待确认"]
    rows = {sheet.cell(row, 3).value: row for row in range(1, 14)}
    links = {cell.coordinate: cell.hyperlink.location for cell in sheet["B"] if cell.hyperlink}
    assert links[f"B{rows['成绩 155 超过满分 150']}"] in (f"'{SHEET}'!C5", "'小明''s 表'!A3")
    assert set(links.values()) == {f"'{SHEET}'!C5", "'小明''s 表'!A3"}
    assert sheet.cell(rows["缺少名称"], 2).value == "设置.yaml"
    assert done.unplaced == 1
    order = [sheet.cell(row, 5).value for row in range(rows["缺少名称"] - 1, rows["缺少名称"] + 2)]
    assert order == ["■ 错误", "■ 错误", "▲ 提醒"]


def test_print_areas_follow_their_sheets(book: Path, tmp_path: Path) -> None:
    """Names refer to sheets by position, and a sheet was put before them."""
    done = annotate(book, None, [], [], tmp_path / "OUT.xlsx")
    opened = openpyxl.load_workbook(done.path)
    assert opened[SHEET].print_area == f"'{SHEET}'!$A$1:$E$30"
    assert opened[QUOTED].print_area == "'小明''s 表'!$A$1:$B$2"
    assert opened[QUOTED].protection.sheet


def test_messages_stay_text(book: Path, tmp_path: Path) -> None:
    bad = '=HYPERLINK("http://x")\x07\ud800_x0041_' + "长" * 40_000
    done = annotate(book, None, [problem(5, 3, message=bad, remedy="=1+1")], [], tmp_path / "OUT.xlsx")
    sheet = openpyxl.load_workbook(done.path)["待确认"]
    row = next(row for row in range(1, 12) if str(sheet.cell(row, 3).value).startswith("=HYPERLINK"))
    assert sheet.cell(row, 3).data_type in ("s", "inlineStr")
    assert sheet.cell(row, 4).data_type in ("s", "inlineStr")
    cells = read(done.path)[0].rows
    assert str(cells[row - 1][2]).startswith('=HYPERLINK("http://x")  _x0041_长')
    assert len(str(cells[row - 1][2])) == 32_767
    assert len(notes(done.path, SHEET)["C5"]) <= 1_000


def test_thousands_of_problems_are_capped_and_said(book: Path, tmp_path: Path) -> None:
    found = [problem(row, column) for row in range(3, 1300) for column in range(1, 6)]
    done = annotate(book, None, found, [], tmp_path / "OUT.xlsx")
    assert (done.marked, done.notes, done.listed) == (6485, 2000, 5000)
    assert done.remarks == (f"工作表“{SHEET}”要标的单元格太多，批注只加了前 2,000 处，其余 4,485 处只有底色",)
    sheet = openpyxl.load_workbook(done.path)["待确认"]
    texts = [cell.value for cell in sheet["A"][:9]]
    assert "错误、提醒和说明共 6,485 处，下面列出前 5,000 处" in texts
    assert done.remarks[0] in texts


@pytest.mark.parametrize("kind", ["strict", "prefixed", "no styles", "absolute", "backslash", "no strings", "utf-16"])
def test_packages_of_other_writers(book: Path, tmp_path: Path, kind: str) -> None:
    """The strict variant, prefixed names, missing parts and odd names are marked like any other."""

    def change(name: str, data: bytes) -> bytes | None:
        if kind == "strict":
            data = data.replace(MAIN.encode(), b"http://purl.oclc.org/ooxml/spreadsheetml/main")
            old = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
            return data.replace(old, b"http://purl.oclc.org/ooxml/officeDocument/relationships")
        if kind == "prefixed" and re.search(r"xl/(worksheets/sheet\d|workbook|styles|comments1)\.xml$", name):
            return prefixed(data)
        if kind == "absolute" and name == "xl/_rels/workbook.xml.rels":
            return data.replace(b'Target="', b'Target="/xl/')
        if kind == "utf-16" and name.startswith("xl/worksheets/sheet"):
            return data.decode().replace("UTF-8", "UTF-16").encode("utf-16")
        if kind == "no styles" and name == "xl/styles.xml":
            return None
        if kind == "no styles" and name.startswith("xl/worksheets/sheet"):
            return re.sub(rb' s="\d+"', b"", data)
        if kind == "no styles" and name == "xl/_rels/workbook.xml.rels":
            return re.sub(rb"<Relationship [^>]*styles[^>]*/>", b"", data)
        return data

    rewritten(book, change)
    if kind == "backslash":
        with_backslashes(book)
    if kind == "no strings":
        plain = openpyxl.Workbook()
        plain.active.title = SHEET
        plain.active["C5"] = 84
        plain.active["D2"] = 1
        plain.save(book)
        rewritten(book, lambda name, data: None if "sharedStrings" in name else data.replace(b"sharedStrings", b"gone"))
    done = annotate(book, None, [problem(5, 3), problem(40, 4)], [mark_question()], tmp_path / "OUT.xlsx")
    assert (done.marked, done.notes) == (3, 3)
    assert read(done.path)[0].name == "待确认"
    if kind not in ("strict", "no strings", "backslash"):  # which openpyxl does not open
        assert fills(done.path, SHEET) == {"C5": ERROR, "D40": ERROR, "C6": QUESTION}
        assert set(notes(done.path, SHEET)) >= {"C5", "D40", "C6"}
    again = annotate(done.path, None, [], [], tmp_path / "AGAIN.xlsx")
    assert (again.marked, again.questions) == (0, 0)
    raw = b"".join(data for name, data in parts(again.path).items() if "comments" in name)
    assert "教衡】".encode() not in raw


def with_backslashes(path: Path) -> None:
    """Names as one exporter writes them."""
    import zipfile

    old = parts(path)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in old.items():
            info = zipfile.ZipInfo("x")
            info.filename = name.replace("/", "\\")
            archive.writestr(info, data)


def test_macros_keep_their_ending(book: Path, tmp_path: Path) -> None:
    """Excel opens a workbook with macros only as xlsm; the macros stay byte for byte."""

    def change(name: str, data: bytes) -> bytes:
        if name == "[Content_Types].xml":
            return data.replace(
                b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
                b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
            )
        return data

    rewritten(book, change, {"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0macro"})
    done = annotate(book, None, [problem(5, 3)], [], tmp_path / "OUT.xlsx")
    assert done.path == tmp_path / "OUT.xlsm"
    assert done.remarks == ("工作簿含有宏，已存为 OUT.xlsm",)
    assert parts(done.path)["xl/vbaProject.bin"] == b"\xd0\xcf\x11\xe0macro"
    assert not (tmp_path / "OUT.xlsx").exists()


@pytest.mark.parametrize("empty", [b"<sheetData/>", b"", b"<sheetData></sheetData>", None])
def test_sheets_without_rows_get_cells(book: Path, tmp_path: Path, empty: bytes | None) -> None:
    def change(name: str, data: bytes) -> bytes:
        if name != "xl/worksheets/sheet2.xml":
            return data
        if empty is None:
            return f'<worksheet xmlns="{MAIN}"/>'.encode()
        return re.sub(rb"<sheetData>.*</sheetData>", empty, data, flags=re.DOTALL)

    rewritten(book, change)
    found = [problem(3, 1, sheet=QUOTED), problem(2, 2, sheet=QUOTED), problem(3, 30, sheet=QUOTED)]
    done = annotate(book, None, found, [], tmp_path / "OUT.xlsx")
    assert fills(done.path, QUOTED) == {"A3": ERROR, "B2": ERROR, "AD3": ERROR}
    assert set(notes(done.path, QUOTED)) == {"A3", "B2", "AD3"}


def test_a_users_own_sheet_of_that_name_stays(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "待确认"
    book.active["A1"] = "我的"
    book.save(tmp_path / "甲校.xlsx")
    done = annotate(tmp_path / "甲校.xlsx", None, [], [mark_question(sheet="待确认")], tmp_path / "OUT.xlsx")
    opened = openpyxl.load_workbook(done.path)
    assert opened.sheetnames == ["待确认（教衡）", "待确认", "_教衡"]
    assert opened["待确认"]["A1"].value == "我的"
    again = annotate(done.path, None, [], [mark_question(sheet="待确认")], tmp_path / "AGAIN.xlsx")
    assert openpyxl.load_workbook(again.path).sheetnames == ["待确认（教衡）", "待确认", "_教衡"]


def test_refusals_name_the_remedy_and_leave_nothing(book: Path, tmp_path: Path) -> None:
    before = book.read_bytes()
    with pytest.raises(AnnotateError, match=r"不能覆盖原文件 甲校\.xlsx。请换一个文件名"):
        annotate(book, None, [], [], book)
    assert book.read_bytes() == before
    with pytest.raises(AnnotateError, match="找不到"):
        annotate(book, None, [], [], tmp_path / "没有" / "OUT.xlsx")
    with pytest.raises(AnnotateError, match="不是 xlsx 工作簿"):
        annotate(book.with_suffix(".png"), None, [], [], tmp_path / "OUT.xlsx")
    cut = tmp_path / "坏.xlsx"
    rewritten(Path(cut.write_bytes(before) and cut), lambda name, data: data[:200] if "sheet1.xml" in name else data)
    with pytest.raises(AnnotateError, match="内部结构不合规范"):
        annotate(cut, None, [problem(5, 3, file="坏.xlsx")], [], tmp_path / "OUT.xlsx")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["坏.xlsx", "甲校.png", "甲校.xlsx"]


def test_document_types_are_refused(book: Path, tmp_path: Path) -> None:
    """An entity in a part is never expanded."""

    def change(name: str, data: bytes) -> bytes:
        bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>'
        return data.replace(b"<worksheet", bomb + b"<worksheet") if name.endswith("sheet1.xml") else data

    rewritten(book, change)
    with pytest.raises(AnnotateError, match="内部结构不合规范"):
        annotate(book, None, [problem(5, 3)], [], tmp_path / "OUT.xlsx")


ROWS = st.dictionaries(
    st.integers(1, 12), st.dictionaries(st.integers(1, 8), st.integers(0, 3), max_size=8), max_size=8
)
TARGETS = st.dictionaries(st.tuples(st.integers(1, 14), st.integers(1, 10)), st.sampled_from(["a", "b"]), max_size=12)


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, targets=TARGETS, prefix=st.sampled_from(["", "x:"]), numbered=st.booleans())
def test_splicing_equals_a_tree(
    rows: dict[int, dict[int, int]], targets: dict[tuple[int, int], str], prefix: str, numbered: bool
) -> None:
    """Whatever cells exist and are wanted: the same cells as a tree would hold, in order, values kept."""

    def cell(row: int, column: int, style: int) -> str:
        tail = f"><{prefix}v>{row * column}</{prefix}v></{prefix}c>" if column % 2 else "/>"
        return f'<{prefix}c r="{column_letters(column)}{row}" s="{style}"{tail}'

    lines = []
    for row, cells in sorted(rows.items()):
        inside = "".join(cell(row, column, style) for column, style in sorted(cells.items()))
        number = f' r="{row}"' if numbered or (row - 1 not in rows and row != 1) else ""
        lines.append(f"<{prefix}row{number}>{inside}</{prefix}row>" if inside else f"<{prefix}row{number} />")
    names = prefix.rstrip(":")
    head = f'<{prefix}worksheet xmlns{":" + names if names else ""}="{MAIN}">'
    data = f"{head}<{prefix}sheetData>{''.join(lines)}</{prefix}sheetData></{prefix}worksheet>".encode()
    scan = scan_sheet(data, {row for row, _ in targets})
    made = edit_sheet(data, scan, SheetPlan(tints=targets), lambda base, colour: 100 + base + 50 * (colour == "b"))
    found = {
        (int(re.sub(r"\D", "", c.get("r", ""))), c.get("r", "").rstrip("0123456789")): (
            int(c.get("s", 0)),
            c.findtext(f"{{{MAIN}}}v"),
        )
        for c in etree.fromstring(made).iter(f"{{{MAIN}}}c")
    }
    wanted = {}
    for row, cells in rows.items():
        for column, style in cells.items():
            wanted[row, column_letters(column)] = (style, str(row * column) if column % 2 else None)
    for (row, column), colour in targets.items():
        style, value = wanted.get((row, column_letters(column)), (0, None))
        wanted[row, column_letters(column)] = (100 + style + 50 * (colour == "b"), value)
    assert found == wanted
    order = [int(row.get("r", 0)) for row in etree.fromstring(made).iter(f"{{{MAIN}}}row") if row.get("r")]
    assert order == sorted(order)
    for row in etree.fromstring(made).iter(f"{{{MAIN}}}row"):
        columns = [len(c.get("r", "")) * 1000 + ord(c.get("r", "")[0]) for c in row]
        assert columns == sorted(columns)


def test_shared_files_survive(shared_real: Path, shared_cases: Path, tmp_path: Path) -> None:
    """Real workbooks: values equal, no part lost, and the second run takes every mark away again."""
    seen = 0
    for path in sorted([*shared_real.glob("*.xlsx"), *shared_cases.glob("C[023]*.xlsx")]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                before = openpyxl.load_workbook(path)
            except Exception:  # noqa: S112 - not every file is a workbook; that is another test's matter
                continue
            found = [
                problem(row, column, file=path.name, sheet=sheet.title)
                for sheet in before.worksheets
                for row, column in ((3, 2), (0, 3), (200, 0))
            ]
            done = annotate(path, None, found, [], tmp_path / "OUT.xlsx")
            after = openpyxl.load_workbook(done.path)
            undone = annotate(done.path, None, [], [], tmp_path / "AGAIN.xlsx")
        for sheet in before.worksheets:
            cells = list(sheet.iter_rows(min_row=1, min_col=1, values_only=True))
            cells = [list(row) for row in cells]
            kept = after[sheet.title]
            assert cells == [[kept.cell(r, c).value for c in range(1, len(row) + 1)] for r, row in enumerate(cells, 1)]
            assert ERROR in fills(done.path, sheet.title).values()
            assert fills(undone.path, sheet.title) == {}
            assert notes(undone.path, sheet.title).keys() == notes(path, sheet.title).keys()
        assert {name for name in parts(path) if not name.endswith("/")} <= set(parts(done.path))
        seen += 1
    assert seen >= 10


def test_one_question_a_key(book: Path, tmp_path: Path) -> None:
    """The same question from two sheets is asked once."""
    done = annotate(book, None, [], [mark_question(), mark_question(sheet=QUOTED)], tmp_path / "OUT.xlsx")
    assert done.questions == 1
    assert isinstance(mark_question(), Question)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (OSError(28, "No space left on device"), "请检查磁盘空间或换一个位置"),
        (PermissionError(13, "denied"), "文件正被打开，或没有写入权限"),
        (KeyboardInterrupt(), None),
    ],
)
def test_a_failed_write_leaves_the_old_copy(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException, message: str | None
) -> None:
    """A full disk, a workbook open in WPS and Ctrl-C: the earlier copy is whole, no half file stays."""
    out = annotate(book, None, [problem(5, 3)], [], tmp_path / "OUT.xlsx").path
    before = out.read_bytes()

    def fail(*_: object) -> None:
        raise fault

    monkeypatch.setattr("jiaoheng.sheets.annotate.os.replace", fail)
    with pytest.raises(AnnotateError if message else KeyboardInterrupt, match=message):
        annotate(book, None, [problem(6, 3)], [], out)
    assert out.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["OUT.xlsx", "甲校.png", "甲校.xlsx"]

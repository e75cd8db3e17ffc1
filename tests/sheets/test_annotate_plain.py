"""Files that are no xlsx package, and several files at once, come back as one new workbook with the same cells."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import openpyxl
import pytest
from annotate_kit import ERROR, SHEET, fill_in, fills, mark_question, problem, read, rich_workbook, source
from hypothesis import given
from hypothesis import strategies as st

from jiaoheng.sheets.annotate import AnnotateError, annotate, annotate_many, read_answers, restore
from jiaoheng.sheets.annotate_plain import unique_names, write_plain
from jiaoheng.sheets.places import Place, Question
from jiaoheng.sheets.reading import read_files
from jiaoheng.sheets.workbook import Sheet, SourceFile

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
CELLS = [["考号", "姓名", "语文"], ["0118030001", "甲", "85"], [118030002, "=1+1", 0.5], ["@x", None, "/"]]


def text_file(folder: Path, name: str, sheets: list[Sheet]) -> SourceFile:
    path = folder / name
    path.write_text("考号,姓名,语文\n", encoding="utf-8")
    return source(path, sheets)


def test_a_text_file_comes_back_as_a_workbook(tmp_path: Path) -> None:
    """Ids and formulas stay text, numbers keep leading zeros, and the second run leads to the original place."""
    sheet = Sheet("甲校.csv", "", CELLS, zero_formats={(2, 0): 10})
    file = text_file(tmp_path, "甲校.csv", [sheet])
    where = [problem(2, 3, file="甲校.csv", sheet="")]
    done = annotate(Path(file.path), file, where, [mark_question("甲校.csv", "", 4)], tmp_path / "OUT.xlsx")
    book = openpyxl.load_workbook(done.path)
    assert book.sheetnames == ["待确认", "甲校", "_教衡"]
    assert [[cell.value for cell in row] for row in book["甲校"].iter_rows()] == CELLS
    assert book["甲校"]["B3"].data_type == "s"
    assert book["甲校"]["A3"].number_format == "0000000000"
    assert fills(done.path, "甲校")["C2"] == ERROR
    fill_in(done.path, {4: "缺考"}, {("甲校", "C2"): "84"})
    sheets, answered = restore(read(done.path))
    assert [(s.file, s.name) for s in sheets] == [("甲校.csv", "")]
    assert sheets[0].rows[1] == ["0118030001", "甲", "84"]
    assert answered.answers == {("marks", "/"): "缺考"}
    again = annotate(done.path, None, [], [], done.path, answered=answered.answers)
    assert fills(again.path, "甲校") == {}
    assert read_answers(read(again.path)).origin == {("OUT.xlsx", "甲校"): ("甲校.csv", "")}


def test_several_files_become_one_workbook(tmp_path: Path) -> None:
    """Same sheet names in two files, a hidden sheet, hidden rows and merged areas: all led back to their files."""
    first = text_file(tmp_path, "甲校.xls", [Sheet("甲校.xls", "九1", CELLS, hidden_rows=frozenset({2}))])
    hidden = Sheet("乙校.xls", "九1", CELLS, hidden=True, hidden_columns=frozenset({1}), merged=(((0, 0), (0, 1)),))
    second = text_file(tmp_path, "乙校.xls", [hidden, Sheet("乙校.xls", "九2", CELLS)])
    found = [problem(2, 3, file="乙校.xls", sheet="九1"), problem(2, 3, file="甲校.xls", sheet="九1")]
    question = Question("hidden", ("rows", "甲校.xls|九1"), Place("甲校.xls", "九1", 3), "隐藏行是否采用？")
    done = annotate_many([first, second], found, [question], tmp_path / "OUT.xlsx")
    book = openpyxl.load_workbook(done.path)
    assert book.sheetnames == ["待确认", "甲校-九1", "乙校-九1", "乙校-九2", "_教衡"]
    assert book["甲校-九1"].row_dimensions[3].hidden
    assert book["乙校-九1"].sheet_state == "hidden"
    assert book["乙校-九1"].column_dimensions["B"].hidden
    assert [str(area) for area in book["乙校-九1"].merged_cells.ranges] == ["A1:B1"]
    assert fills(done.path, "乙校-九1") == {"C2": ERROR}
    assert fills(done.path, "甲校-九1")["C2"] == ERROR
    assert book["待确认"]["G4"].value == '["rows", "甲校.xls|九1"]'
    sheets, _ = restore(read(done.path))
    assert [(s.file, s.name) for s in sheets] == [("甲校.xls", "九1"), ("乙校.xls", "九1"), ("乙校.xls", "九2")]


def test_an_earlier_copy_among_several_files(tmp_path: Path) -> None:
    """An annotated copy put in with another file gives its original sheets, not its own two."""
    copy = annotate(rich_workbook(tmp_path / "甲校.xlsx"), None, [], [mark_question()], tmp_path / "OUT.xlsx").path
    other = text_file(tmp_path, "乙校.csv", [Sheet("乙校.csv", "", CELLS)])
    done = annotate_many([source(copy, read(copy), "xlsx"), other], [problem(5, 3)], [], tmp_path / "ALL.xlsx")
    names = openpyxl.load_workbook(done.path).sheetnames
    assert names == ["待确认", f"甲校-{SHEET}", "甲校-小明's 表", "乙校", "_教衡"]
    assert fills(done.path, f"甲校-{SHEET}") == {"C5": ERROR}


def test_values_of_every_kind(tmp_path: Path) -> None:
    """Dates, times, errors, booleans, huge texts and odd characters are kept or said to be cut."""
    row = [dt.datetime(2025, 6, 20, 8, 30), dt.date(2025, 6, 20), dt.time(8, 30), dt.timedelta(hours=30), True, None]
    odd = ["a\x07b", "_x0041_", "长" * 40_000, dt.datetime(1850, 1, 1), float("inf"), None]
    sheet = Sheet("甲.xls", "s", [row, odd], error_cells={(0, 5): "#N/A"}, formulas_without_value=frozenset({(1, 5)}))
    names, problems = write_plain([sheet], tmp_path / "x.xlsx")
    assert names == {"s": ("甲.xls", "s")}
    assert [found.code for found in problems] == ["annotate-text-cut"]
    assert problems[0].message == "有 1 个单元格的文字超过 32,767 字，标注副本中已截短"
    cells = [[cell.value for cell in line] for line in openpyxl.load_workbook(tmp_path / "x.xlsx", data_only=True)["s"]]
    assert cells[0] == [
        dt.datetime(2025, 6, 20, 8, 30),
        dt.datetime(2025, 6, 20),
        dt.time(8, 30),
        dt.timedelta(hours=30),
        True,
        "#N/A",
    ]
    assert cells[1][0] == "a b"
    assert cells[1][1] in ("_x0041_", "A")  # openpyxl decodes twice
    assert (len(cells[1][2]), cells[1][3], cells[1][4], cells[1][5]) == (32_767, "1850-01-01 00:00:00", "inf", "#N/A")


def test_sources_are_never_overwritten(tmp_path: Path) -> None:
    first = text_file(tmp_path, "OUT.xlsx", [Sheet("OUT.xlsx", "", CELLS)])
    second = text_file(tmp_path, "乙.csv", [Sheet("乙.csv", "", CELLS)])
    with pytest.raises(AnnotateError, match="不能覆盖原文件"):
        annotate_many([first, second], [], [], tmp_path / "OUT.xlsx")
    assert (tmp_path / "OUT.xlsx").read_text(encoding="utf-8") == "考号,姓名,语文\n"
    with pytest.raises(AnnotateError, match="没有可以标注的文件"):
        annotate_many([], [], [], tmp_path / "NEW.xlsx")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["OUT.xlsx", "乙.csv"]


def test_other_endings_become_xlsx(tmp_path: Path) -> None:
    file = text_file(tmp_path, "甲.csv", [Sheet("甲.csv", "", CELLS)])
    assert annotate(Path(file.path), file, [], [], tmp_path / "2025.期中").path.name == "2025.期中.xlsx"
    done = annotate(Path(file.path), file, [], [], tmp_path / "改.csv")
    assert (done.path.name, done.remarks) == ("改.xlsx", ("标注副本是 xlsx 工作簿，已存为 改.xlsx",))


def test_an_unpatchable_package_falls_back_to_its_cells(tmp_path: Path) -> None:
    """A package whose formats cannot be read is still marked, in a new workbook, and that is said."""
    from annotate_kit import rewritten

    path = rewritten(rich_workbook(tmp_path / "甲校.xlsx"), lambda name, data: data[:99] if "styles" in name else data)
    sheets = [Sheet("甲校.xlsx", SHEET, CELLS)]
    done = annotate(path, source(path, sheets, "xlsx"), [problem(2, 3)], [], tmp_path / "OUT.xlsx")
    assert fills(done.path, SHEET) == {"C2": ERROR}
    assert done.remarks == ("原工作簿的内部结构特殊，另写了一份只含数据的副本，格式和图表请看原文件",)


FACTS = (
    "file", "name", "hidden", "hidden_rows", "hidden_columns", "filtered", "merged", "zero_formats",
    "formulas_without_value", "error_cells",
)  # fmt: skip


def test_copies_of_shared_files_read_like_the_originals(shared_real: Path, shared_cases: Path, tmp_path: Path) -> None:
    """Patched or written anew, the copy gives the reader the same sheets: cells, hidden rows, zeros, errors, merges."""
    names = ("C01.xlsx", "C03_gb18030.csv", "C03_utf16.txt", "C04.xlsx", "C19_html.xls", "C19_tsv.xlsx", "C22.csv")
    paths = [shared_cases / name for name in names]
    paths += [*sorted(shared_real.glob("*.xls"))[:1], *sorted(shared_real.glob("lxz*")), *shared_real.glob("seat*")]
    before = read_files(paths)
    alone = [
        annotate(path, file, [], [], tmp_path / f"{path.stem}.xlsx") for path, file in zip(paths, before, strict=True)
    ]
    together = annotate_many(before, [], [], tmp_path / "ALL.xlsx")
    everything = [sheet for file in before for sheet in file.sheets]
    for copies in ([done.path for done in alone], [together.path]):
        after, answered = restore([sheet for file in read_files(copies) for sheet in file.sheets])
        assert answered.problems == ()
        for old, new in zip(everything, after, strict=True):
            assert [list(row) for row in old.rows] == [list(row) for row in new.rows]
            assert {fact: getattr(old, fact) for fact in FACTS} == {fact: getattr(new, fact) for fact in FACTS}


@given(st.lists(st.text(max_size=60), max_size=30))
def test_sheet_names_are_accepted_by_every_program(wanted: list[str]) -> None:
    """At most 31 UTF-16 units, unique without regard to case, no forbidden character, never one of ours."""
    made = unique_names(wanted)
    assert len({name.casefold() for name in made}) == len(wanted)
    for name in made:
        assert 1 <= len(name.encode("utf-16-le")) // 2 <= 31
        assert not set(name) & set("[]:*?/\\")
        assert not name.startswith("'")
        assert not name.endswith("'")
        assert name.casefold() not in ("待确认", "_教衡", "history")

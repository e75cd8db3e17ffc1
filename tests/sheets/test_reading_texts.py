"""Delimited texts: encodings, delimiters, quotes; every cell stays text."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiaoheng.sheets.encodings import decode
from jiaoheng.sheets.limits import Limits
from jiaoheng.sheets.reading import read_file
from jiaoheng.sheets.text_files import find_delimiter, read_text

TABLE = (
    "学号\t姓名\t班级\t语文\r\n001\t㛃某\t九(1)班\t88\r\n002\t阿依·某\t高一(10)班\t缺考\r\n003\t王　某\t一班\t90.5\r\n"
)
ROWS = (
    ("学号", "姓名", "班级", "语文"),
    ("001", "㛃某", "九(1)班", "88"),
    ("002", "阿依·某", "高一(10)班", "缺考"),
    ("003", "王　某", "一班", "90.5"),
)


@pytest.mark.parametrize("delimiter", ["\t", ",", ";", "|"])
@pytest.mark.parametrize(
    ("codec", "mark", "told"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8-sig", b"", "utf-8"),
        ("gb18030", b"", "gb18030"),
        ("utf-16-le", b"\xff\xfe", "utf-16-le"),
        ("utf-16-be", b"\xfe\xff", "utf-16-be"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-be", b"", "utf-16-be"),
        ("utf-32", b"", "utf-32-le"),
    ],
)
def test_every_encoding_and_delimiter_gives_the_same_rows(
    tmp_path: Path, codec: str, mark: bytes, told: str, delimiter: str
) -> None:
    """C03: the same rows from all, zeros kept, rare characters kept, no mark in the first header."""
    path = tmp_path / "a.csv"
    path.write_bytes(mark + TABLE.replace("\t", delimiter).encode(codec))
    source = read_file(path)
    assert source.sheets[0].rows == ROWS
    assert (source.encoding, source.problems) == (told, ())
    assert source.true_format == ("tsv" if delimiter == "\t" else "csv")


def test_shared_encodings(shared_cases: Path) -> None:
    """The three files of C03 agree."""
    names = ("C03_gb18030.csv", "C03_utf8bom.csv", "C03_utf16.txt")
    found = [read_file(shared_cases / name).sheets[0].rows for name in names]
    assert found[0] == found[1] == found[2]
    assert found[0][1][:2] == ("001", "㛃某")


def test_characters_of_the_newer_standard() -> None:
    """GB18030-2022 moved rare characters out of the private area."""
    decoded = decode(b"\xd0\xd5\xc3\xfb\n\xfe\x59\xfe\x9f")
    assert decoded is not None
    assert decoded.text == "姓名\n龴䶮"


def test_quotes_line_breaks_and_blank_lines_keep_their_row_numbers(tmp_path: Path) -> None:
    """A quoted line break is inside a cell; a blank line is a row, as a spreadsheet shows it."""
    path = tmp_path / "a.csv"
    path.write_text('姓名,备注\n"王,某","一\n二""三"\n\n="007",x\n', encoding="utf-8", newline="")
    assert read_file(path).sheets[0].rows == (("姓名", "备注"), ("王,某", '一\n二"三'), (None, None), ("007", "x"))


def test_an_open_quote_does_not_swallow_pupils(tmp_path: Path) -> None:
    """Every line stays a record, and the line with the quote is named."""
    path = tmp_path / "a.csv"
    path.write_text('姓名,语文\n甲,1\n"乙,2\n丙,3\n', encoding="utf-8")
    source = read_file(path)
    assert source.sheets[0].rows == (("姓名", "语文"), ("甲", "1"), ('"乙', "2"), ("丙", "3"))
    (problem,) = source.problems
    assert (problem.code, problem.severity, problem.place.row) == ("quotes-unbalanced", "warning", 3)


def test_the_delimiter_line_of_excel_is_obeyed(tmp_path: Path) -> None:
    """`sep=` names the delimiter and is no row."""
    path = tmp_path / "a.csv"
    path.write_text("sep=;\na;1,5\n", encoding="utf-8")
    assert read_file(path).sheets[0].rows == (("a", "1,5"),)


def test_a_printed_list_with_blanks(tmp_path: Path) -> None:
    """Columns parted by blanks alone are columns; a full-width blank stays in the name."""
    path = tmp_path / "a.txt"
    path.write_text("学号   姓名   语文\n001   王　某   88\n002   李某     90\n", encoding="gb18030")
    assert read_file(path).sheets[0].rows == (("学号", "姓名", "语文"), ("001", "王　某", "88"), ("002", "李某", "90"))


def test_a_byte_that_fits_nowhere_is_named_by_row(tmp_path: Path) -> None:
    """The rest is read; the row with the bad byte is told."""
    path = tmp_path / "a.csv"
    path.write_bytes("姓名,语文\n甲,88\n".encode() + b"\xff\xff,77\n")
    source = read_file(path)
    assert source.sheets[0].rows[1] == ("甲", "88")
    assert (source.problems[0].code, source.problems[0].place.row) == ("text-undecodable", 3)


def test_a_text_named_xlsx_is_read_with_a_note(tmp_path: Path, shared_cases: Path) -> None:
    """C19: by content, with a note; a text among the text extensions needs none."""
    source = read_file(shared_cases / "C19_tsv.xlsx")
    assert (len(source.sheets[0].rows), source.true_format) == (2, "tsv")
    assert [(one.code, one.severity) for one in source.problems] == [("extension-lies", "note")]
    path = tmp_path / "a.txt"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    assert read_file(path).problems == ()


def test_a_cell_too_long_is_cut_and_named(tmp_path: Path) -> None:
    """What no spreadsheet cell could hold is cut, with its place."""
    path = tmp_path / "a.csv"
    path.write_text("姓名,语文\n甲," + "好" * 40_000 + "\n", encoding="utf-8")
    source = read_file(path)
    assert len(str(source.sheets[0].rows[1][1])) == 32_767
    assert (source.problems[0].code, source.problems[0].place.cell) == ("text-cut", "B2")


FIELD = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00\ufeff\ufffd\x1a", exclude_categories=["Cs", "Cc"]), max_size=8
)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(2, 5).flatmap(
        lambda width: st.lists(st.lists(FIELD, min_size=width, max_size=width), min_size=2, max_size=6)
    ),
    st.sampled_from("\t,;|"),
)
def test_what_a_csv_writer_writes_is_read_back(table: list[list[str]], delimiter: str) -> None:
    """Fully quoted tables come back cell for cell, with the delimiter that was named."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(table)
    found = [list(row) for row in read_text(f"sep={delimiter}\n" + out.getvalue(), "utf-8", Limits()).sheets[0].rows]  # type: ignore[index]
    expected = []
    for row in table:
        shown = [
            cell[2:-1]
            if cell.startswith('="') and cell.endswith('"') and '"' not in cell[2:-1] and len(cell) > 2
            else cell
            for cell in row
        ]
        while shown and shown[-1] == "":
            shown.pop()
        expected.append(shown)
    assert found == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\tb,c\n1\t2,3\n", "\t"),
        ("姓名，语文\n甲，1\n", "，"),
        ("标题\n\na,b,c\n1,2,3\n4,5,6\n", ","),
        ("只有一列\n甲\n乙\n", ","),
        ("姓名;语文\nb;2,5\nc;3,5\n", ";"),
    ],
)
def test_the_delimiter_is_the_one_that_gives_even_rows(text: str, expected: str) -> None:
    """Commas inside cells do not mislead."""
    assert find_delimiter(text) == expected

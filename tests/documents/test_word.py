"""The Word file: reopened, compared with the report, and its contents with the pages that LibreOffice makes."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml.ns import qn
from pypdf import PdfReader

from jiaoheng.documents.fonts import is_east_asian
from jiaoheng.documents.model import (
    Interval,
    Kind,
    Missing,
    Paragraph,
    Report,
    Section,
    Table,
    TableColumn,
    Value,
)
from jiaoheng.documents.outline import chinese_number, parts
from jiaoheng.documents.pictures import Pictures
from jiaoheng.documents.printing import printed
from jiaoheng.documents.word import write_word
from jiaoheng.documents.word_tables import layout

from .sample import MARKUP, RARE, sample_report


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("word") / "report.docx"
    write_word(sample_report(), path)
    return path


@pytest.fixture(scope="module")
def document(path: Path) -> Any:
    return docx.Document(str(path))


def test_tables_hold_the_printed_values(document: Any) -> None:
    report = sample_report()
    word_tables = [table for table in document.tables if table._tbl.tblPr.find(qn("w:tblCaption")) is not None]
    filled = [table for table in report.tables() if table.rows]
    assert len(word_tables) == len(filled)
    for table, word in zip(filled, word_tables, strict=True):
        heads = sum(row._tr.trPr.find(qn("w:tblHeader")) is not None for row in word.rows)
        assert heads == 2
        rows = [[cell.text for cell in row.cells] for row in word.rows][heads:]
        expected = [
            [printed(value, column).text for column, value in zip(table.columns, row, strict=True)]
            for row in table.rows
        ]
        assert rows == expected
        assert all(row._tr.trPr.find(qn("w:cantSplit")) is not None for row in word.rows)


def test_page_is_that_of_an_official_document(document: Any) -> None:
    section = document.sections[0]
    size = (section.page_width, section.page_height, section.top_margin, section.bottom_margin)
    assert [round(value.mm) for value in size] == [210, 297, 37, 35]
    assert [round(value.mm) for value in (section.left_margin, section.right_margin)] == [28, 26]
    grid = section._sectPr.find(qn("w:docGrid"))
    assert (grid.get(qn("w:type")), grid.get(qn("w:linePitch")), grid.get(qn("w:charSpace"))) == (
        "linesAndChars",
        "579",
        "-849",
    )
    assert document.settings.odd_and_even_pages_header_footer
    assert "— 1 —" in section.footer.paragraphs[0].text
    assert "教研室 张三" in section.header.paragraphs[0].text
    assert document.settings.element.find(qn("w:updateFields")) is None  # no dialog on opening
    assert {section.orientation for section in document.sections} == {0, 1}


def test_headings_are_real_and_numbered(document: Any) -> None:
    headings = [p.text for p in document.paragraphs if p.style.name.startswith("Heading")]
    assert headings == [part.heading.text for part in parts(sample_report())]
    assert headings[:3] == ["一、总体情况", "二、学校与班级比较", "（一）哪些学校确有差别"]
    text = next(p for p in document.paragraphs if p.text.startswith("本次考试"))
    assert text.style.paragraph_format.line_spacing.pt == pytest.approx(28.95)
    assert text.style.element.pPr.find(qn("w:ind")).get(qn("w:firstLineChars")) == "200"


def test_every_chinese_run_names_its_east_asian_font(document: Any) -> None:
    roots = [document.element.body]
    roots += [part._element for s in document.sections for part in (s.header, s.footer, s.even_page_footer)]
    count = 0
    for run in (run for root in roots for run in root.iter(qn("w:r"))):
        text = "".join(item.text or "" for item in run.iter(qn("w:t")))
        if any(is_east_asian(character) for character in text):
            count += 1
            assert run.find(qn("w:rPr")).find(qn("w:rFonts")).get(qn("w:eastAsia")), text
    assert count > 300


def test_rare_and_hostile_names_are_whole(document: Any) -> None:
    text = "\n".join(p.text for p in document.paragraphs)
    assert MARKUP in text
    assert f"{RARE} 与 O'Neil & <script>alert(1)</script> 同名" in text
    assert "\x07" not in text
    assert "\u202e" not in text
    families = {
        "".join(t.text or "" for t in run.iter(qn("w:t"))): run.find(qn("w:rPr"))
        .find(qn("w:rFonts"))
        .get(qn("w:eastAsia"))
        for run in document.element.body.iter(qn("w:r"))
        if run.find(qn("w:rPr")) is not None
    }
    assert families["垚喆玥"] == "仿宋"
    assert families["䶮㛃"] == "宋体"


def test_pictures_have_alternative_texts(document: Any) -> None:
    alts = [item.get("descr") for item in document.element.body.iter(qn("wp:docPr"))]
    assert len(alts) == 10
    assert "30 所学校的区间图" in alts
    assert all(alts)


def test_numbers_stand_right_and_names_left(document: Any) -> None:
    row = document.tables[1].rows[3]
    sides = [cell.paragraphs[0].paragraph_format.alignment for cell in row.cells]
    assert sides[0] is None
    assert all(str(side).startswith("RIGHT") for side in sides[1:])


def test_contents_are_filled_and_linked(document: Any) -> None:
    links = list(document.element.body.iter(qn("w:hyperlink")))
    marks = {item.get(qn("w:name")) for item in document.element.body.iter(qn("w:bookmarkStart"))}
    assert [link.get(qn("w:anchor")) in marks for link in links] == [True] * 7
    assert any("TOC" in (item.text or "") for item in document.element.body.iter(qn("w:instrText")))


@pytest.mark.skipif(shutil.which("soffice") is None, reason="needs LibreOffice")
def test_contents_show_the_pages_on_which_headings_stand(path: Path, tmp_path: Path) -> None:
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    pages = [page.extract_text() for page in PdfReader(tmp_path / "report.pdf").pages]
    contents = re.findall(r"^\s*((?:[一二三四五六]、|（[一二]）).+?)\.{3,}\s*(\d+)\s*$", pages[0], re.MULTILINE)
    assert len(contents) == 7
    for title, page in contents:
        found = [
            i
            for i, text in enumerate(pages[1:], 2)
            if re.search(rf"^\s*{re.escape(title.strip())}\s*$", text, re.MULTILINE)
        ]
        assert found == [int(page)], title


def _table(rows: int, columns: int, wide: bool = False) -> Table:
    head = (TableColumn("n", "学校"), *(TableColumn(str(i), f"指标{i}", Kind.NUMBER, 2) for i in range(columns)))
    body: tuple[tuple[Value, ...], ...] = tuple((f"第{i}初级中学", *[100 + i] * columns) for i in range(rows))
    return Table("t", "表", head, body, wide=wide)


def test_letter_size_and_page_follow_the_table() -> None:
    assert (layout(_table(5, 3)).size, layout(_table(5, 3)).landscape) == (24, False)
    assert (layout(_table(40, 3)).size, layout(_table(40, 3)).landscape) == (21, False)
    assert layout(_table(40, 9)).size < 21
    assert layout(_table(40, 18)).landscape
    assert layout(_table(5, 3, wide=True)).landscape
    for columns in (1, 9, 18, 60):
        place = layout(_table(40, columns))
        assert sum(place.widths) <= (12756 if place.landscape else 8844)


def test_an_almost_empty_report_and_odd_values_are_written(tmp_path: Path) -> None:
    columns = (TableColumn("a", "甲", Kind.NUMBER), TableColumn("b", "乙", Kind.INTERVAL, 1))
    rows: tuple[tuple[Value, ...], ...] = ((None, Interval(float("nan"), 1.0)), (Missing(""), None))
    section = Section("s", "章", (Paragraph("一行\n\n二行"), Table("t", "表", columns, rows)))
    write_word(Report("", "", ""), tmp_path / "empty.docx")
    write_word(Report("题", "单位", "2026年1月1日", sections=(section,)), tmp_path / "odd.docx")
    document = docx.Document(str(tmp_path / "odd.docx"))
    assert [[cell.text for cell in row.cells] for row in document.tables[0].rows[1:]] == [["—", "—"], ["—", "—"]]
    assert {"一行", "二行"} <= {p.text for p in document.paragraphs}
    assert docx.Document(str(tmp_path / "empty.docx")).sections


def test_a_full_disk_and_a_missing_folder_come_as_os_errors(tmp_path: Path) -> None:
    report = Report("题", "单位", "2026年1月1日")
    with pytest.raises(FileNotFoundError):
        write_word(report, tmp_path / "absent" / "r.docx", Pictures([]))
    if Path("/dev/full").exists():
        with pytest.raises(OSError, match="No space left"):
            write_word(report, Path("/dev/full"), Pictures([]))


def test_chinese_numbers() -> None:
    assert [chinese_number(i) for i in (1, 10, 11, 20, 21, 99)] == ["一", "十", "十一", "二十", "二十一", "九十九"]

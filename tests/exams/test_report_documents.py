"""The same figures everywhere: pages in Word, workbook and browser hold just what summary.json says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pytest
from docx.oxml.ns import qn
from report_kit import Made, build

from jiaoheng.cli.exam_report import write_outputs
from jiaoheng.documents.model import Chart, Section
from jiaoheng.exams.sample import make_sample


@pytest.fixture(scope="module", params=["初中", "高中"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Made, Path]:
    folder, out = tmp_path_factory.mktemp("county"), tmp_path_factory.mktemp("out")
    make_sample(folder, schools=6, pupils=500, seed=31, stage=request.param)
    made = build(folder, [folder])
    write_outputs(made.prepared, out, lambda *_: None)
    stored = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert stored == made.data
    return made, out


def pages(made: Made) -> list[dict[str, Any]]:
    """The tables of the document in reading order, as summary.json holds them."""
    by_key = {table["key"]: table for table in made.data["tables"]}
    return [by_key[table.key] for table in made.report.report.tables()]


def shown(cell: Any, column: dict[str, Any]) -> str:
    """The printed text that a cell of summary.json stands for."""
    if isinstance(cell, str):
        return " ".join(cell.split())
    if cell is None:
        return "" if column["kind"] == "text" else "—"
    if cell.get("suppressed"):
        return "*"
    return str(cell.get("text", "—"))


def lines(table: dict[str, Any]) -> list[list[str]]:
    """The printed rows of a table of summary.json."""
    return [[shown(row[column["key"]], column) for column in table["columns"]] for row in table["rows"]]


def test_word_tables(written: tuple[Made, Path]) -> None:
    """The docx reopened: every table in order, every cell as printed in summary.json."""
    made, out = written
    tables = [
        (caption.get(qn("w:val")), table)
        for table in docx.Document(str(out / "report.docx")).tables
        if (caption := table._tbl.tblPr.find(qn("w:tblCaption"))) is not None
    ]
    expected = pages(made)
    assert [title for title, _ in tables] == [table["title"] for table in expected]
    for (title, table), one in zip(tables, expected, strict=True):
        heads = 2 if any("／" in column["label"] for column in one["columns"]) else 1
        body = [[cell.text for cell in row.cells] for row in table.rows[heads:]]
        assert [[" ".join(text.split()) for text in row] for row in body] == lines(one), title


def test_workbook_tables(written: tuple[Made, Path]) -> None:
    """tables.xlsx reopened: every table, numbers as numbers of the same value, words as words."""
    made, out = written
    book = openpyxl.load_workbook(out / "tables.xlsx")
    places = {
        (sheet.title, row[0].value): (sheet, row[0].row)
        for sheet in book.worksheets
        for row in sheet.iter_rows(max_col=1)
        if isinstance(row[0].value, str)
    }
    found = {table.key: table for table in made.report.tables()}
    for one in made.data["tables"]:
        table = found[one["key"]]
        sheet, top = places[table.sheet, table.title]
        two = any(column.group or column.kind == "interval" for column in table.columns)
        for at, row in enumerate(one["rows"]):
            cells = iter(sheet[top + 1 + (2 if two else 1) + at])
            for column in one["columns"]:
                _same_cell(row[column["key"]], column, cells, one["key"])


def _same_cell(value: Any, column: dict[str, Any], cells: Iterator[Any], key: str) -> None:
    cell = next(cells).value
    if column["kind"] == "interval":
        other = next(cells).value
        if isinstance(value, dict) and "low" in value:
            digits = column["digits"]
            assert (cell, other) == (
                pytest.approx(value["low"], abs=10**-digits),
                pytest.approx(value["high"], abs=10**-digits),
            )
        return
    if isinstance(value, dict) and value.get("value") is not None:
        assert cell == pytest.approx(value["value"], rel=1e-9, abs=1e-9), (key, column["key"])
    else:
        assert str(cell or "").strip() == shown(value, column), (key, column["key"])


def charts(sections: tuple[Section, ...]) -> int:
    """How many charts the sections hold."""
    return sum(
        sum(isinstance(block, Chart) for block in section.blocks) + charts(section.children) for section in sections
    )


@pytest.mark.browser
@pytest.mark.parametrize("width", [1366, 360])
def test_page_in_a_browser(written: tuple[Made, Path], chromium: Any, width: int) -> None:
    """No message, no request, no sideways scrolling, every chart drawn, every table as in summary.json."""
    made, out = written
    page = chromium.new_context(viewport={"width": width, "height": 800}).new_page()
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda one: heard.append(one.url) if not one.url.startswith(("file:", "data:", "blob:")) else 0)
    page.goto((out / "report.html").as_uri())
    for chart in page.query_selector_all("[data-chart]"):
        chart.scroll_into_view_if_needed()
    number = charts(made.report.report.sections)
    page.wait_for_function(f"document.querySelectorAll('[data-drawn]').length === {number}", timeout=60_000)
    assert heard == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    tables = page.evaluate(
        "[...document.querySelectorAll('table.table')].map(t => [...t.querySelectorAll('tbody tr, tfoot tr')]"
        ".map(r => [...r.children].map(c => (c.querySelector('.why') || c).textContent.trim().replace(/\\s+/g, ' '))))"
    )
    expected = [lines(table) for table in pages(made) if table["rows"]]
    assert [_plain(table) for table in tables] == [_plain(table) for table in expected]
    page.close()


def _plain(table: list[list[str]]) -> list[list[str]]:
    """A dash or star may be followed by its reason for readers of the screen."""
    return [[text[0] if text[:1] in ("—", "*") else text for text in row] for row in table]


def test_findings_agree_with_the_tables(written: tuple[Made, Path]) -> None:
    """Every figure of the headline sentences stands in a table, and means there what the sentence says."""
    made, _ = written
    said = "\n".join(made.texts())
    county = made.rows("county.papers", "paper")
    total = county["总分",]
    assert f"应考 {total['enrolled']['value']} 名" in said
    assert f"参考 {total['participants']['value']} 名" in said
    subjects = {name: row for (name,), row in county.items() if name != "总分"}
    best = max(subjects, key=lambda name: subjects[name]["score_rate"]["value"])
    worst = min(subjects, key=lambda name: subjects[name]["score_rate"]["value"])
    assert f"各学科中，{best}得分率最高（{subjects[best]['score_rate']['text']}%）" in said
    assert f"{worst}最低（{subjects[worst]['score_rate']['text']}%）" in said
    schools = {name: row for (name,), row in made.rows("school.总分", "school").items() if row["verdict"]}
    judged = [row["verdict"] for row in schools.values() if isinstance(row["verdict"], str)]
    counts = [judged.count(word) for word in ("高于", "低于", "相当")]
    assert (
        f"{len(judged)} 所可比较的学校中，总分平均分高于其余学校的 {counts[0]} 所，"
        f"低于的 {counts[1]} 所，与其余看不出差别的 {counts[2]} 所。" in said
    )
    ranked = {name: row["mean"]["value"] for name, row in schools.items() if row["rank"].get("value")}
    top, last = max(ranked, key=lambda name: ranked[name]), min(ranked, key=lambda name: ranked[name])
    assert f"校均分：{top}最高（{schools[top]['mean']['text']} 分），{last}最低" in said
    for figure in made.data["headline"]:
        found = [cell.get("text") for row in county.values() for cell in row.values() if isinstance(cell, dict)]
        assert figure["text"].replace(",", "") in found, figure
    for line in {row["line"] for row in made.table("lines")["rows"]}:
        last_row = made.table(f"line.{line}.schools")["rows"][-1]
        assert re.search(
            rf"{line}（.*）全县上线 {last_row['reached']['value']} 名，上线率 {last_row['rate']['text']}%", said
        )


def test_nothing_unfinished_is_printed(written: tuple[Made, Path]) -> None:
    """No brace, None, nan, doubled stop or empty bracket in a sentence, title, head or definition."""
    made, _ = written
    texts = [*made.texts(), *(one["text"] for one in made.data["definitions"].values())]
    texts += [column["label"] for table in made.data["tables"] for column in table["columns"]]
    for text in texts:
        assert not re.search(r"[{}]|None|nan|Fraction|。。|，，|（）|、。|，。|；。", text), text

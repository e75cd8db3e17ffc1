"""The page: escaped, self-contained, and opened in a browser."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from jiaoheng.documents.html import render_html
from jiaoheng.documents.model import Report
from jiaoheng.documents.page_assets import script_json
from jiaoheng.documents.printing import printed

from .sample import MARKUP, RARE, sample_report


@pytest.fixture(scope="module")
def html() -> str:
    return render_html(sample_report())


class _Tables(HTMLParser):
    """Bodies and feet of all tables: rows of cell texts; also every attribute that could fetch something."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.fetching: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self._in_head = self._in_cell = self._hidden = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids += [str(values["id"])] if "id" in values else []
        if tag == "a":
            self.links.append(str(values.get("href")))
        elif tag != "svg":
            self.fetching += [
                f"{tag} {name}={value}" for name, value in attrs if name in ("src", "href", "action", "data")
            ]
        if tag == "table":
            self.tables.append([])
        if tag == "thead":
            self._in_head = True
        if tag == "tr" and not self._in_head and self.tables:
            self.tables[-1].append([])
        if tag in ("td", "th") and not self._in_head:
            self._in_cell = True
            self.tables[-1][-1].append("")
        if values.get("class") == "visually-hidden":
            self._hidden = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "thead":
            self._in_head = False
        if tag in ("td", "th"):
            self._in_cell = False
        if tag == "span":
            self._hidden = False

    def handle_data(self, data: str) -> None:
        if self._in_cell and not self._hidden and not self._in_head:
            self.tables[-1][-1][-1] += data


def _parsed(html: str) -> _Tables:
    parser = _Tables()
    parser.feed(html)
    return parser


def test_tables_hold_the_printed_values(html: str) -> None:
    tables = [table for table in sample_report().tables() if table.rows]
    for table, rows in zip(tables, _parsed(html).tables, strict=True):
        expected = [
            [printed(value, column).text for column, value in zip(table.columns, row, strict=True)]
            for row in table.rows
        ]
        assert rows == expected


def test_everything_of_strangers_is_escaped(html: str) -> None:
    assert MARKUP not in html
    assert "&lt;b&gt;A&amp;B&lt;/b&gt;实验学校" in html
    assert "<script>alert(1)" not in html
    assert RARE in html
    assert "\u202e" not in html


def test_nothing_is_fetched_and_every_link_stays_inside(html: str) -> None:
    page = _parsed(html)
    assert page.fetching == []
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert "default-src 'none'" in html


def test_json_cannot_end_its_script() -> None:
    text = script_json({"a": "</script><!--\u2028&"})
    assert not re.search("[<>&\u2028]", text)
    assert json.loads(text) == {"a": "</script><!--\u2028&"}


def test_a_report_without_charts_carries_no_library() -> None:
    html = render_html(Report("题", "单位", "2026年1月1日", watermark="<i>印</i>"))
    assert len(html) < 60_000
    assert "<i>" not in html


def _opened(browser: Any, html: str, folder: Path, width: int, scheme: str) -> tuple[Any, list[str]]:
    (folder / "r.html").write_text(html, encoding="utf-8")
    page = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme).new_page()
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on(
        "request", lambda request: heard.append(request.url) if not request.url.startswith(("file:", "data:")) else 0
    )
    page.goto((folder / "r.html").as_uri())
    for chart in page.query_selector_all("[data-chart]"):
        chart.scroll_into_view_if_needed()
        page.wait_for_timeout(30)
    page.wait_for_function("document.querySelectorAll('[data-drawn]').length === 10")
    return page, heard


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1366, "light"), (1366, "dark"), (360, "light")])
def test_page_in_a_browser(chromium: Any, html: str, tmp_path: Path, width: int, scheme: str) -> None:
    """Opens without a message or request, draws every chart, never scrolls sideways, marks every control."""
    page, heard = _opened(chromium, html, tmp_path, width, scheme)
    assert heard == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate("document.getElementById('toc').open") is (width > 640)
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button, a, input')].filter(e => "
        "!(e.textContent.trim() || e.getAttribute('aria-label') || e.closest('label'))).length"
    )
    assert unnamed == 0
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(e => Number(e.tagName[1]))")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    sides = page.evaluate(
        "[...document.querySelectorAll('.scroll.tall')].map(e => { e.scrollTop = 300; e.scrollLeft = 200;"
        " const box = e.getBoundingClientRect(), head = e.querySelector('thead th').getBoundingClientRect(),"
        " name = e.querySelector('tbody th').getBoundingClientRect();"
        " return [Math.round(head.top - box.top), Math.round(name.left - box.left)]; })"
    )
    assert sides
    assert all(abs(top) <= 1 and abs(left) <= 1 for top, left in sides)


@pytest.mark.browser
def test_sorting_finding_reasons_and_taking_a_chart(chromium: Any, html: str, tmp_path: Path) -> None:
    page, _ = _opened(chromium, html, tmp_path, 1366, "light")
    table = page.locator(".tall table")
    table.locator("th[data-col='1'] .sort").click()
    counts = [int(text) for text in table.locator("tbody tr td:nth-child(2)").all_inner_texts()]
    assert counts == sorted(counts, reverse=True)
    assert table.locator("tfoot th").inner_text() == "全县"
    assert table.locator("th[data-col='1']").get_attribute("aria-sort") == "descending"
    table.locator("th[data-col='3'] .sort").click()
    means = table.locator("tbody tr td:nth-child(4)").all_inner_texts()
    assert means[-1].startswith("—")
    page.locator(".find input").fill("实验")
    assert table.locator("tbody tr:visible").count() == 1
    page.locator(".find input").fill("")
    told: list[str] = []
    for _ in range(50):  # charts drawn meanwhile move the page, and a reason closes when the page moves
        page.locator(".why").first.click()
        told = page.locator(".tip").all_inner_texts()
        if told:
            break
        page.wait_for_timeout(200)
    assert told == ["上次未考"]
    with page.expect_download() as download:
        page.locator("[data-save]").first.click()
    assert download.value.suggested_filename == "两类考生的总分分布错开约 90 分.png"
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    page.locator("#theme").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


@pytest.mark.browser
def test_without_script_every_chart_is_still_seen(chromium: Any, html: str, tmp_path: Path) -> None:
    (tmp_path / "r.html").write_text(html, encoding="utf-8")
    page = chromium.new_context(java_script_enabled=False).new_page()
    page.goto((tmp_path / "r.html").as_uri())
    assert page.locator(".plot > svg:visible").count() == 10
    assert page.locator("[data-save]:visible").count() == 0

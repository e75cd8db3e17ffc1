"""The main job of the platform, in a browser, by people who have no manual."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from bureau.browser.figures import fill, store
from bureau.browser.kit import download, overflow, press, said, sign_in
from bureau.ledgers.import_kit import column_of, data_sheet, head_row
from bureau.world import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_journey(shown: World, opened: Callable[..., Any], at: Callable[..., Any], tmp_path: Path) -> None:
    at(2024, 10, 20, 9)
    for school in ("甲", "乙", "丙", "直"):
        store(shown, school, 2024)
    at(2025, 9, 20, 9)
    store(shown, "甲", 2025, teachers="36")

    # the office opens the round
    at(2025, 10, 13, 9)
    office = opened(shown["股长"])
    press(office, "采集", role="link", exact=True)
    press(office, "发起采集", role="link")
    office.select_option("#f-register", label="学校办学条件")
    office.wait_for_url("**register=school_conditions**")
    office.fill("#f-reference", "2025-10-15")
    office.fill("[name=opens_date]", "2025-10-13")
    office.fill("[name=due_date]", "2025-10-24")
    office.fill("[name=due_time]", "17:30")
    press(office, "看要问哪些单位")
    assert "4 所学校要填报" in said(office)
    press(office, "发起，4 所学校要填报")
    board = office.url
    assert "4 所学校，4 所还没交" in said(office)
    assert overflow(office) == 0

    # the school's clerk takes the template and fills it with typical mistakes
    clerk = opened(shown["甲填报"])
    assert "10 月 24 日（周五）17:30" in said(clerk)
    press(clerk, "去提交", role="link")
    filing = clerk.url
    book = download(clerk, lambda: clerk.get_by_role("link", name="下载填报表").click(), tmp_path)
    wrong = {"classes": "约30", "teachers": 4000, "network": "光纤专线", "reporter_phone": "1390000"}
    fill(book, **wrong, pupils=500, books=15000, remark="新招一个班")
    add_column(book, "校车", 2)
    press(clerk, "导入 Excel", role="link")
    clerk.set_input_files("#files", str(book))
    press(clerk, "上传并核对")
    page = said(clerk)
    assert "有误 4，改动 3，新增 0，不变 18，待答 0" in page
    assert "C4 班级数：“约30”不是数字" in page
    assert "要您回答 1 个" in page
    assert "AB 列“校车”不是“学校办学条件”的列" in page
    assert overflow(clerk) == 0
    marked = download(clerk, lambda: clerk.get_by_role("button", name="取走标注工作簿").click(), tmp_path / "标注")
    assert marks(marked) == {"C4", "F4", "X4", "Z4", "AB3"}

    # mended in that very workbook, the question answered on the page
    fill(marked, classes=13, teachers=38, network="千兆光纤", reporter_phone="13912340000")
    press(clerk, "学校办学条件", role="link", exact=True)
    press(clerk, "导入 Excel", role="link")
    clerk.set_input_files("#files", str(marked))
    press(clerk, "上传并核对")
    print(said(clerk))
    press(clerk, "答好了，去确认")
    print(said(clerk))
    press(clerk, "确认导入")
    print(said(clerk))
    clerk.goto(filing)
    print(said(clerk))
    press(clerk, "提交给学区")
    print(said(clerk))


def marks(path: Path) -> set[str]:
    """The cells of the data sheet that carry a remark of ours."""
    sheet = data_sheet(openpyxl.load_workbook(path))
    return {cell.coordinate for row in sheet for cell in row if cell.comment and "【教衡】" in cell.comment.text}


def add_column(path: Path, head: str, value: Any) -> None:
    """A column of the school's own at the end of the sheet."""
    book = openpyxl.load_workbook(path)
    sheet = data_sheet(book)
    column = sheet.max_column + 1
    sheet.cell(head_row(sheet), column).value = head
    sheet.cell(head_row(sheet) + 1, column).value = value
    book.save(path)

"""The main job of the platform, in a browser, by people who have no manual."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from bureau.browser.figures import FIGURES, fill, store
from bureau.browser.kit import download, overflow, press, said
from bureau.ledgers.import_kit import data_sheet, head_row
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
    assert "有误 0，改动 6，新增 0" in said(clerk)
    press(clerk, "答好了，去确认")
    press(clerk, "确认导入")
    press(clerk, "核对后提交", role="link")
    assert clerk.url == filing
    press(clerk, "提交给学区")
    assert "已提交，现在是“待学区审核”" in said(clerk)

    # the district sends one cell back
    at(2025, 10, 14, 10)
    district = opened(shown["东学区"])
    assert "要审 1 份" in said(district)
    press(district, "去审核", role="link")
    district.goto(filing)
    district.get_by_label("批注图书册数").click()
    district.fill(".remark-box textarea", "资产账上是 14000 册，请核对")
    press(district, "记下批注")
    district.fill("#f-return", "图书册数与资产账不一致")
    press(district, "退回，带 1 格批注")
    assert "已退回，改正截止 10 月 17 日（周五）" in said(district)
    assert overflow(district) == 0

    # the school mends that cell on a phone
    at(2025, 10, 14, 15)
    phone = opened(shown["甲填报"], phone=True)
    assert "资产账上是 14000 册，请核对" in said(phone)
    press(phone, "改这 1 格", role="link")
    assert overflow(phone) == 0
    phone.fill("#f-books", "14000")
    press(phone, "保存到台账")
    assert "已保存，第 3 版" in said(phone)
    assert overflow(phone) == 0
    press(phone, "去提交", role="link")
    press(phone, "提交给学区")
    assert "已提交，现在是“待学区审核”" in said(phone)

    # the other schools hand in by their own: 乙 by Excel with a new row, 直 straight to the bureau; 丙 stays late
    other = opened(shown["乙填报"])
    press(other, "开始填报", role="link")
    empty = download(other, lambda: other.get_by_role("link", name="下载填报表").click(), tmp_path)
    fill(empty, **{name: by_hand(value) for name, value in {**FIGURES, "network": "千兆光纤", "pupils": "260"}.items()})
    press(other, "导入 Excel", role="link")
    other.set_input_files("#files", str(empty))
    press(other, "上传并核对")
    assert "有误 0，改动 0，新增 23" in said(other)
    press(other, "去确认", role="link")
    press(other, "确认导入")
    press(other, "核对后提交", role="link")
    assert "与上期相差较大 1" in said(other)
    other.fill("[id^=why-]", "五年级分流到实验小学")
    press(other, "提交给学区")
    assert "已提交，现在是“待学区审核”" in said(other)

    # the district passes one after the other, the bureau both at once
    at(2025, 10, 15, 9)
    district = opened(shown["东学区"])
    press(district, "去审核", role="link")
    press(district, "东镇甲小学", role="link")
    press(district, "通过", exact=True)
    assert "东镇甲小学：已通过，现在是“待局审定”" in said(district)
    press(district, "通过", exact=True)
    assert "东镇乙小学：已通过，现在是“待局审定”" in said(district)
    at(2025, 10, 16, 9)
    office = opened(shown["股长"])
    press(office, "去审定", role="link")
    office.get_by_label("全选待局审定").check()
    press(office, "通过", exact=True)
    assert "东镇甲小学" in said(office)
    press(office, "通过 2 所")

    # after the deadline the bureau reminds the late ones: one press
    at(2025, 10, 27, 9)
    office = opened(shown["股长"])
    press(office, "2025—2026 学年学校办学条件", role="link")
    assert "4 所学校，2 所还没交" in said(office)
    press(office, "催办 2 所")
    assert "已催办 2 所" in said(office)
    late = opened(shown["丙填报"])
    assert "催办：2025—2026 学年学校办学条件" in said(late)
    store(shown, "丙", 2025)
    late.goto("/")
    press(late, "补报", role="link")
    press(late, "提交给学区")
    assert "逾期" in said(late)

    # everything in one workbook
    office.get_by_text("下载汇总表").click()
    whole = download(office, lambda: office.get_by_role("button", name="当前数（含未审）").click(), tmp_path)
    rows = table_of(whole)
    assert {row["_unit_name"]: (row["pupils"], row["teachers"], row["books"]) for row in rows} == {
        "东镇甲小学": (500, 38, 14000),
        "东镇乙小学": (260, 36, 14400),
        "西镇丙小学": (480, 36, 14400),
    }
    assert states_of(whole) == {
        "东镇甲小学": "已审定",
        "东镇乙小学": "已审定",
        "西镇丙小学": "待学区审核",
        "青槐县实验中学": "未开始",
    }

    # next month: the approved figure is corrected
    at(2025, 11, 20, 9)
    office = opened(shown["股长"])
    office.goto(filing)
    office.get_by_label("批注教师数").click()
    office.fill(".remark-box textarea", "编办核定 37 名")
    press(office, "记下批注")
    office.fill("#f-return", "教师数按编办核定数更正")
    press(office, "退回，带 1 格批注")
    assert "已退回，改正截止 11 月 25 日（周二）" in said(office)
    at(2025, 11, 20, 14)
    clerk = opened(shown["甲填报"])
    press(clerk, "改这 1 格", role="link")
    clerk.fill("#f-teachers", "37")
    clerk.fill("#reason", "按编办核定数更正")
    press(clerk, "保存到台账")
    press(clerk, "去提交", role="link")
    press(clerk, "提交给学区")

    # the figures as they stood at approval, beside today's
    office = opened(shown["股长"])
    press(office, "2025—2026 学年学校办学条件", role="link")
    assert "1 校有未审修改" in said(office)
    for button, teachers in (("当前数（含未审）", 37), ("已审定的数", 38)):
        office.get_by_text("下载汇总表").click()
        book = download(office, lambda name=button: office.get_by_role("button", name=name).click(), tmp_path / button)
        assert {row["_unit_name"]: row["teachers"] for row in table_of(book)}["东镇甲小学"] == teachers
    office.goto(filing)
    assert "已审的是 38" in said(office)
    press(office, "看历史", role="link")
    office.fill("#asof", "2025-10-16")
    press(office, "查看", exact=True)
    assert "38" in office.locator("[aria-labelledby=h-then]").inner_text()
    assert overflow(office) == 0

    # a school is merged into one of the other district from a date
    at(2025, 12, 1, 9)
    admin = opened(shown["管理员"])
    press(admin, "学校", role="link", exact=True)
    press(admin, "西镇丙小学", role="link")
    admin.get_by_text("变更", exact=True).click()
    press(admin, "并入", role="link")
    admin.get_by_label("并入哪个单位").select_option(label="东镇甲小学")
    admin.fill("[type=date]", "2026-01-01")
    admin.get_by_label("事由").fill("县政府批复并校")
    press(admin, "核对会发生什么")
    assert "西镇丙小学自 2026-01-01 起并入东镇甲小学" in said(admin)
    assert "2026-01-01 前的台账不变" in said(admin)
    press(admin, "办理并入")
    assert "并入已登记" in said(admin)

    # last year's figures keep last year's tree
    at(2026, 1, 5, 9)
    office = opened(shown["股长"])
    press(office, "学校", role="link", exact=True)
    assert "西镇丙小学" not in said(office)
    office.fill("#as_of", "2025-12-31")
    press(office, "查看", exact=True)
    assert "西镇丙小学" in said(office)
    assert "西镇学区　1 所" in said(office)
    for year, teachers in (("2024—2025 学年", "36"), ("2025—2026 学年", "36")):
        assert rows_below(office, "西镇学区", year) == {"西镇丙小学": teachers}
        assert set(rows_below(office, "东镇学区", year)) == {"东镇甲小学", "东镇乙小学"}


def rows_below(page: Any, unit: str, year: str) -> dict[str, str]:
    """School → teachers, in the list of school conditions as it is filtered to a unit and a year by hand."""
    page.goto("/ledgers/school_conditions/")
    press(page, year, role="link", exact=True)
    page.get_by_text("筛选、选列、存为常用").click()
    page.select_option("#q-unit", label=unit)
    press(page, "查看", exact=True)
    heads = [one.split("（")[0] for one in page.locator("table.list thead th").all_inner_texts()]
    lines = [row.locator("th, td").all_inner_texts() for row in page.locator("table.list tbody tr").all()]
    return {line[heads.index("单位")].strip(): line[heads.index("教师数")].strip() for line in lines}


def by_hand(text: str) -> Any:
    """A number typed into Excel is a number there."""
    return float(text) if text.replace(".", "").isdigit() else text


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


def table_of(path: Path) -> list[dict[str, Any]]:
    """The rows of one of our workbooks by field."""
    sheet = data_sheet(openpyxl.load_workbook(path))
    lines = list(sheet.iter_rows(min_row=head_row(sheet) - 1, values_only=True))
    names = [str(one).removeprefix("jh:") for one in lines[0]]
    return [dict(zip(names, line, strict=True)) for line in lines[2:]]


def states_of(path: Path) -> dict[str, str]:
    """Unit → state, of the merged workbook's second table."""
    for sheet in openpyxl.load_workbook(path).worksheets:
        lines = list(sheet.iter_rows(values_only=True))
        if lines and lines[0][:1] == ("单位代码",) and "状态" in lines[0]:
            return {str(line[1]): str(line[lines[0].index("状态")]) for line in lines[1:]}
    raise AssertionError("no list of states")

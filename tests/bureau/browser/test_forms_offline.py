"""What was typed is never gone, sent twice counts once, two editors lose nothing; a block from Excel fills a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from bureau.browser.kit import overflow, press, said, sign_in
from bureau.ledgers.registers_for_tests import ROSTER, store
from bureau.world import PASSWORD, World
from jiaoheng.registers.model import Field, FieldType, Level, PeriodKind, Register

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FORM = Register(
    name="t_form",
    title="校舍安全",
    version=1,
    effective_from=dt.date(2020, 9, 1),
    level=Level.SCHOOL,
    period=PeriodKind.NONE,
    fields=(
        Field("rooms", FieldType.INTEGER, "教室间数", unit="间", required=True, minimum=Decimal(0)),
        *(Field(f"need{number}", FieldType.STRING, f"必填{number}", required=True) for number in range(1, 12)),
        Field("note1", FieldType.STRING, "说明一"),
        Field("note2", FieldType.STRING, "说明二"),
    ),
)
TWELVE = {
    "rooms": "约30",
    **{f"need{number}": f"第{number}项" for number in range(1, 10)},
    "note1": "一",
    "note2": "二",
}


def fill(page: Any, values: dict[str, str]) -> None:
    for name, text in values.items():
        page.fill(f"#f-{name}", text)


def typed(page: Any) -> dict[str, str]:
    return {name: page.input_value(f"#f-{name}") for name in TWELVE}


def versions(name: str) -> list[Any]:
    from jiaoheng.bureau.ledgers.models import RecordVersion

    return list(RecordVersion.objects.filter(register__name=name).order_by("record_id", "number"))


@pytest.fixture
def form(county: World, at: Callable[..., Any]) -> str:
    at(2025, 9, 15, 12)
    store(FORM)
    return "/ledgers/t_form/new"


def test_p08_a_draft_keeps_what_was_typed_and_handing_in_lists_every_problem(
    county: World, opened: Callable[..., Any], form: str
) -> None:
    page = opened(county["甲填报"], phone=True)
    page.goto(form)
    fill(page, TWELVE)
    press(page, "保存草稿")
    assert typed(page) == TWELVE
    assert "“约30”不是数字" in said(page)
    assert versions("t_form") == []
    press(page, "保存到台账")
    links = page.locator("#errors a")
    assert links.count() == 3
    assert overflow(page) == 0
    links.nth(1).click()
    assert page.locator(links.nth(1).get_attribute("href")).is_visible()
    assert typed(page) == TWELVE


def test_p08_a_session_that_ended_costs_nothing(county: World, opened: Callable[..., Any], form: str) -> None:
    from django.contrib.sessions.models import Session

    page = opened(county["甲填报"])
    page.goto(form)
    Session.objects.all().delete()
    whole = {**TWELVE, "rooms": "30", "need10": "十", "need11": "十一"}
    fill(page, whole)
    press(page, "保存到台账")
    page.wait_for_url("**/login/**")
    page.fill("#username", county["甲填报"].username)
    page.fill("#password", PASSWORD)
    press(page, "登录", exact=True)
    page.wait_for_url("**/ledgers/t_form/new**")
    assert "14 项，仅存于本机" in page.inner_text("#draft-offer")
    press(page, "接着填")
    assert typed(page) == {**TWELVE, "rooms": "30"}
    press(page, "保存到台账")
    assert "已保存" in said(page)
    (only,) = versions("t_form")
    assert (only.number, only.data["rooms"], only.data["need11"]) == (1, 30, "十一")
    page.goto(form)
    assert page.locator("#draft-offer").is_hidden()


def test_p08_typed_without_a_network_is_offered_when_the_browser_opens_again(
    county: World, opened: Callable[..., Any], form: str
) -> None:
    page = opened(county["甲填报"], phone=True)
    page.goto(form)
    page.context.set_offline(True)
    fill(page, TWELVE)
    page.wait_for_selector("#draft-status:has-text('网络不通，仅存于本机')")
    page.close()
    page.context.set_offline(False)

    # somebody else at this browser sees nothing of it
    other = opened(context=page.context)
    other.goto("/")
    again = opened(context=page.context)
    again.goto(form)
    offer = again.inner_text("#draft-offer")
    assert "填过 12 项，仅存于本机" in offer
    assert overflow(again) == 0
    press(again, "接着填")
    assert typed(again) == TWELVE
    again.wait_for_selector("#draft-status:has-text('草稿已存')")
    again.reload()
    assert typed(again) == TWELVE  # the server's own draft now
    assert again.locator("#draft-offer").is_hidden()
    fill(again, {"rooms": "30", "need10": "十", "need11": "十一"})
    press(again, "保存到台账")
    assert "已保存" in said(again)
    assert len(versions("t_form")) == 1


def test_p08_another_person_on_that_browser_sees_nothing(county: World, opened: Callable[..., Any], form: str) -> None:
    page = opened(county["甲填报"])
    page.goto(form)
    page.context.set_offline(True)
    fill(page, TWELVE)
    page.context.set_offline(False)
    page.context.clear_cookies()
    other = opened(context=page.context)
    sign_in(other, county["甲校长"])
    other.goto(form)
    assert other.locator("#draft-offer").count() == 0 or other.locator("#draft-offer").is_hidden()
    assert not any("第1项" in text for text in other.evaluate("Object.values(localStorage)"))


def test_p09_a_double_click_is_one_record(county: World, opened: Callable[..., Any], form: str) -> None:
    page = opened(county["甲填报"])
    page.goto(form)
    fill(page, {**TWELVE, "rooms": "30", "need10": "十", "need11": "十一"})
    page.get_by_role("button", name="保存到台账").dblclick()
    page.wait_for_url("**/records/**")
    assert [one.number for one in versions("t_form")] == [1]


def test_p10_two_editors_only_mine(county: World, opened: Callable[..., Any], form: str) -> None:
    x, y = opened(county["甲填报"]), opened(county["甲校长"] if may_fill(county) else county["甲填报"])
    whole = {**TWELVE, "rooms": "45", "need1": "11", "need10": "十", "need11": "十一"}
    x.goto(form)
    fill(x, whole)
    press(x, "保存到台账")
    for page in (x, y):
        page.goto(form)
    fill(x, {"rooms": "46"})
    press(x, "保存到台账")
    fill(y, {"need1": "12"})
    press(y, "保存到台账")
    heads = [text.split("（")[0] for text in y.locator(".three-way thead th").all_inner_texts()]
    assert heads == ["项目", "原来", "对方", "我的"]
    rows = {
        row.locator("th").inner_text(): row.locator("td").all_inner_texts()
        for row in y.locator(".three-way tbody tr").all()
    }
    assert rows == {"教室间数": ["45", "46", "45"], "必填1": ["11", "11", "12"]}
    assert overflow(y) == 0
    press(y, "只改我改的")
    last = versions("t_form")[-1]
    assert (last.number, last.data["rooms"], last.data["need1"]) == (3, 46, "12")

    # both changed the same field: choose by name
    for page in (x, y):
        page.goto(form)
    fill(x, {"rooms": "47"})
    press(x, "保存到台账")
    fill(y, {"rooms": "48"})
    press(y, "保存到台账")
    press(y, "只改我改的")
    assert versions("t_form")[-1].data["rooms"] == 47
    y.get_by_label("48").check()
    press(y, "只改我改的")
    assert versions("t_form")[-1].data["rooms"] == 48


def may_fill(world: World) -> bool:
    from jiaoheng.bureau.core.capabilities import Can
    from jiaoheng.bureau.core.scope import scope_of

    return bool(scope_of(world["甲校长"], Can.FILL))


PASTE = """([selector, text]) => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  const cell = document.querySelector(selector);
  cell.focus();
  cell.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
}"""


def test_a_block_from_excel_fills_the_table_and_saves_as_a_whole(
    county: World, opened: Callable[..., Any], at: Callable[..., Any]
) -> None:
    at(2025, 9, 15, 12)
    store(ROSTER)
    page = opened(county["甲填报"])
    page.goto("/ledgers/t_roster/")
    press(page, "成批填", role="link")
    first = page.locator("table[data-grid] tbody tr").count()
    lines = [[f"S{number:02d}", f"学生{number}", "一（1）班", str(number)] for number in range(1, 41)]
    lines[6][3] = "约7"
    page.evaluate(PASTE, ["#cell-0-code", "\n".join("\t".join(line) for line in lines) + "\n"])
    assert page.locator("table[data-grid] tbody tr").count() == 40
    assert page.locator(".is-invalid").count() == 1
    assert versions("t_roster") == []
    page.locator("#cell-0-code").press("Control+z")
    assert page.locator("table[data-grid] tbody tr").count() == first
    assert page.input_value("#cell-0-name") == ""
    page.evaluate(PASTE, ["#cell-0-code", "\n".join("\t".join(line) for line in lines)])
    press(page, "全部保存")
    assert "“约7”不是数字" in said(page)
    assert page.input_value("#cell-6-points") == "约7"
    assert versions("t_roster") == []
    assert overflow(page) == 0
    page.fill("#cell-6-points", "7")
    page.fill("#cell-7-code", "S07")
    press(page, "全部保存")
    assert "与第 7 行相同" in said(page)
    page.fill("#cell-7-code", "S08")
    press(page, "全部保存")
    assert "已保存：新增 40 条，改动 0 条，不变 0 条" in said(page)
    stored = versions("t_roster")
    assert [(one.number, one.data["code"], one.data["points"]) for one in stored] == [
        (1, line[0], number) for number, line in enumerate(lines, start=1)
    ]

    # the table opens with what is there; one cell changed is one new version
    phone = opened(county["甲填报"], phone=True)
    phone.goto(f"/ledgers/t_roster/grid?unit={county['甲'].pk}")
    phone.fill("#cell-2-points", "33")
    assert overflow(phone) == 0
    press(phone, "全部保存")
    assert "已保存：新增 0 条，改动 1 条，不变 39 条" in said(phone)
    assert [one.data["points"] for one in versions("t_roster") if one.number == 2] == [33]

"""Every page kind at both widths: WCAG by axe-core, no overflow, targets for fingers, one main action, print, weight."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bureau.browser.figures import FIGURES, fill, store
from bureau.browser.kit import overflow, press, said
from bureau.world import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MOST = 150_000  # bytes of a first page without charts
FINGER = 43.5  # CSS pixels; 44 with the rounding of fractions


@dataclass
class Stage:
    """The county with an open round in the middle of its work, and the addresses of its pages by kind."""

    world: World
    pages: list[tuple[str, str, str]] = field(default_factory=list)  # (kind, account, address)


@pytest.fixture
def stage(shown: World, at: Callable[..., Any]) -> Stage:
    from jiaoheng.bureau.core import clock
    from jiaoheng.bureau.core.models import Period
    from jiaoheng.bureau.ledgers.models import Filing, RegisterRow
    from jiaoheng.bureau.ledgers.rounds.actions import do_open_round, do_submit_filing

    at(2024, 10, 20, 9)
    for school in ("甲", "乙", "丙"):
        store(shown, school, 2024)
    at(2025, 10, 13, 9)
    register = RegisterRow.objects.get(name="school_conditions")
    made = do_open_round(
        register=register, period=Period.objects.get(code="Y2025"), title="2025 年学校办学条件",
        scope_unit=shown["县"], kinds=[], reference_date=clock.today(), opens_at=clock.now(),
        due_at=clock.beijing(2025, 10, 24, 17, 30), acting_user=shown["股长"],
    )  # fmt: skip
    saved = store(shown, "甲", 2025, pupils="500")
    filing = Filing.objects.get(round=made, unit=shown["甲"])
    do_submit_filing(filing, version=filing.version, sentences={}, acting_user=shown["甲填报"])
    own = Filing.objects.get(round=made, unit=shown["乙"])
    school = shown["甲"].pk
    at(2025, 10, 27, 9)
    return Stage(
        shown,
        [
            ("登录", "", "/login/"),
            ("待办", "乙填报", "/"),
            ("待办", "东学区", "/"),
            ("待办", "股长", "/"),
            ("台账", "股长", "/ledgers/"),
            ("列表", "股长", "/ledgers/school_conditions/"),
            ("没有记录", "乙填报", "/ledgers/classes/"),
            ("没有符合的", "股长", "/ledgers/school_conditions/?q=没有这所学校"),
            ("填报说明", "乙填报", "/ledgers/school_conditions/about"),
            ("记录", "甲填报", f"/records/{saved.record_id}/"),
            ("表单", "乙填报", "/ledgers/school_conditions/new"),
            ("表单", "乙填报", "/ledgers/classes/new"),
            ("成批填", "乙填报", "/ledgers/activities/grid"),
            ("导入一", "乙填报", "/ledgers/school_conditions/import"),
            ("采集", "股长", "/rounds/"),
            ("发起采集", "股长", "/rounds/new?register=school_conditions"),
            ("进度", "股长", f"/rounds/{made.pk}/"),
            ("截止", "股长", f"/rounds/{made.pk}/deadline"),
            ("催办记录", "股长", f"/rounds/{made.pk}/reminders"),
            ("填报单", "东学区", f"/filings/{filing.pk}/"),
            ("填报单", "乙填报", f"/filings/{own.pk}/"),
            ("学校", "股长", "/units/"),
            ("一校一册", "股长", f"/units/{school}/"),
            ("学区", "股长", f"/units/{shown['东'].pk}/"),
            ("并入", "管理员", f"/units/{school}/change/merge/"),
            ("人员", "管理员", "/people/"),
            ("一个人", "管理员", f"/people/{shown['甲填报'].pk}/"),
            ("导入账号", "管理员", "/people/import"),
            ("操作记录", "管理员", "/audit/"),
            ("工作日历", "管理员", "/calendar/"),
            ("考试", "股长", "/exams/"),
            ("检索", "股长", "/search?q=东镇"),
            ("检索没有", "股长", "/search?q=乌有"),
            ("自己", "股长", "/me"),
            ("密码", "股长", "/password/"),
            ("建台账", "管理员", "/ledgers/make"),
            ("没有这一页", "乙填报", "/records/999999/"),
            ("没有权限", "乙填报", "/units/new"),
        ],
    )


TARGETS = """(least) => [...document.querySelectorAll(
  "#main .btn, .savebar .btn, #main summary, #main select, #main textarea, .tabs a, #main .choice, #main .pick, " +
  "#main input:not([type=hidden]):not([type=checkbox]):not([type=radio])")]
  .filter(one => one.offsetParent !== null && one.getBoundingClientRect().height > 0)
  .filter(one => one.getBoundingClientRect().height < least)
  .map(one => `${one.tagName.toLowerCase()}.${one.className} “${(one.innerText || one.name || "").trim().slice(0, 20)}” ` +
    Math.round(one.getBoundingClientRect().height))"""
FILLED = "[...document.querySelectorAll('.btn-primary')].filter(one => one.offsetParent !== null).map(one => one.innerText.trim())"
UNNAMED = "!document.querySelector('h1') || document.querySelectorAll('h1').length !== 1"


def faults_of(page: Any, axe: Any, *, phone: bool) -> list[str]:
    """What a person, a reader of screens or a finger would dislike on the page that is open."""
    found = [
        f"axe {one['id']}（{one['impact']}）：{node['html'][:160]}"
        for one in axe.run(page, options={"resultTypes": ["violations"]}).response["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:3]
    ]
    if wide := overflow(page):
        found.append(f"{wide} px wider than the window")
    if len(filled := page.evaluate(FILLED)) > 1:
        found.append(f"several main actions: {filled}")
    if page.evaluate(UNNAMED):
        found.append("not one h1")
    if phone:
        found += [f"small target {one}" for one in page.evaluate(TARGETS, FINGER)[:8]]
    return found


@pytest.mark.parametrize("phone", [False, True], ids=["1366", "360"])
def test_every_page_kind(stage: Stage, opened: Callable[..., Any], tmp_path: Path, phone: bool) -> None:
    from axe_playwright_python.sync_playwright import Axe

    axe = Axe()
    found: dict[str, list[str]] = {}
    open_pages: dict[str, Any] = {}
    for kind, who, address in stage.pages:
        if who not in open_pages:
            open_pages[who] = opened(stage.world[who] if who else None, phone=phone)
        page = open_pages[who]
        page.goto(address)
        if faults := faults_of(page, axe, phone=phone):
            found[f"{kind} {address}"] = faults

    # pages that a person reaches by doing something: an import's steps, two editors
    page = open_pages["乙填报"]
    for step in import_steps(page, tmp_path):
        if faults := faults_of(page, axe, phone=phone):
            found[step] = faults
    page.goto(f"/records/{conflict(stage)}/edit")
    page.fill("#f-teachers", "39")
    meanwhile(stage)
    press(page, "保存到台账")
    assert "两个人同时改了这条记录" in said(page)
    if faults := faults_of(page, axe, phone=phone):
        found["两人同改"] = faults
    assert not found, "\n".join(f"{kind}: {line}" for kind, lines in found.items() for line in lines)


def import_steps(page: Any, folder: Path) -> Iterator[str]:
    """Wrong cells, then what will be written, then what was written."""
    for name, cells in (
        ("导入二", {"classes": "约12", "network": "光纤专线", "reporter_phone": "139"}),
        ("导入三", {}),
    ):
        page.goto("/ledgers/school_conditions/import")
        with page.expect_download() as waited:
            page.get_by_role("link", name="取填报表").click()
        book = folder / f"{name}.xlsx"
        waited.value.save_as(book)
        fill(book, **{**FIGURES, "network": "千兆光纤", **cells})
        page.set_input_files("#files", str(book))
        press(page, "上传并核对")
        yield name
    press(page, "去确认", role="link")
    yield "导入三，确认"
    press(page, "确认导入")
    yield "导入完成"


def conflict(stage: Stage) -> int:
    from jiaoheng.bureau.ledgers.models import Record

    return int(Record.objects.filter(unit=stage.world["乙"]).latest("pk").pk)


def meanwhile(stage: Stage) -> None:
    """Somebody else of the school saves the record."""
    from jiaoheng.bureau.ledgers.actions_records import do_save_record
    from jiaoheng.bureau.ledgers.models import RecordVersion, RegisterRow

    newest = RecordVersion.objects.filter(record_id=conflict(stage)).latest("number")
    do_save_record(
        RegisterRow.objects.get(name="school_conditions"), stage.world["乙"], newest.record.period, {"teachers": "40"},
        record_id=newest.record_id, base=newest.number, acting_user=stage.world["乙填报"],
    )  # fmt: skip


def test_keyboard_print_and_weight(stage: Stage, opened: Callable[..., Any]) -> None:
    seen = {kind: (who, address) for kind, who, address in reversed(stage.pages)}
    heavy: dict[str, int] = {}
    unreached, printed = [], []
    for kind in ("登录", "待办", "列表", "记录", "表单", "导入一", "进度", "填报单", "一校一册", "操作记录"):
        who, address = seen[kind]
        page = opened(stage.world[who] if who else None)
        sizes: list[int] = []
        page.context.clear_cookies() if not who else None
        page.goto("about:blank")
        network = page.context.new_cdp_session(page)
        network.send("Network.enable")
        network.send("Network.clearBrowserCache")
        network.on("Network.loadingFinished", lambda one, into=sizes: into.append(int(one["encodedDataLength"])))
        page.goto(address, wait_until="networkidle")
        if sum(sizes) > MOST:
            heavy[kind] = sum(sizes)
        assert len(sizes) > 4
        if page.evaluate(FILLED) and not tabbed_to_main_action(page):
            unreached.append(kind)
        page.emulate_media(media="print")
        if page.locator("header.bar, .savebar, .skip").filter(visible=True).count():
            printed.append(kind)
    assert (heavy, unreached, printed) == ({}, [], [])


def tabbed_to_main_action(page: Any, most: int = 200) -> bool:
    page.evaluate("document.activeElement && document.activeElement.blur()")
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('btn-primary')"):
            return True
    return False

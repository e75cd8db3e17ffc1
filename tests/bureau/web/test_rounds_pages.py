"""Pages of rounds and filings through the browser's door: what each shows, does, refuses, and how much it asks for."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bureau.ledgers.rounds_stage import DUE, Stage, add_school, form, listing, make_stage
from bureau.world import World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.ledgers.models import CellComment, Extension, Filing, FilingStep, Reminder, Round
from jiaoheng.bureau.ledgers.rounds.actions import do_approve_filing, do_return_filing

NOW = clock.beijing(2025, 10, 20, 10)
LATE = clock.beijing(2025, 11, 3, 10)


@pytest.fixture
def stage(world: World) -> Stage:
    """A list register (班级, 人数) asked of the whole county."""
    made = make_stage(world, listing())
    with clock.at(NOW):
        made.open(title="2025 年秋季班额台账")
    return made


@pytest.fixture
def form_stage(world: World) -> Stage:
    """A register with one record a unit."""
    made = make_stage(world, form())
    with clock.at(NOW):
        made.open()
    return made


def entered(who: Account) -> Client:
    """A signed-in browser."""
    client = Client()
    client.force_login(who, backend="django.contrib.auth.backends.ModelBackend")
    return client


def seen(client: Client, address: str) -> str:
    """A page's text, which has to be there."""
    answer = client.get(address)
    assert answer.status_code == 200, answer.content.decode()[:400]
    return answer.content.decode()


def told(answer: Any) -> str:
    """The messages of the page that a post leads to."""
    assert answer.status_code == 303, answer.content.decode()[:2000]
    return "；".join(str(one) for one in answer.wsgi_request._messages)


def press(client: Client, address: str, **values: Any) -> Any:
    """A post."""
    return client.post(address, values)


def at(filing: Filing, what: str = "") -> str:
    """The address of a filing, or of one of its actions."""
    return f"/filings/{filing.pk}/{what}"


def fill(stage: Stage, name: str, rows: int = 2) -> list[int]:
    """Some classes of a school; returns the records."""
    return [stage.fill(name, name=f"{number}班", pupils=40 + number % 50) for number in range(rows)]


def test_list_of_rounds_counts_inside_the_readers_scope_and_offers_opening_to_the_office_only(stage: Stage) -> None:
    with clock.at(NOW):
        office, district = (
            seen(entered(stage.world["股长"]), "/rounds/"),
            seen(entered(stage.world["东学区"]), "/rounds/"),
        )
        assert "2025 年秋季班额台账" in office
        assert "2025 年秋季班额台账" in district
        assert 'data-l="应交">4<' in office
        assert 'data-l="应交">2<' in district
        assert "/rounds/new" in office
        assert "/rounds/new" not in district


def test_opening_a_round_says_how_many_before_and_opens_only_when_confirmed(stage: Stage) -> None:
    office = entered(stage.world["股长"])
    Round.objects.filter(pk=stage.round.pk).update(closed_at=NOW)
    values = {
        "register": "classes", "sent": "1", "title": "补报班额", "period": stage.period.pk, "reference_date": "2025-10-01",
        "opens_date": "2025-10-20", "opens_time": "08:00", "due_date": "2025-10-31", "due_time": "17:30",
        "kinds": ["211"], "steps": ["-3:filler"],
    }  # fmt: skip
    with clock.at(NOW):
        assert "请选择" in seen(office, "/rounds/new")
        first = seen(office, "/rounds/new?register=classes")
        assert "小学 <small>3 所" in first or "211 <small>3 所" in first
        looked = office.post("/rounds/new", {**values, "act": "look"})
        assert "3 所学校要填报" in looked.content.decode()
        assert Round.objects.count() == 1
        done = office.post("/rounds/new", {**values, "act": "open"})
        assert "3 所学校要填报" in told(done)
    made = Round.objects.latest("pk")
    assert (made.title, made.kinds, made.filings.count()) == ("补报班额", ["211"], 3)
    assert clock.local(made.due_at).strftime("%m-%d %H:%M") == "10-31 17:30"
    assert [one["days"] for one in made.reminders] == [-3]


def test_opening_a_round_says_each_mistake_at_its_field_and_keeps_what_was_typed(stage: Stage) -> None:
    office = entered(stage.world["股长"])
    with clock.at(NOW):
        answer = press(
            office, "/rounds/new", register="classes", sent="1", title="", reference_date="2025-02-30", act="look",
            opens_date="2025-10-20", opens_time="08:00", due_date="2025-10-01", due_time="", note="逐班填",
        )  # fmt: skip
        text = answer.content.decode()
        assert answer.status_code == 400
        for said in ("请填写轮次名称", "请填统计时点", "不晚于开始", "逐班填"):
            assert said in text
        again = press(
            office, "/rounds/new", register="classes", sent="1", title="又一轮", reference_date="2025-10-01", act="open",
            opens_date="2025-10-20", opens_time="08:00", due_date="2025-10-31", period=stage.period.pk,
        )  # fmt: skip
        assert again.status_code == 400
        assert "已有一轮" in again.content.decode()
    assert Round.objects.count() == 1
    with clock.at(NOW):
        assert entered(stage.world["甲填报"]).get("/rounds/new").status_code == 403


def test_p21_late_units_are_reminded_in_one_press_and_the_second_press_skips_them(stage: Stage) -> None:
    office = entered(stage.world["股长"])
    fill(stage, "乙")
    with clock.at(NOW):
        stage.submit("乙")
    address = f"/rounds/{stage.round.pk}/"
    with clock.at(LATE):
        page = seen(office, address)
        assert page.count(' checked aria-label="选中') == 3  # what is late, and nothing else
        assert "催办 3 所" in page
        ids = [stage.filing(name).pk for name in ("甲", "丙", "直")]
        first = press(office, f"{address}remind", chosen=ids)
        assert told(first).startswith("已催办 3 所")
        assert Reminder.objects.filter(round=stage.round, outcome="sent").count() >= 3
        second = press(office, f"{address}remind", who="late")
        assert "跳过 3 所" in told(second)
        log = seen(office, f"{address}reminders")
        assert "甲填报" in log
        assert "手工催办" in log
        assert entered(stage.world["甲填报"]).post(f"{address}remind", {"chosen": ids[:1]}).status_code == 403


def test_the_board_stays_inside_the_scope_and_its_filters_hold(stage: Stage) -> None:
    fill(stage, "甲")
    with clock.at(NOW):
        stage.submit("甲")
    address = f"/rounds/{stage.round.pk}/"
    with clock.at(LATE):
        whole = seen(entered(stage.world["股长"]), address)
        assert all(name in whole for name in ("东镇甲小学", "东镇乙小学", "西镇丙小学", "青槐县实验中学"))
        east = seen(entered(stage.world["东学区"]), address)
        assert "西镇丙小学" not in east
        waiting = seen(entered(stage.world["东学区"]), f"{address}?show=district")
        assert "东镇甲小学</a>" in waiting
        assert "东镇乙小学</a>" not in waiting
        assert "没有符合条件的单位" in seen(entered(stage.world["东学区"]), f"{address}?q=没有这所")
        assert entered(stage.world["甲班主任"]).get("/rounds/999/").status_code == 404


def test_bulk_passing_shows_first_which_ones_and_refuses_those_that_are_not_there(stage: Stage) -> None:
    district = entered(stage.world["东学区"])
    fill(stage, "甲")
    address = f"/rounds/{stage.round.pk}/decide"
    with clock.at(NOW):
        stage.submit("甲")
        ids = [stage.filing("甲").pk, stage.filing("乙").pk]
        looked = press(district, address, act="look", what="approve", chosen=ids)
        assert looked.status_code == 303
        page = seen(district, looked["Location"])
        assert "通过 1 所；另有 1 所这次不动" in page
        assert "还没有提交" in page
        done = press(district, address, what="approve", chosen=[f"{ids[0]}.{stage.filing('甲').version}"])
        assert told(done) == "通过：1 所已办"
        assert stage.filing("甲").state == Filing.State.COUNTY
        late = press(district, address, what="approve", chosen=[f"{ids[0]}.1"])
        assert late.status_code == 409
        assert "东学区 已于" in late.content.decode()
        other = press(entered(stage.world["西学区"]), address, what="approve", chosen=ids[:1])
        assert other.status_code == 404
        empty = press(district, address, act="look", what="approve")
        assert "没有选中" in told(empty)


def test_bulk_return_needs_a_reason(stage: Stage) -> None:
    district = entered(stage.world["东学区"])
    fill(stage, "甲")
    address = f"/rounds/{stage.round.pk}/decide"
    with clock.at(NOW):
        pk = stage.submit("甲").pk
        bare = press(district, address, what="return", chosen=[f"{pk}.{stage.filing('甲').version}"], reason=" ")
        assert bare.status_code == 400
        assert "请填写退回原因" in bare.content.decode()
        assert stage.filing("甲").state == Filing.State.DISTRICT
        done = press(
            district, address, what="return", chosen=[f"{pk}.{stage.filing('甲').version}"], reason="人数与花名册不符"
        )
        assert told(done) == "退回：1 所已办"
    assert stage.filing("甲").state == Filing.State.RETURNED


def test_a_whole_district_is_passed_once_all_of_it_is_there(stage: Stage) -> None:
    office, address = entered(stage.world["股长"]), f"/rounds/{stage.round.pk}/unit"
    for name in ("甲", "乙"):
        fill(stage, name)
    with clock.at(NOW):
        stage.submit("甲")
        do_approve_filing(stage.filing("甲"), acting_user=stage.world["东学区"])
        refused = press(office, address, unit=stage.world["东"].pk)
        assert refused.status_code == 400
        assert "东镇乙小学（填报中）" in refused.content.decode()
        stage.submit("乙")
        do_approve_filing(stage.filing("乙"), acting_user=stage.world["东学区"])
        board = seen(office, f"/rounds/{stage.round.pk}/?show=all&district={stage.world['东'].pk}")
        ticked = [f"{stage.filing(name).pk}.{stage.filing(name).version}" for name in ("甲", "乙")]
        assert all(f'type="hidden" name="chosen" value="{one}"' in board for one in ticked)
        done = press(office, address, unit=stage.world["东"].pk, chosen=ticked)
        assert told(done) == "通过：2 所已办"


def test_moving_the_date_and_extending_one_unit_need_reasons_and_later_dates(stage: Stage) -> None:
    office, address = entered(stage.world["股长"]), f"/rounds/{stage.round.pk}/deadline"
    with clock.at(NOW):
        assert "2025-10-31" in seen(office, address)
        bare = press(office, address, act="move", due_date="2025-11-05", due_time="17:30")
        assert bare.status_code == 400
        moved = press(office, address, act="move", due_date="2025-11-05", due_time="17:30", reason="系统升级")
        assert "截止时间已改" in told(moved)
        stage.round.refresh_from_db()
        assert f"{clock.local(stage.round.due_at):%m-%d %H:%M}" == "11-05 17:30"
        early = press(office, address, act="extend", unit=stage.world["乙"].pk, until_date="2025-11-01", reason="停电")
        assert early.status_code == 400
        assert "不晚于" in early.content.decode()
        assert "停电" in early.content.decode()
        later = press(office, address, act="extend", unit=stage.world["乙"].pk, until_date="2025-11-09", reason="停电")
        assert "已延期" in told(later)
        assert entered(stage.world["东学区"]).get(address).status_code == 403
        closed = press(office, address, act="close")
        assert "已结束" in told(closed)
        assert "重新开启" in seen(office, address)
    assert Extension.objects.get().filing.unit == stage.world["乙"]


def test_the_merged_workbook_comes_in_one_press_with_present_or_approved_figures(stage: Stage) -> None:
    office, address = entered(stage.world["股长"]), f"/rounds/{stage.round.pk}/merge"
    fill(stage, "甲", 3)
    with clock.at(NOW):
        stage.submit("甲")
        for values, rows in (({}, 3), ({"approved": "1"}, 0)):
            answer = press(office, address, **values)
            assert answer.status_code == 200
            assert "attachment" in answer["Content-Disposition"]
            book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
            assert "报送情况" in book.sheetnames
            cells = [str(cell) for sheet in book for line in sheet.iter_rows(values_only=True) for cell in line if cell]
            assert sum(one in ("0班", "1班", "2班") for one in cells) == rows
        assert press(entered(stage.world["甲填报"]), address).status_code == 403
        assert (
            office.get(address).status_code == 405
        )  # it leaves a file and an entry: opening an address writes nothing


def test_a_filler_submits_what_is_there_and_takes_it_back(stage: Stage) -> None:
    clerk, filing = entered(stage.world["甲填报"]), stage.filing("甲")
    with clock.at(NOW):
        assert "零报告" in seen(clerk, at(filing))
        empty = press(clerk, at(filing, "submit"), version=filing.version)
        assert empty.status_code == 400
        assert "还没有记录" in empty.content.decode()
        fill(stage, "甲", 3)
        page = seen(clerk, at(filing))
        assert "提交给学区" in page
        assert "123" in page  # 40 + 41 + 42, the sum at the foot
        version = stage.filing("甲").version
        assert "待学区审核" in told(press(clerk, at(filing, "submit"), version=version))
        assert "已撤回" in told(press(clerk, at(filing, "recall"), version=stage.filing("甲").version))
        assert stage.filing("甲").state == Filing.State.DRAFT
        stage.submit("甲")
        seen(entered(stage.world["东学区"]), at(filing))  # the approver looks: no way back
        late = press(clerk, at(filing, "recall"), version=stage.filing("甲").version)
        assert late.status_code == 400
        assert "审核人已于" in late.content.decode()
        assert press(entered(stage.world["乙填报"]), at(filing, "submit")).status_code == 404


def test_a_zero_report_goes_only_while_nothing_is_there(stage: Stage) -> None:
    clerk = entered(stage.world["甲填报"])
    with clock.at(NOW):
        assert "已零报告" in told(press(clerk, at(stage.filing("甲"), "submit"), zero="1"))
        assert stage.filing("甲").zero_report
        fill(stage, "乙")
        refused = press(entered(stage.world["乙填报"]), at(stage.filing("乙"), "submit"), zero="1")
        assert refused.status_code == 400
        assert "不能零报告" in refused.content.decode()


def test_what_blocks_and_what_needs_a_sentence_stand_on_the_page(form_stage: Stage) -> None:
    stage, clerk = form_stage, entered(form_stage.world["甲填报"])
    stage.fill("甲", period=stage.before, teachers=10, classes=2)
    filing = stage.filing("甲")
    with clock.at(NOW):
        record = stage.fill("甲", classes=2)
        page = seen(clerk, at(filing))
        assert "必填的“教师数”空着" in page
        assert f"/records/{record}/edit#field-teachers" in page
        wrong = press(clerk, at(filing, "submit"))
        assert wrong.status_code == 400
        assert "师资概况" in wrong.content.decode() or "教师数" in wrong.content.decode()
        stage.fill("甲", teachers=20, classes=2)
        asked = seen(clerk, at(filing))
        assert f'name="why-{record}:teachers"' in asked
        silent = press(clerk, at(filing, "submit"))
        assert silent.status_code == 400
        assert "请写一句原因" in silent.content.decode()
        done = press(clerk, at(filing, "submit"), **{f"why-{record}:teachers": "并入一所教学点"})
        assert "已提交" in told(done)
        assert "并入一所教学点" in seen(entered(stage.world["东学区"]), at(filing))


def test_an_approver_remarks_cells_without_a_script_and_returns_them_together(stage: Stage) -> None:
    district, clerk = entered(stage.world["东学区"]), entered(stage.world["甲填报"])
    records = fill(stage, "甲")
    with clock.at(NOW):
        filing = stage.submit("甲")
        cell = f"{records[0]}:pupils"
        chosen = seen(district, f"{at(filing)}?cell={cell}")
        assert "0班 人数，现在填的是 40" in chosen
        kept = press(district, at(filing, "remark"), cell=cell, text="与花名册差 1 名")
        assert kept["Location"].endswith(f"#cell-{cell}")
        assert "与花名册差 1 名" in seen(district, at(filing))
        assert not CellComment.objects.exists()  # nothing is said before the return
        assert "与花名册差 1 名" not in seen(clerk, at(filing))
        elsewhere = press(district, at(filing, "remark"), cell="99999:pupils", text="别处")
        assert elsewhere.status_code == 400
        bare = press(district, at(filing, "return"), version=stage.filing("甲").version, due_date="2000-01-01")
        assert bare.status_code == 400
        assert "与花名册差 1 名" in bare.content.decode()
        done = press(district, at(filing, "return"), version=stage.filing("甲").version, reason="1 格要改")
        assert told(done).startswith("已退回")
        remark = CellComment.objects.get()
        assert (remark.record_id, remark.field, remark.text, remark.value) == (
            records[0],
            "pupils",
            "与花名册差 1 名",
            40,
        )
        back = seen(clerk, at(filing))
        assert "改这格" in back
        assert f"/records/{records[0]}/edit#field-pupils" in back
        assert "待发" not in seen(district, at(filing))
        forbidden = press(clerk, at(filing, "return"), reason="我退回自己")
        assert forbidden.status_code in (403, 409)


def test_p17_the_second_of_two_decisions_names_the_first_and_changes_nothing(stage: Stage) -> None:
    fill(stage, "甲")
    with clock.at(NOW):
        filing = stage.submit("甲")
        version = stage.filing("甲").version
        district = entered(stage.world["东学区"])
        assert "已通过" in told(press(district, at(filing, "approve"), version=version))
        second = press(district, at(filing, "return"), version=version, reason="再看看")
        assert second.status_code == 409
        text = second.content.decode()
        assert "东学区 已于 10-20 10:00 通过" in text
        assert "再看看" in text or stage.filing("甲").state == Filing.State.COUNTY
        assert FilingStep.objects.filter(kind="return").count() == 0
        assert "已撤回审核" in told(press(district, at(filing, "withdraw"), version=stage.filing("甲").version))
        assert stage.filing("甲").state == Filing.State.DISTRICT


def test_passing_leads_on_to_the_next_one_that_waits(stage: Stage) -> None:
    for name in ("甲", "乙"):
        fill(stage, name)
    with clock.at(NOW):
        first, second = stage.submit("甲"), stage.submit("乙")
        district = entered(stage.world["东学区"])
        assert "之后还有 1 份等您审" in seen(district, at(first))
        onward = press(district, at(first, "approve"), version=stage.filing("甲").version, next=second.pk)
        assert onward["Location"] == at(second)
        assert "最后一份" in seen(district, at(second))


def test_extending_from_the_filing_and_who_may(stage: Stage) -> None:
    office, filing = entered(stage.world["股长"]), stage.filing("乙")
    with clock.at(NOW):
        missing = press(office, at(filing, "extend"), reason="停电")
        assert missing.status_code == 400
        assert "请填延到的日期" in missing.content.decode()
        assert "已延期" in told(press(office, at(filing, "extend"), until_date="2025-11-20", reason="停电"))
        assert "停电" in seen(entered(stage.world["乙填报"]), at(filing))
        assert (
            press(entered(stage.world["东学区"]), at(filing, "extend"), until_date="2025-11-21", reason="x").status_code
            == 403
        )
    assert stage.filing("乙").extended_to > DUE


def test_a_register_with_one_record_shows_facts(form_stage: Stage) -> None:
    stage = form_stage
    record = stage.fill("甲", teachers=10, classes=2)
    with clock.at(NOW):
        filing = stage.submit("甲")
        page = seen(entered(stage.world["东学区"]), at(filing))
        assert "<dt>教师数</dt>" in page
        assert f'data-cell="{record}:teachers"' in page
        kept = press(entered(stage.world["东学区"]), at(filing, "remark"), cell=f"{record}:teachers", text="请核对")
        assert kept.status_code == 303


def _asked(client: Client, address: str) -> int:
    client.get(address)  # the first look warms the caches of the process
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_the_board_and_the_list_ask_as_much_for_many_units_as_for_few(world: World) -> None:
    few = make_stage(world, listing())
    with clock.at(NOW):
        few.open(title="第一轮")
        office = entered(world["股长"])
        before = [_asked(office, address) for address in ("/rounds/", f"/rounds/{few.round.pk}/?show=all")]
        Round.objects.filter(pk=few.round.pk).update(closed_at=NOW)
        for number in range(12):
            add_school(world, f"增{number}", f"东镇第{number}小学", "东", f"21990001{number:02d}")
        few.open(title="第二轮")
        after = [_asked(office, address) for address in ("/rounds/", f"/rounds/{few.round.pk}/?show=all")]
    assert few.round.filings.count() == 16
    assert after == before
    assert max(after) < 70


def test_a_filing_asks_as_much_for_many_rows_as_for_few(stage: Stage) -> None:
    with clock.at(NOW):
        clerk, filing = entered(stage.world["甲填报"]), stage.filing("甲")
        fill(stage, "甲", 2)
        before = _asked(clerk, at(filing))
        fill(stage, "甲", 120)
        after = _asked(clerk, at(filing))
        assert "第 1 / 2 页" in seen(clerk, at(filing))
        assert "119班" in seen(clerk, f"{at(filing)}?page=2")
    assert after == before
    assert after < 60


def test_a_school_that_asks_for_the_board_gets_its_filing(stage: Stage) -> None:
    fill(stage, "甲")
    with clock.at(NOW):
        answer = entered(stage.world["甲填报"]).get(f"/rounds/{stage.round.pk}/")
        assert (answer.status_code, answer["Location"]) == (303, at(stage.filing("甲")))
        Filing.objects.filter(pk=stage.filing("甲").pk).update(state="approved")
        assert entered(stage.world["甲填报"]).get(f"/rounds/{stage.round.pk}/").status_code == 303
        assert entered(stage.world["东学区"]).get(f"/rounds/{stage.round.pk}/").status_code == 200


def test_a_refusal_with_several_places_leaves_the_bar_of_the_page_whole(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise RefusedError("two-places", "有两处要改", places={"one": "改这里", "two": "也改这里"})

    monkeypatch.setattr("jiaoheng.bureau.web.views.rounds.do_remind", refuse)
    with clock.at(NOW):
        answer = press(entered(stage.world["股长"]), f"/rounds/{stage.round.pk}/remind", who="late")
    assert answer.status_code == 400
    assert "有两处要改" in answer.content.decode()
    assert "基础教育股" in answer.content.decode()


def test_the_totals_stand_beside_those_of_the_approval(form_stage: Stage) -> None:
    stage, world = form_stage, form_stage.world
    with clock.at(NOW):
        stage.fill("甲", teachers=1240, classes=12)
        stage.fill("乙", teachers=10, classes=2)
        stage.submit("甲")
        do_approve_filing(stage.filing("甲"), acting_user=world["东学区"])
        do_approve_filing(stage.filing("甲"), acting_user=world["股长"])
    with clock.at(clock.beijing(2025, 10, 21, 10)):
        do_return_filing(stage.filing("甲"), reason="请核对教师数", acting_user=world["股长"])
        stage.fill("甲", teachers=1241, classes=12)
        page = seen(entered(world["股长"]), f"/ledgers/staffing/totals?period={stage.period.pk}")
        bare = seen(entered(world["股长"]), f"/ledgers/staffing/totals?period={stage.before.pk}")
    assert 'data-sum="teachers">1,251<' in page
    assert 'data-approved="teachers">1,240<' in page
    assert "已审 1/4" in page
    assert "1 校有未审修改" in page
    assert "审定时的合计" not in bare  # nobody asked for that term

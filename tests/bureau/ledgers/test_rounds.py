"""Who owes, what is refused, and when something counts as late."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from bureau.ledgers.rounds_stage import DUE, REFERENCE, Stage, add_school, form, listing, make_stage
from bureau.world import World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import AuditEntry, Membership, Notice, UnitSuccession
from jiaoheng.bureau.core.refusals import ConflictError, ForbiddenError, NotFoundError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.ledgers.models import Extension, Filing, FilingStep, RegisterVersion
from jiaoheng.bureau.ledgers.rounds.actions import (
    do_approve_filing,
    do_close_round,
    do_extend,
    do_move_deadline,
    do_open_round,
    do_remind,
    do_reopen,
)
from jiaoheng.bureau.ledgers.rounds.approved import Basis, pending_of, rows_on
from jiaoheng.bureau.ledgers.rounds.board import board_of
from jiaoheng.bureau.ledgers.rounds.board_model import Choice
from jiaoheng.bureau.ledgers.rounds.deadlines import Timing, light_until, own_limit, timing_of, window_of
from jiaoheng.bureau.ledgers.rounds.filing_page import filing_page
from jiaoheng.bureau.ledgers.rounds.owing import filing_of, round_units
from jiaoheng.bureau.ledgers.rounds.progress import progress_of
from jiaoheng.bureau.ledgers.rounds.returning import CellRemark, do_return_filing
from jiaoheng.bureau.ledgers.rounds.round_form import preview_round, read_round, round_form
from jiaoheng.bureau.ledgers.rounds.words import due_words
from jiaoheng.registers.loading import schema_hash, to_json
from jiaoheng.registers.model import FillPlan, Level


@pytest.fixture
def stage(world: World) -> Stage:
    return make_stage(world)


def open_at(stage: Stage, day: int = 20, **more: object) -> None:
    with clock.at(clock.beijing(2025, 9, day)):
        stage.open(**more)


@pytest.fixture
def p03(world: World) -> Stage:
    """A (甲) open, B ended 2025-09-01, C starts 2026-03-01, D open until 2025-10-20; only their district is asked."""
    stage = make_stage(world)
    world["乙"].facts.update(kind="311")  # the town's other school is of a kind not asked
    add_school(world, "B", "东镇旧庄小学", "东", "2199000011", ends_on=dt.date(2025, 9, 1))
    add_school(world, "C", "东镇新城小学", "东", "2199000012", starts_on=dt.date(2026, 3, 1))
    add_school(world, "D", "东镇河口小学", "东", "2199000013", ends_on=dt.date(2025, 10, 20))
    open_at(stage, scope_unit=world["东"], kinds=["211"])
    with clock.at(clock.beijing(2025, 10, 9)):
        stage.fill("甲", teachers=20)
        stage.submit("甲")
        do_approve_filing(stage.filing("甲"), acting_user=world["东学区"])
        do_approve_filing(stage.filing("甲"), acting_user=world["股长"])
    return stage


def test_p03_owed_rate_and_late_list(p03: Stage) -> None:
    with clock.at(clock.beijing(2025, 11, 1, 9)):
        board = board_of(p03.round, p03.world["股长"], Choice(show="all"))
    assert (board.owed, board.filed, board.rate) == (2, 1, "50.0 %")
    assert {g.key: [row.name for row in g.rows] for g in board.groups} == {
        "late": ["东镇河口小学"], "done": ["东镇甲小学"],
    }  # fmt: skip
    assert [(one.name, one.words) for one in board.outside] == [
        ("东镇旧庄小学", "2025-09-01 已撤销或并入"),
        ("东镇新城小学", "2026-03-01 起设立"),
        ("东镇乙小学", "学校类别不在本轮范围"),
    ]


def test_p03_out_of_scope_units_are_in_no_chooser_and_a_post_names_the_date(p03: Stage) -> None:
    world = p03.world
    with clock.at(clock.beijing(2025, 10, 15)):
        assert [name for _, name in round_units(p03.round, world["东学区"])] == ["东镇河口小学", "东镇甲小学"]
        with pytest.raises(RefusedError, match="2026-03-01"):
            filing_of(p03.round, world["C"], world["股长"])
        with pytest.raises(NotFoundError):
            filing_of(p03.round, world["丙"], world["东学区"])
    with clock.at(clock.beijing(2026, 3, 1)):
        assert world["C"] in scope_of(world["东学区"], Can.FILL).units(level="school")
        assert world["B"] not in scope_of(world["东学区"], Can.FILL).units(level="school")


def test_p03_an_ended_units_item_stands_with_its_district_which_may_file(p03: Stage) -> None:
    with clock.at(clock.beijing(2025, 10, 19)):
        with pytest.raises(ForbiddenError, match="“东镇河口小学”的台账由本单位提交"):
            p03.submit("D", "东学区")
        row = _row(p03, "东镇河口小学")
        assert (row.holder, row.filler) == ("", "D填报")
    with clock.at(clock.beijing(2025, 10, 20)):
        row = _row(p03, "东镇河口小学")
        assert (row.holder, row.filler) == ("2025-10-20 起由东镇学区办理", "东学区")
        p03.fill("D", teachers=9)
        assert p03.submit("D", "东学区").state == "district"


def _row(stage: Stage, name: str) -> object:
    board = board_of(stage.round, stage.world["股长"], Choice(show="all"))
    return next(row for group in board.groups for row in group.rows if row.name == name)


def test_p07_limit_is_the_later_of_round_and_extension(stage: Stage) -> None:
    due = clock.at_end_of(dt.date(2025, 10, 10))
    open_at(stage, due_at=due)
    office = stage.world["股长"]
    with clock.at(clock.beijing(2025, 10, 9)):
        do_extend(stage.filing("甲"), clock.at_end_of(dt.date(2025, 10, 12)), "停电三天", acting_user=office)
        do_extend(stage.filing("乙"), clock.at_end_of(dt.date(2025, 10, 18)), "校长更换", acting_user=office)
        assert own_limit(stage.round, stage.filing("甲")) == clock.at_end_of(dt.date(2025, 10, 12))
        eleventh = clock.beijing(2025, 10, 11, 9)
        assert timing_of(stage.filing("甲").round, stage.filing("甲"), eleventh) is Timing.EXTENDED
        assert timing_of(stage.filing("丙").round, stage.filing("丙"), eleventh) is Timing.LATE
        moved = clock.at_end_of(dt.date(2025, 10, 15))
        do_move_deadline(stage.round, moved, "系统升级", acting_user=office)
    for name, day in [("甲", 15), ("丙", 15), ("乙", 18)]:
        filing = stage.filing(name)
        assert own_limit(filing.round, filing) == clock.at_end_of(dt.date(2025, 10, day))
    assert timing_of(stage.filing("甲").round, stage.filing("甲"), eleventh) is Timing.EXTENDED
    assert timing_of(stage.filing("丙").round, stage.filing("丙"), eleventh) is Timing.IN_TIME


def test_p07_an_extension_is_shown_to_its_unit_only(stage: Stage) -> None:
    open_at(stage, due_at=clock.at_end_of(dt.date(2025, 10, 10)))
    with clock.at(clock.beijing(2025, 10, 9)):
        do_extend(stage.filing("甲"), clock.at_end_of(dt.date(2025, 10, 12)), "停电", acting_user=stage.world["股长"])
        mine = board_of(stage.round, stage.world["甲填报"], Choice(show="all"))
        theirs = board_of(stage.round, stage.world["乙填报"], Choice(show="all"))
    assert [row.extended for group in mine.groups for row in group.rows] == ["延到 10 月 12 日（周日）"]
    assert "12 日" not in repr(theirs)
    assert {one.account.name for one in Notice.objects.filter(key__startswith="extend")} == {"甲填报"}


def test_p07_extension_needs_a_reason_a_later_date_and_the_right(stage: Stage) -> None:
    open_at(stage)
    with clock.at(clock.beijing(2025, 10, 9)):
        later = clock.at_end_of(dt.date(2025, 11, 5))
        with pytest.raises(RefusedError, match="原因"):
            do_extend(stage.filing("甲"), later, " ", acting_user=stage.world["股长"])
        with pytest.raises(RefusedError, match=r"不晚于 2025-10-31 23:59"):
            do_extend(stage.filing("甲"), clock.beijing(2025, 10, 20), "停电", acting_user=stage.world["股长"])
        with pytest.raises(ForbiddenError):
            do_extend(stage.filing("甲"), later, "停电", acting_user=stage.world["甲填报"])
    assert not Extension.objects.exists()


def test_p07_opens_at_its_first_second(stage: Stage) -> None:
    open_at(stage, opens_at=clock.beijing(2025, 10, 8))
    with clock.at(clock.beijing(2025, 10, 7, 20)):
        stage.fill("甲", teachers=20)
    with clock.at(clock.beijing(2025, 10, 7, 23, 59, 59)), pytest.raises(RefusedError, match="10 月 8 日 00:00 开始"):
        stage.submit("甲")
    with clock.at(clock.beijing(2025, 10, 8)):
        assert stage.submit("甲").state == "district"


def test_p07_a_closed_round_names_its_end_and_who_may_extend(stage: Stage) -> None:
    open_at(stage)
    with clock.at(clock.beijing(2025, 11, 3, 9)):
        stage.fill("甲", teachers=20)
        do_close_round(stage.round, acting_user=stage.world["股长"])
    with clock.at(clock.beijing(2025, 11, 4)):
        with pytest.raises(RefusedError, match=r"已于 11 月 3 日 09:00 结束.*股长"):
            stage.submit("甲")
        do_extend(stage.filing("甲"), clock.at_end_of(dt.date(2025, 11, 6)), "补报", acting_user=stage.world["股长"])
        assert window_of(stage.filing("甲").round, stage.filing("甲"), clock.now()).is_open
        assert stage.submit("甲").state == "district"
        with pytest.raises(RefusedError, match="原因"):
            do_reopen(stage.round, acting_user=stage.world["股长"], reason="")
        do_reopen(stage.round, acting_user=stage.world["股长"], reason="乙小学补报")


def test_p08_receipt_by_the_server_decides(stage: Stage) -> None:
    open_at(stage)
    with clock.at(clock.at_end_of(dt.date(2025, 10, 31)) + dt.timedelta(seconds=1)):
        stage.fill("甲", teachers=20)
        filing = stage.submit("甲")
    assert timing_of(filing.round, filing, filing.submitted_at) is Timing.LATE


def test_submission_lists_every_problem_with_its_place(stage: Stage) -> None:
    open_at(stage)
    with clock.at(clock.beijing(2025, 10, 9)):
        record = stage.fill("甲", classes=11)
        with pytest.raises(RefusedError, match="必填的“教师数”空着") as refused:
            stage.submit("甲")
        assert refused.value.places == {f"{record}:teachers": "必填的“教师数”空着。请填写"}
        assert stage.filing("甲").state == "draft"


def test_a_jump_against_last_period_needs_a_sentence(stage: Stage) -> None:
    open_at(stage)
    with clock.at(clock.beijing(2025, 10, 9)):
        stage.fill("甲", period=stage.before, teachers=20)
        record = stage.fill("甲", teachers=40)
        with pytest.raises(RefusedError, match="写一句原因") as refused:
            stage.submit("甲")
        assert list(refused.value.places) == [f"{record}:teachers"]
        stage.submit("甲", sentences={f"{record}:teachers": "并入乙小学教师 20 名"})
    step = FilingStep.objects.get(kind="submit")
    assert step.notes[0]["sentence"] == "并入乙小学教师 20 名"
    shown = filing_page(stage.filing("甲"), stage.world["东学区"]).view.explained
    assert [(one.place, one.words, one.sentence) for one in shown] == [
        ("教师数", "本期 40 名，上期 20 名，增加 100%，超过 30%", "并入乙小学教师 20 名")
    ]


def test_a_reason_stands_for_the_same_change_after_a_return_and_not_for_another(stage: Stage) -> None:
    open_at(stage)
    clerk = stage.world["甲填报"]
    with clock.at(clock.beijing(2025, 10, 9)):
        stage.fill("甲", period=stage.before, teachers=20, classes=8)
        record = stage.fill("甲", teachers=40, classes=8)
        stage.submit("甲", sentences={f"{record}:teachers": "并入乙小学教师 20 名"})
        remark = CellRemark("少了一个班", record, "classes")
        do_return_filing(stage.filing("甲"), reason="", remarks=[remark], acting_user=stage.world["东学区"])
        assert FilingStep.objects.get(kind="return").reason == "见各格批注"
        stage.fill("甲", teachers=40, classes=9)
        page = filing_page(stage.filing("甲"), clerk)
        assert [one.typed for one in page.asked] == ["并入乙小学教师 20 名"]
        assert "原因照上次填好了" in page.submit_words
        assert [one.typed for one in filing_page(stage.filing("甲"), clerk, sentences={}).asked] == [""]
        stage.fill("甲", teachers=41, classes=9)
        page = filing_page(stage.filing("甲"), clerk)
        assert [one.typed for one in page.asked] == [""]
        assert "各写一句原因" in page.submit_words


def test_other_warnings_are_listed_beside_the_submission(stage: Stage) -> None:
    open_at(stage)
    with clock.at(clock.beijing(2025, 10, 9)):
        stage.fill("甲", teachers=2)
        stage.submit("甲")
    assert FilingStep.objects.get(kind="submit").notes[0]["words"].startswith("教师只有 2 名")


def test_zero_report_is_a_submission_of_its_own(world: World) -> None:
    stage = make_stage(world, listing())
    open_at(stage)
    with clock.at(clock.beijing(2025, 10, 9)):
        with pytest.raises(RefusedError, match="零报告"):
            stage.submit("甲")
        filing = stage.submit("甲", zero_report=True)
        assert (filing.state, filing.zero_report, filing.content) == ("district", True, 1)
        stage.fill("乙", name="一（1）班", pupils=40)
        with pytest.raises(RefusedError, match="已有 1 条记录"):
            stage.submit("乙", zero_report=True)


def test_p09_sent_twice_is_one_submission(stage: Stage) -> None:
    open_at(stage)
    with clock.at(clock.beijing(2025, 10, 9)):
        stage.fill("甲", teachers=20)
        version = stage.filing("甲").version
        first = stage.submit("甲", version=version)
        entries = AuditEntry.objects.count()
        again = [stage.submit("甲", version=version) for _ in range(9)]
        assert {one.version for one in again} == {first.version}
        assert (FilingStep.objects.count(), AuditEntry.objects.count()) == (1, entries)
        with pytest.raises(RefusedError, match="不用再提交"):
            stage.submit("甲", "甲校长", version=version)


def test_submission_from_a_page_opened_before_a_decision_conflicts(stage: Stage) -> None:
    from jiaoheng.bureau.ledgers.rounds.actions import do_return_filing

    open_at(stage)
    with clock.at(clock.beijing(2025, 10, 9)):
        stage.fill("甲", teachers=20)
        old = stage.filing("甲").version
        stage.submit("甲")
        do_return_filing(stage.filing("甲"), reason="核对", acting_user=stage.world["东学区"])
        with pytest.raises(ConflictError, match="东学区 已于 10-09 00:00 退回修改"):
            stage.submit("甲", version=old)


def test_a_round_cannot_be_opened_without_right_title_order_of_dates_or_twice(stage: Stage) -> None:
    with clock.at(clock.beijing(2025, 9, 20)):
        common = (stage.row, stage.period, "轮次", stage.world["县"], [], REFERENCE)
        opens = clock.beijing(2025, 9, 20)
        with pytest.raises(ForbiddenError):
            do_open_round(*common, opens, DUE, acting_user=stage.world["东学区"])
        with pytest.raises(RefusedError, match="不晚于开始时间"):
            do_open_round(*common, DUE, opens, acting_user=stage.world["股长"])
        with pytest.raises(RefusedError, match="按学期填报"):
            do_open_round(stage.row, None, *common[2:], opens, DUE, acting_user=stage.world["股长"])
        with pytest.raises(RefusedError, match="催办步骤"):
            do_open_round(*common, opens, DUE, [{"days": "3", "to": ["filler"]}], acting_user=stage.world["管理员"])
        stage.open()
        with pytest.raises(RefusedError, match="已有一轮"):
            stage.open()


def test_filings_carry_the_ancestors_of_the_reference_date(stage: Stage) -> None:
    open_at(stage)
    rows = Filing.objects.filter(round=stage.round).order_by("unit_id")
    assert [(one.county_id, one.district_id, one.school_id == one.unit_id) for one in rows] == [
        (stage.world["县"].pk, stage.world["东"].pk, True),
        (stage.world["县"].pk, stage.world["东"].pk, True),
        (stage.world["县"].pk, stage.world["西"].pk, True),
        (stage.world["县"].pk, None, True),
    ]


def test_class_registers_without_approvers_are_done_when_submitted(world: World) -> None:
    stage = make_stage(world, form(Level.CLASS, fill=FillPlan("class_teacher", ())))
    open_at(stage)
    with clock.at(clock.beijing(2025, 10, 9)):
        stage.fill("甲101", teachers=20)
        filing = stage.submit("甲101", "甲班主任")
    assert (filing.state, filing.approved_content) == ("approved", 1)


def test_p16_approved_total_keeps_the_last_approved_value(stage: Stage) -> None:
    from jiaoheng.bureau.ledgers.rounds.actions import do_return_filing

    open_at(stage)
    world = stage.world
    with clock.at(clock.beijing(2025, 10, 5)):
        stage.fill("甲", teachers=45)
        stage.submit("甲")
        do_approve_filing(stage.filing("甲"), acting_user=world["东学区"])
        do_approve_filing(stage.filing("甲"), acting_user=world["股长"])
    with clock.at(clock.beijing(2025, 10, 8)):
        do_return_filing(stage.filing("甲"), reason="核对", acting_user=world["股长"])
        stage.fill("甲", teachers=54)
        stage.submit("甲")
    totals = {basis: sum(one.data["teachers"] for one in rows_on(stage.round, basis)) for basis in Basis}
    assert totals == {Basis.APPROVED: 45, Basis.PROVISIONAL: 54}
    assert pending_of(stage.round).words.startswith("1 校有未审修改")


@pytest.mark.parametrize(
    ("limit", "at", "words"),
    [
        ((2025, 10, 10, 17, 30), (2025, 10, 9, 9), "还有 1 个工作日"),
        ((2025, 10, 9, 17, 30), (2025, 10, 1, 9), "还有 1 个工作日"),
        ((2025, 10, 10, 17, 30), (2025, 10, 10, 9), "今天到期"),
        ((2025, 10, 10, 17, 30), (2025, 10, 10, 18), "今天已过截止时间"),
        ((2025, 10, 10, 17, 30), (2025, 10, 14, 9), "逾期 3 个工作日"),
        ((2025, 10, 11, 17, 30), (2025, 10, 12, 9), "逾期不到 1 个工作日"),
        ((2027, 3, 1, 17, 30), (2026, 12, 1, 9), "还有 90 天（含节假日）"),
    ],
)
def test_lights_count_working_days(stage: Stage, limit: tuple[int, ...], at: tuple[int, ...], words: str) -> None:
    assert light_until(clock.beijing(*limit), clock.beijing(*at)).words == words


def test_a_deadline_is_said_with_its_weekday_and_without_the_end_of_the_day() -> None:
    assert due_words(clock.at_end_of(dt.date(2025, 10, 10)), dt.date(2025, 10, 1)) == "10 月 10 日（周五）"
    assert due_words(clock.beijing(2025, 10, 10, 17, 30), dt.date(2025, 10, 10)) == "今天 17:30"


def test_p02_a_merged_unit_owes_nothing_from_that_day(stage: Stage) -> None:
    """乙 is merged into 甲 in the middle of the round: its open item is gone and named; what it filed before stays."""
    world = stage.world
    open_at(stage)
    world["乙"].ends_on = dt.date(2025, 10, 15)
    world["乙"].save()
    UnitSuccession.objects.create(
        kind="merge", happened_on=dt.date(2025, 10, 15), unit=world["乙"], other=world["甲"], reason="布局调整"
    )
    with clock.at(clock.beijing(2025, 10, 14)):
        assert board_of(stage.round, world["股长"]).owed == 4
    with clock.at(clock.beijing(2025, 11, 3)):
        board = board_of(stage.round, world["股长"])
        assert board.owed == 3
        assert [(one.name, one.words) for one in board.outside] == [("东镇乙小学", "已并入东镇甲小学 2025-10-15")]
        assert "东镇乙小学" not in do_remind(stage.round, acting_user=world["股长"]).sent
        with pytest.raises(RefusedError, match="已并入东镇甲小学 2025-10-15"):
            stage.submit("乙", "东学区")
        Filing.objects.filter(unit=world["丙"]).update(dropped_on=dt.date(2025, 10, 20), dropped_why="已停办")
        assert board_of(stage.round, world["股长"]).owed == 2


def test_a_stand_in_signs_with_both_names(stage: Stage) -> None:
    world = stage.world
    open_at(stage)
    Membership.objects.create(
        account=world["丙填报"],
        role="clerk",
        unit=world["甲"],
        starts_on=dt.date(2025, 10, 1),
        deputy_of=world["甲填报"],
    )
    with clock.at(clock.beijing(2025, 10, 9)):
        stage.fill("甲", teachers=20)
        stage.submit("甲", "丙填报")
    assert FilingStep.objects.get().by_name == "丙填报（代甲填报）"


def test_p18_a_record_of_an_earlier_version_is_judged_under_the_present_names(stage: Stage) -> None:
    """What was filled as 教师数 before the column got another name is not told as missing."""
    open_at(stage)
    with clock.at(clock.beijing(2025, 10, 9)):
        stage.fill("甲", teachers=20)
        fields = tuple(
            replace(one, name="staff", title="教职工数", renamed_from=("teachers",)) if one.name == "teachers" else one
            for one in form().fields
        )
        newer = replace(form(checks=()), version=2, effective_from=dt.date(2025, 9, 1), fields=fields)
        RegisterVersion.objects.create(
            register=stage.row, number=2, effective_from=newer.effective_from, schema=to_json(newer),
            hash=schema_hash(newer), loaded_at=clock.now(),
        )  # fmt: skip
        assert progress_of(stage.round, newer, [stage.world["甲"].pk])[stage.world["甲"].pk].filled == 1
        assert stage.submit("甲").state == "district"


def test_the_form_proposes_a_working_day(stage: Stage) -> None:
    office = stage.world["股长"]
    with clock.at(clock.beijing(2025, 11, 15, 9)):  # fourteen days on is a Saturday
        form_ = round_form(office, {"register": stage.row.name}, {})
    assert form_.texts["due_date"] == "2025-12-01"


def test_a_round_that_is_there_is_told_before_it_is_confirmed(stage: Stage) -> None:
    open_at(stage)
    typed = {"register": stage.row.name, "title": "再来一轮", "period": str(stage.period.pk)}
    with clock.at(clock.beijing(2025, 10, 9)):
        asked = read_round(stage.world["股长"], typed, {}, REFERENCE, clock.now(), clock.beijing(2025, 11, 20))
        with pytest.raises(RefusedError, match="已有一轮") as refused:
            preview_round(asked)
    assert (refused.value.code, list(refused.value.places)) == ("round-again", ["period"])

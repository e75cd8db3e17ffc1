"""The way of a filing through its approvals: order, return, change after approval, two decisions at once."""

from __future__ import annotations

import pytest

from bureau.ledgers.rounds_stage import Stage, add_person, add_school, make_stage
from bureau.world import World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import AuditEntry, Notice
from jiaoheng.bureau.core.refusals import ConflictError, ForbiddenError, RefusedError
from jiaoheng.bureau.ledgers.models import CellComment, FilingStep
from jiaoheng.bureau.ledgers.rounds.actions import (
    CellRemark,
    do_approve_filing,
    do_approve_unit,
    do_open_filing,
    do_recall_filing,
    do_return_filing,
    do_withdraw_approval,
)
from jiaoheng.bureau.ledgers.rounds.words import state_words


@pytest.fixture
def stage(world: World) -> Stage:
    made = make_stage(world)
    with clock.at(clock.beijing(2025, 9, 21)):
        made.open()
    return made


def on(day: int, hour: int = 9, month: int = 10) -> object:
    return clock.at(clock.beijing(2025, month, day, hour))


def approved(stage: Stage) -> None:
    """甲 fills 45; school, district and county have done their parts by 10-06 10:00."""
    with on(4):
        stage.fill("甲", teachers=45, classes=11)
    with on(5):
        stage.submit("甲")
        do_approve_filing(stage.filing("甲"), acting_user=stage.world["东学区"])
    with on(6, 10):
        do_approve_filing(stage.filing("甲"), acting_user=stage.world["股长"])


def test_p17_order_school_district_county(stage: Stage) -> None:
    approved(stage)
    filing = stage.filing("甲")
    assert (filing.state, state_words(filing)) == ("approved", "县级已审")
    assert [(s.kind, s.level) for s in filing.steps.order_by("pk")] == [
        ("submit", "school"), ("approve", "district"), ("approve", "county"),
    ]  # fmt: skip
    assert filing.approved_as_of == clock.beijing(2025, 10, 5, 9)


def test_p17_district_withdraws_only_after_the_county_has(stage: Stage) -> None:
    approved(stage)
    with on(7):
        with pytest.raises(RefusedError, match=r"股长 已于 10-06 10:00"):
            do_withdraw_approval(stage.filing("甲"), acting_user=stage.world["东学区"])
        do_withdraw_approval(stage.filing("甲"), acting_user=stage.world["股长"])
        assert (stage.filing("甲").state, stage.filing("甲").approved_content) == ("county", None)
        do_withdraw_approval(stage.filing("甲"), acting_user=stage.world["东学区"])
    assert stage.filing("甲").state == "district"


def test_p17_a_school_of_the_county_itself_skips_the_district(stage: Stage) -> None:
    with on(5):
        stage.fill("直", teachers=80)
        assert stage.submit("直").state == "county"
        with pytest.raises(ForbiddenError):
            do_approve_filing(stage.filing("直"), acting_user=stage.world["东学区"])
        assert do_approve_filing(stage.filing("直"), acting_user=stage.world["股长"]).state == "approved"


def test_p17_county_cannot_decide_before_the_district(stage: Stage) -> None:
    with on(5):
        stage.fill("甲", teachers=45)
        stage.submit("甲")
        with pytest.raises(ForbiddenError):
            do_approve_filing(stage.filing("甲"), acting_user=stage.world["股长"])


def test_p17_a_district_with_a_missing_school_is_refused_and_names_it(world: World) -> None:
    stage = make_stage(world)
    for number, short in enumerate(["丁", "戊", "己"]):
        add_school(world, short, f"东镇{short}小学", "东", f"219900001{number}")
    with on(21, month=9):
        stage.open()
    with on(5):
        for name in ["甲", "乙", "丁", "戊"]:
            stage.fill(name, teachers=20)
            stage.submit(name)
            do_approve_filing(stage.filing(name), acting_user=world["东学区"])
        with pytest.raises(RefusedError, match=r"还有 1 所没有走到这一步：东镇己小学（未开始）"):
            do_approve_unit(stage.round, world["东"], acting_user=world["股长"])
        assert stage.filing("甲").state == "county"
        stage.fill("己", teachers=9)
        stage.submit("己")
        do_approve_filing(stage.filing("己"), acting_user=world["东学区"])
        done = do_approve_unit(stage.round, world["东"], acting_user=world["股长"])
    assert (len(done.done), done.moved) == (5, [])
    assert stage.filing("己").state == "approved"


def test_p17_two_decisions_at_once_one_wins(stage: Stage) -> None:
    other = add_person(stage.world, "张三", "department", "股")
    with on(5):
        stage.fill("直", teachers=45)
        stage.submit("直")
    seen = stage.filing("直").version
    with on(6, 10):
        do_approve_filing(stage.filing("直"), acting_user=other, version=seen)
        before = (AuditEntry.objects.count(), Notice.objects.count(), FilingStep.objects.count())
        with pytest.raises(ConflictError, match=r"张三 已于 10-06 10:00 通过"):
            do_return_filing(stage.filing("直"), reason="核对", acting_user=stage.world["股长"], version=seen)
    assert (AuditEntry.objects.count(), Notice.objects.count(), FilingStep.objects.count()) == before
    assert stage.filing("直").state == "approved"


def test_p16_a_change_reopens_and_all_steps_come_anew(stage: Stage) -> None:
    approved(stage)
    record = stage.fill  # the school's own way to write
    with on(7):
        with pytest.raises(RefusedError, match="原因"):
            do_return_filing(stage.filing("甲"), reason="  ", acting_user=stage.world["股长"])
        cell = _record_of(stage, "甲")
        do_return_filing(
            stage.filing("甲"), reason="教师数与编制台账不符", acting_user=stage.world["股长"],
            remarks=[CellRemark("编制台账是 54 名", cell, "teachers")],
        )  # fmt: skip
    comment = CellComment.objects.get()
    assert (comment.text, comment.value, comment.settled_at) == ("编制台账是 54 名", 45, None)
    assert stage.filing("甲").state == "returned"
    with on(8):
        record("甲", teachers=54, classes=11)
        stage.submit("甲", sentences={})
    filing = stage.filing("甲")
    assert (filing.state, filing.content, filing.approved_content) == ("district", 2, 1)
    assert filing.approved_as_of == clock.beijing(2025, 10, 5, 9)
    with on(9):
        assert do_approve_filing(stage.filing("甲"), acting_user=stage.world["东学区"]).state == "county"
        assert do_approve_filing(stage.filing("甲"), acting_user=stage.world["股长"]).state == "approved"
    assert stage.filing("甲").approved_as_of == clock.beijing(2025, 10, 8, 9)
    assert FilingStep.objects.filter(filing=filing, kind="approve", content=1, withdrawn_at=None).count() == 2


def _record_of(stage: Stage, name: str) -> int:
    from jiaoheng.bureau.ledgers.models import Record

    return Record.objects.get(unit=stage.world[name], period=stage.period).pk


def test_recall_until_an_approver_has_opened_it(stage: Stage) -> None:
    with on(5):
        stage.fill("甲", teachers=45)
        stage.submit("甲")
        assert do_recall_filing(stage.filing("甲"), acting_user=stage.world["甲填报"]).state == "draft"
        stage.submit("甲")
        do_open_filing(stage.filing("甲"), acting_user=stage.world["东学区"])
        with pytest.raises(RefusedError, match="10-05 09:00 打开"):
            do_recall_filing(stage.filing("甲"), acting_user=stage.world["甲填报"])


def test_a_reader_without_the_right_is_told_whose_it_is(stage: Stage) -> None:
    with on(5):
        stage.fill("甲", teachers=45)
        stage.submit("甲")
        with pytest.raises(ForbiddenError):
            do_approve_filing(stage.filing("甲"), acting_user=stage.world["甲填报"])
        with pytest.raises(ForbiddenError):
            do_approve_filing(stage.filing("甲"), acting_user=stage.world["西学区"])

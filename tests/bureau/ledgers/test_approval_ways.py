"""Ways of a filing that the state machine found: taking back twice, approvals of what was sent back, units that are gone."""

from __future__ import annotations

import pytest

from bureau.ledgers.rounds_stage import Stage, make_stage
from bureau.world import World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.actions_units_ends import do_merge_unit
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.ledgers.models import CellComment, Record
from jiaoheng.bureau.ledgers.rounds.actions import (
    CellRemark,
    do_approve_filing,
    do_recall_filing,
    do_return_filing,
    do_withdraw_approval,
)


@pytest.fixture
def stage(world: World) -> Stage:
    made = make_stage(world)
    with clock.at(clock.beijing(2025, 9, 21)):
        made.open()
    with clock.at(clock.beijing(2025, 10, 5, 9)):
        made.fill("甲", teachers=45)
        made.submit("甲")
    return made


def on(hour: int, minute: int = 0) -> object:
    return clock.at(clock.beijing(2025, 10, 6, hour, minute))


def test_an_approval_of_what_was_sent_back_is_not_withdrawn(stage: Stage) -> None:
    """Else the school's correction would wait for approval without having been submitted."""
    with on(9):
        do_approve_filing(stage.filing("甲"), acting_user=stage.world["东学区"])
    with on(10):
        do_return_filing(stage.filing("甲"), reason="核对", acting_user=stage.world["股长"])
    with on(11):
        with pytest.raises(RefusedError) as refused:
            do_withdraw_approval(stage.filing("甲"), acting_user=stage.world["东学区"])
        assert refused.value.code == "approval-none"
    assert stage.filing("甲").state == "returned"


def test_a_correction_that_is_taken_back_twice_stays_sent_back(stage: Stage) -> None:
    """With its date and its remarks: the return still stands."""
    record = Record.objects.get().pk
    with on(9):
        do_return_filing(
            stage.filing("甲"), reason="核对", acting_user=stage.world["东学区"],
            remarks=[CellRemark("应为 54", record, "teachers")],
        )  # fmt: skip
    for hour in (10, 11):
        with on(hour):
            stage.fill("甲", teachers=40 + hour)
            assert stage.submit("甲").state == "district"
            assert not CellComment.objects.filter(settled_at__isnull=True).exists()
        with on(hour, 30):
            assert do_recall_filing(stage.filing("甲"), acting_user=stage.world["甲填报"]).state == "returned"
            assert CellComment.objects.filter(settled_at__isnull=True).count() == 1


def test_what_a_merged_school_sent_is_not_taken_back(stage: Stage) -> None:
    """Nobody could send it again, and its figures would be gone from the round."""
    world = stage.world
    day = clock.beijing(2025, 10, 6).date()
    with on(9):
        do_merge_unit(world["甲"], world["乙"], acting_user=world["管理员"], day=day, reason="并校")
    with on(10):
        with pytest.raises(RefusedError) as refused:
            do_recall_filing(stage.filing("甲"), acting_user=world["东学区"])
        assert refused.value.code == "unit-ended"
    assert stage.filing("甲").state == "district"

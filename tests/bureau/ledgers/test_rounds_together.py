"""Two at the same moment, over two connections: one decision wins, one reminder is sent, one submission is stored."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from bureau.ledgers.rounds_stage import Stage, add_person, make_stage
from bureau.world import make_world
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import AuditEntry, Notice
from jiaoheng.bureau.core.refusals import ConflictError, RefusedError
from jiaoheng.bureau.ledgers.models import FilingStep, Reminder
from jiaoheng.bureau.ledgers.rounds.actions import (
    do_approve_filing,
    do_approve_filings,
    do_recall_filing,
    do_return_filing,
    do_submit_filing,
)
from jiaoheng.bureau.ledgers.rounds.reminding import sweep

pytestmark = pytest.mark.django_db(transaction=True)


def together(*calls: Callable[[], object]) -> list[object]:
    """Run calls in threads of their own from one starting line; their results or errors in order."""
    results: list[object] = [None] * len(calls)
    line = threading.Barrier(len(calls))

    def run(number: int) -> None:
        try:
            line.wait(10)
            results[number] = calls[number]()
        except Exception as error:
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    return results


@pytest.fixture
def stage() -> Stage:
    made = make_stage(make_world())
    with clock.at(clock.beijing(2025, 9, 20)):
        made.open(due_at=clock.beijing(2025, 10, 10, 17, 30))
    with clock.at(clock.beijing(2025, 10, 9, 9)):
        made.fill("直", teachers=45)
    return made


def test_p17_two_decisions_at_the_same_moment(stage: Stage) -> None:
    world = stage.world
    other = add_person(world, "张三", "department", "股")
    with clock.at(clock.beijing(2025, 10, 9, 9)):
        stage.submit("直")
    filing = stage.filing("直")
    entries, notices = AuditEntry.objects.count(), Notice.objects.count()
    with clock.at(clock.beijing(2025, 10, 9, 10), everywhere=True):
        results = together(
            lambda: do_approve_filing(filing, acting_user=other, version=filing.version),
            lambda: do_return_filing(filing, reason="核对", acting_user=world["股长"], version=filing.version),
        )
    lost = [one for one in results if isinstance(one, ConflictError)]
    assert len(lost) == 1, results
    state = stage.filing("直").state
    winner = {"approved": "张三 已于 10-09 10:00 通过", "returned": "股长 已于 10-09 10:00 退回修改"}[state]
    assert winner in str(lost[0])
    assert AuditEntry.objects.count() == entries + 1
    assert FilingStep.objects.filter(kind__in=["approve", "return"]).count() == 1
    assert Notice.objects.count() == notices + 1


def test_a_bulk_decision_and_a_new_submission_at_the_same_moment(stage: Stage) -> None:
    """Either the content seen is passed and taking it back is refused, or the new one stays and is named."""
    world = stage.world
    with clock.at(clock.beijing(2025, 10, 9, 9)):
        stage.submit("直")
    filing = stage.filing("直")

    def hand_in_anew() -> object:
        do_recall_filing(stage.filing("直"), acting_user=world["直填报"])
        return do_submit_filing(stage.filing("直"), acting_user=world["直填报"])

    with clock.at(clock.beijing(2025, 10, 9, 10), everywhere=True):
        results = together(
            lambda: do_approve_filings([filing], seen={filing.pk: filing.version}, acting_user=world["股长"]),
            hand_in_anew,
        )
    after = stage.filing("直")
    if after.state == "approved":
        assert (after.content, after.approved_content) == (1, 1)
        assert isinstance(results[1], RefusedError)
    else:
        assert isinstance(results[0], ConflictError)
        assert "在您打开页面后又改过" in str(results[0])
        assert (after.content, after.approved_content) == (2, None)


def test_p09_one_submission_pressed_ten_times_at_the_same_moment(stage: Stage) -> None:
    filing = stage.filing("直")
    entries = AuditEntry.objects.count()
    with clock.at(clock.beijing(2025, 10, 9, 10), everywhere=True):
        results = together(
            *[
                lambda: do_submit_filing(filing, acting_user=stage.world["直填报"], version=filing.version)
                for _ in range(10)
            ]
        )
    assert [getattr(one, "state", one) for one in results] == ["county"] * 10
    assert FilingStep.objects.count() == 1
    assert AuditEntry.objects.count() == entries + 1


def test_p21_two_workers_sweep_at_the_same_moment(stage: Stage) -> None:
    with clock.at(clock.beijing(2025, 10, 9, 8), everywhere=True):
        results = together(sweep, sweep, sweep)
    assert not [one for one in results if isinstance(one, Exception)], results
    assert Reminder.objects.filter(outcome="sent").count() == 4
    assert Notice.objects.filter(key__startswith="remind").count() == 4

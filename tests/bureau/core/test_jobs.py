"""Jobs: one run each, counted, cancelled without a trace, taken back when the worker died (P15)."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from bureau.world import World
from jiaoheng.bureau.core import audit, clock, jobs, schedule
from jiaoheng.bureau.core.actions_jobs import do_cancel_job, do_rerun_job
from jiaoheng.bureau.core.models import AuditEntry, Beat, Job, Notice
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.worker import Worker, take_back


@pytest.fixture
def kinds() -> Iterator[dict[str, jobs.Kind]]:
    before = dict(jobs.KINDS)
    yield jobs.KINDS
    jobs.KINDS.clear()
    jobs.KINDS.update(before)


def _start(world: World, kind: str) -> Job:
    return jobs.enqueue(kind, "导入 校舍台账", {}, owner=world["甲填报"], unit=world["甲"])


def test_a_job_counts_and_its_result_stands_in_the_starters_inbox(world: World, kinds: dict[str, jobs.Kind]) -> None:
    @jobs.kind("count")
    def count(run: jobs.Run) -> dict[str, Any]:
        run.progress(5, 5)
        return {"message": "导入 5 条", "link": "/x"}

    job = _start(world, "count")
    assert Worker().work_off_one()
    job.refresh_from_db()
    assert (job.state, job.done, job.total, job.attempts) == ("done", 5, 5, 1)
    notice = Notice.objects.get(account=world["甲填报"])
    assert (notice.title, notice.text, notice.link) == ("导入 校舍台账：已完成", "导入 5 条", "/x")
    assert not Worker().work_off_one()


def test_a_job_is_claimed_once_however_often_its_id_is_in_the_queue(world: World, kinds: dict[str, jobs.Kind]) -> None:
    ran: list[int] = []
    jobs.kind("once")(lambda run: ran.append(1) or {})  # type: ignore[func-returns-value]
    job = _start(world, "once")
    jobs.send(job)
    jobs.send(job)
    worker = Worker()
    while worker.work_off_one() or Job.objects.filter(state="waiting").exists():
        pass
    Worker().run_one(str(job.pk))
    assert ran == [1]


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_twenty_jobs_and_run_each_once(world: World, kinds: dict[str, jobs.Kind]) -> None:
    ran: list[str] = []
    jobs.kind("note")(lambda run: ran.append(str(run.job_id)) or {})  # type: ignore[func-returns-value]
    made = {str(_start(world, "note").pk) for _ in range(20)}

    def work() -> None:
        worker = Worker()
        try:
            while Job.objects.filter(state="waiting").exists():
                worker.work_off_one()
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ran) == sorted(made)


def test_a_refusal_is_the_jobs_message_and_a_fault_tells_no_secrets(world: World, kinds: dict[str, jobs.Kind]) -> None:
    @jobs.kind("refused")
    def refused(run: jobs.Run) -> dict[str, Any]:
        raise RefusedError("closed", "填报已于 10 月 10 日截止")

    @jobs.kind("broken")
    def broken(run: jobs.Run) -> dict[str, Any]:
        raise ValueError("990000201204070001")

    first, second = _start(world, "refused"), _start(world, "broken")
    worker = Worker()
    while worker.work_off_one():
        pass
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.message) == ("failed", "填报已于 10 月 10 日截止")
    assert second.state == "failed"
    assert "9900" not in second.message
    assert "没有写入任何数据" in second.message


def test_a_waiting_job_is_cancelled_at_once(world: World, kinds: dict[str, jobs.Kind]) -> None:
    jobs.kind("never")(lambda run: pytest.fail("ran"))
    job = do_cancel_job(_start(world, "never"), acting_user=world["甲填报"])
    assert job.state == "cancelled"
    while Worker().work_off_one():
        pass
    assert AuditEntry.objects.filter(action="job.cancel", object_id=str(job.pk)).exists()
    with pytest.raises(RefusedError, match="已取消"):
        do_cancel_job(job, acting_user=world["甲填报"])


@pytest.mark.django_db(transaction=True)
def test_a_running_job_that_is_cancelled_stores_nothing(world: World, kinds: dict[str, jobs.Kind]) -> None:
    reached = threading.Event()

    @jobs.kind("long")
    def long(run: jobs.Run) -> dict[str, Any]:
        for number in range(1000):
            run.progress(number, 1000)
            reached.set()
            run.stop.wait(0.05)
        raise AssertionError("was not stopped")

    job = _start(world, "long")
    stop = threading.Event()
    thread = Worker(beat=0.05).in_thread(stop)
    assert reached.wait(10)
    do_cancel_job(job, acting_user=world["甲填报"])
    for _ in range(200):
        job.refresh_from_db()
        if job.state != "running":
            break
        threading.Event().wait(0.05)
    stop.set()
    thread.join(10)
    assert (job.state, job.total) == ("cancelled", 1000)
    assert "没有写入" in job.message


def test_cancelling_between_reading_and_storing_stores_nothing(world: World, kinds: dict[str, jobs.Kind]) -> None:
    @jobs.kind("late")
    def late(run: jobs.Run) -> dict[str, Any]:
        do_cancel_job(Job.objects.get(pk=run.job_id), acting_user=world["甲填报"])
        with transaction.atomic():
            run.seal({})
            Notice.objects.create(account=world["甲填报"], at=clock.now(), title="存了")
        return {}

    job = _start(world, "late")
    Worker().work_off_one()
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert not Notice.objects.filter(title="存了").exists()


def test_what_a_job_stores_and_its_end_are_one_transaction(world: World, kinds: dict[str, jobs.Kind]) -> None:
    @jobs.kind("breaks")
    def breaks(run: jobs.Run) -> dict[str, Any]:
        with transaction.atomic():
            run.seal({"count": 3})
            Notice.objects.create(account=world["甲填报"], at=clock.now(), title="存了")
            raise ValueError
        return {}

    job = _start(world, "breaks")
    Worker().work_off_one()
    job.refresh_from_db()
    assert (job.state, job.result) == ("failed", {})
    assert not Notice.objects.filter(title="存了").exists()


def test_p15_a_dead_workers_job_reads_interrupted_and_runs_anew(world: World, kinds: dict[str, jobs.Kind]) -> None:
    told: list[str] = []

    @jobs.kind("import", ended=lambda job: told.append(job.state))
    def run_import(run: jobs.Run) -> dict[str, Any]:
        run.progress(5000, 5000)
        return {"stored": 5000}

    job = _start(world, "import")
    dead = Worker()
    assert dead.claim() is not None
    Job.objects.filter(pk=job.pk).update(done=2000, total=5000)
    assert take_back() == 0  # the lease still holds
    with clock.at(clock.now() + dt.timedelta(seconds=59)):
        assert take_back() == 1
    job.refresh_from_db()
    assert (job.state, job.done, job.total, told) == ("interrupted", 2000, 5000, ["interrupted"])
    assert "已处理 2000 / 5000" in Notice.objects.get(account=world["甲填报"]).text
    do_rerun_job(job, acting_user=world["甲填报"])
    assert Worker().work_off_one()
    job.refresh_from_db()
    assert (job.state, job.done, job.attempts, job.result["stored"]) == ("done", 5000, 2, 5000)


def test_a_worker_that_slept_past_its_lease_stores_nothing(world: World, kinds: dict[str, jobs.Kind]) -> None:
    @jobs.kind("slept")
    def slept(run: jobs.Run) -> dict[str, Any]:
        with clock.at(clock.now() + dt.timedelta(minutes=5)):
            take_back()
        with transaction.atomic():
            run.seal({})
            Notice.objects.create(account=world["甲填报"], at=clock.now(), title="存了")
        return {}

    job = _start(world, "slept")
    Worker().work_off_one()
    job.refresh_from_db()
    assert job.state == "interrupted"
    assert not Notice.objects.filter(title="存了").exists()


def test_a_duty_runs_once_for_two_workers_and_again_when_due(world: World, noon: dt.datetime) -> None:
    ran: list[int] = []
    schedule.every("sweep", minutes=15, run=lambda: str(ran.append(1)))  # type: ignore[func-returns-value]
    try:
        assert "sweep" in schedule.run_due("one")
        assert "sweep" not in schedule.run_due("two")
        with clock.at(noon + dt.timedelta(minutes=14)):
            assert "sweep" not in schedule.run_due("one")
        with clock.at(noon + dt.timedelta(minutes=15)):
            assert "sweep" in schedule.run_due("two")
    finally:
        schedule.DUTIES.pop("sweep")
    assert len(ran) == 2
    assert Beat.objects.get(name="sweep").worker == "two"


def test_a_duty_that_fails_does_not_stop_the_others(world: World, noon: dt.datetime) -> None:
    def fail() -> str:
        raise ValueError("no")

    schedule.every("a-fails", minutes=15, run=fail)
    schedule.every("b-works", minutes=15, run=lambda: "好")
    try:
        ran = schedule.run_due("one")
    finally:
        schedule.DUTIES.pop("a-fails")
        schedule.DUTIES.pop("b-works")
    assert {"a-fails", "b-works"} <= set(ran)
    assert Beat.objects.get(name="b-works").message == "好"
    assert "未成功" in Beat.objects.get(name="a-fails").message


def test_the_door_of_a_job_is_the_worker(world: World, kinds: dict[str, jobs.Kind]) -> None:
    doors: list[str] = []
    jobs.kind("door")(lambda run: doors.append(audit.door()) or {})  # type: ignore[func-returns-value]
    _start(world, "door")
    Worker().work_off_one()
    assert doors == ["worker"]

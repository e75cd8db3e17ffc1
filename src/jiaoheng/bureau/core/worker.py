"""The worker: claims jobs with a lease, keeps it alive, takes back the jobs of workers that died, runs the schedule.

`jiaoheng worker` runs it as a process of its own, `jiaoheng serve` as a thread. Any number may run beside each other.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import secrets
import socket
import threading
import uuid

from django.db import close_old_connections, connection, transaction
from django_tasks_db.models import DBTaskResult

from jiaoheng.bureau.core import audit, clock, jobs, schedule
from jiaoheng.bureau.core.models import Job
from jiaoheng.bureau.core.refusals import RefusedError

logger = logging.getLogger(__name__)

TASK = "jiaoheng.bureau.core.tasks.run_job"
IDLE = 1.0  # seconds between two looks into an empty queue
LOOK_AROUND = 5.0  # seconds between two looks for dead workers and due duties


class Worker:
    """One worker. `name` is unique to a process's life, so that a restarted worker is not taken for its old self."""

    def __init__(
        self, name: str = "", *, lease: float = jobs.LEASE.total_seconds(), beat: float = jobs.HEARTBEAT
    ) -> None:
        self.name = name or f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.lease = lease
        self.beat = beat

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; a job that has begun is finished first."""
        looked = 0.0
        while not stop.is_set():
            close_old_connections()
            try:
                if looked <= 0:
                    self.look_around()
                    looked = LOOK_AROUND
                if not self.work_off_one():
                    stop.wait(IDLE)
                    looked -= IDLE
                else:
                    looked = 0.0
            except Exception:
                logger.exception("the worker could not reach its tables")
                stop.wait(LOOK_AROUND)
        connection.close()

    def in_thread(self, stop: threading.Event) -> threading.Thread:
        """The worker as a thread of this process (`jiaoheng serve`)."""
        thread = threading.Thread(target=self.run, args=(stop,), name="worker", daemon=True)
        thread.start()
        return thread

    def look_around(self) -> list[str]:
        """Take back dead workers' jobs, run due duties; names of the duties run."""
        take_back()
        return schedule.run_due(self.name)

    def work_off_one(self) -> bool:
        """Claim and run the next job; whether there was one."""
        job = self.claim()
        if job is None:
            return False
        self._execute(job)
        return True

    def run_one(self, job_id: str) -> None:
        """Claim and run one job by its id (the task's own body)."""
        job = self._take(Job.objects.filter(pk=uuid.UUID(job_id)))
        if job is not None:
            self._execute(job)

    def claim(self) -> Job | None:
        """The next waiting job, now this worker's; queue entries of jobs that no longer wait are dropped."""
        waiting = DBTaskResult.objects.ready().filter(task_path=TASK)
        if not waiting.exists():
            return None
        with transaction.atomic():
            entry = waiting.get_locked()
            if entry is None:
                return None
            job_id = entry.args_kwargs["args"][0]
            entry.delete()
            return self._take(Job.objects.filter(pk=uuid.UUID(job_id)))

    def _take(self, found: object) -> Job | None:
        mine = found.filter(state=Job.State.WAITING)  # type: ignore[attr-defined]
        now = clock.now()
        until = now + dt.timedelta(seconds=self.lease)
        if not mine.update(state=Job.State.RUNNING, worker=self.name, started_at=now, lease_until=until):
            return None
        job = found.get()  # type: ignore[attr-defined]
        job.attempts += 1
        job.save(update_fields=["attempts"])
        return job

    def _execute(self, job: Job) -> None:
        run = jobs.Run(job.pk, job.arguments, job.owner, self.name, total=job.total)
        over = threading.Event()
        heart = threading.Thread(target=self._heart, args=(run, over), name="heartbeat", daemon=True)
        heart.start()
        try:
            with audit.through("worker"):
                state, message, result = _outcome(job, run)
        finally:
            over.set()
            heart.join()
        if not run.sealed and not run.lost.is_set():
            self._end(job, run, state, message, result)

    def _end(self, job: Job, run: jobs.Run, state: Job.State, message: str, result: dict[str, object]) -> None:
        with transaction.atomic():
            now = Job.objects.select_for_update().filter(pk=job.pk, state=Job.State.RUNNING, worker=self.name).first()
            if now is not None:
                jobs.finish(now, state, message, result, done=run.done, total=run.total)

    def _heart(self, run: jobs.Run, over: threading.Event) -> None:
        """Signs of life over a connection of its own: the job's transaction may be long and is not disturbed."""
        try:
            while not over.wait(self.beat):
                try:
                    self._sign(run)
                except Exception:
                    logger.debug("heartbeat missed", exc_info=True)  # the writer holds the base: the next one counts
                    connection.close()  # a base that was started anew is met over a connection of its own
        finally:
            connection.close()

    def _sign(self, run: jobs.Run) -> None:
        mine = Job.objects.filter(pk=run.job_id, worker=self.name, state=Job.State.RUNNING)
        until = clock.now() + dt.timedelta(seconds=self.lease)
        if not mine.update(lease_until=until, done=run.done, total=run.total):
            if not run.sealed and not Job.objects.filter(pk=run.job_id, state=Job.State.DONE).exists():
                run.lost.set()
        elif mine.filter(cancel_asked=True).exists():
            run.stop.set()


def _outcome(job: Job, run: jobs.Run) -> tuple[Job.State, str, dict[str, object]]:
    known = jobs.KINDS.get(job.kind)
    try:
        if known is None:
            return Job.State.FAILED, f"这个版本没有“{job.kind}”这种任务", {}
        result = known.function(run)
    except jobs.JobCancelledError:
        run.sealed = False
        return Job.State.CANCELLED, "已取消，没有写入任何数据", {}
    except jobs.LeaseLostError:
        run.sealed = False
        run.lost.set()
        return Job.State.INTERRUPTED, "", {}
    except RefusedError as refused:
        run.sealed = False
        return Job.State.FAILED, str(refused), {}
    except Exception:
        run.sealed = False
        logger.exception("job %s (%s) failed", job.pk, job.kind)
        return Job.State.FAILED, "程序出错，没有写入任何数据。请把任务编号告诉管理员", {}
    return Job.State.DONE, str(result.pop("message", "")), result


def take_back() -> int:
    """Jobs whose lease has run out read 中断 with the count reached; how many there were."""
    now = clock.now()
    # a lease that runs longer than any does was given before the clock was set back: its worker renews it, or is dead
    far = Job.objects.filter(state=Job.State.RUNNING, lease_until__gt=now + 2 * jobs.LEASE)
    if far.exists():
        far.update(lease_until=now + jobs.LEASE)
    late = Job.objects.filter(state=Job.State.RUNNING, lease_until__lt=now)
    if not late.exists():
        return 0
    count = 0
    with transaction.atomic():
        for job in late.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked):
            words = "执行任务的进程中断，没有写入任何数据。可以重新执行"
            jobs.finish(job, Job.State.INTERRUPTED, words)
            count += 1
    return count

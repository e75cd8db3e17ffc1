"""Jobs: what kinds there are, how one is put into the queue, what a running one may do.

The table Job is the truth; the queue (django_tasks) only carries a job's id. A kind is a function of a `Run`:

    @jobs.kind("import-read", ended=tell_the_batch)
    def read(run: Run) -> dict[str, Any]: ...

It counts with `run.progress`, which is also where a cancelled job stops. What it stores belongs into one transaction
that begins with `run.seal(...)`: the job is done exactly when that transaction commits, whoever is killed when.
"""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Account, Job, Notice, Unit

LEASE = dt.timedelta(seconds=30)  # a killed worker's job reads 中断 within a minute of the next worker's start
HEARTBEAT = 3.0  # seconds between two signs of life; several may fail before the lease runs out

Ended = Callable[[Job], None]


class JobCancelledError(Exception):
    """The starter cancelled the job; nothing of it is stored."""


class LeaseLostError(Exception):
    """Another worker took the job back (this one was stopped too long); nothing of it is stored."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job. `ended` is called with a job that ended without being done, inside that transaction."""

    name: str
    function: Callable[[Run], dict[str, Any]]
    ended: Ended | None = None


KINDS: dict[str, Kind] = {}


def kind(
    name: str, *, ended: Ended | None = None
) -> Callable[[Callable[[Run], dict[str, Any]]], Callable[[Run], dict[str, Any]]]:
    """Register a function as a kind of job."""

    def put(function: Callable[[Run], dict[str, Any]]) -> Callable[[Run], dict[str, Any]]:
        KINDS[name] = Kind(name, function, ended)
        return function

    return put


@dataclass(slots=True)
class Run:
    """A job while it runs. Counts live here; the worker's heartbeat writes them over a connection of its own."""

    job_id: uuid.UUID
    arguments: Mapping[str, Any]
    owner: Account | None
    worker: str = ""
    done: int = 0
    total: int = 0
    sealed: bool = False
    stop: threading.Event = field(default_factory=threading.Event)  # set by the heartbeat where cancelling was asked
    lost: threading.Event = field(default_factory=threading.Event)

    def progress(self, done: int, total: int) -> None:
        """Count. Raises JobCancelledError or LeaseLostError where the job has to stop."""
        self.done, self.total = done, total
        self.check()

    def check(self) -> None:
        """Stop here where the job was cancelled or taken back."""
        if self.lost.is_set():
            raise LeaseLostError
        if self.stop.is_set():
            raise JobCancelledError

    def seal(self, result: Mapping[str, Any], message: str = "") -> None:
        """First statement of the transaction that stores: the job ends as done with it, or not at all.

        Raises LeaseLostError where the job is no longer this worker's, JobCancelledError where cancelling was asked.
        """
        job = Job.objects.select_for_update().get(pk=self.job_id)
        if job.state != Job.State.RUNNING or job.worker != self.worker:
            raise LeaseLostError
        if job.cancel_asked:
            raise JobCancelledError
        self.sealed = True
        finish(job, Job.State.DONE, message, dict(result), done=self.total or self.done, total=self.total)


def enqueue(
    kind: str, title: str, arguments: Mapping[str, Any], *, owner: Account | None, unit: Unit | None = None
) -> Job:
    """Put a job into the table and its id into the queue, in the caller's transaction. KeyError: no such kind."""
    if kind not in KINDS:
        raise KeyError(kind)
    job = Job.objects.create(
        kind=kind, title=title, arguments=dict(arguments), owner=owner, unit=unit, created_at=clock.now()
    )
    send(job)
    return job


def send(job: Job) -> None:
    """The id of a waiting job into the queue."""
    from jiaoheng.bureau.core.tasks import run_job

    run_job.enqueue(str(job.pk))


def finish(job: Job, state: Job.State, message: str, result: dict[str, Any] | None = None, **counts: int) -> None:
    """Write a job's end and tell its starter. A job that is not done tells its kind (`ended`)."""
    job.state, job.message, job.finished_at = state.value, message[:500], clock.now()
    job.lease_until = None
    if result is not None:
        job.result = result
    for name, value in counts.items():
        setattr(job, name, value)
    job.save()
    known = KINDS.get(job.kind)
    if state is not Job.State.DONE and known is not None and known.ended is not None:
        known.ended(job)
    tell(job)


def tell(job: Job) -> None:
    """The end of a job as one line in its starter's 待办."""
    if job.owner is None:
        return
    state = Job.State(job.state)
    counted = f"已处理 {job.done} / {job.total}" if job.total and state is not Job.State.DONE else ""
    Notice.objects.get_or_create(
        account=job.owner,
        key=f"job-{job.pk}-{job.attempts}-{state.value}",
        defaults={
            "at": clock.now(),
            "title": f"{job.title}：{state.label}"[:200],
            "text": "。".join(part for part in (job.message.rstrip("。"), counted) if part)[:500],
            "link": str(job.result.get("link") or job.arguments.get("link") or "")[:200],
            "mood": "" if state is Job.State.DONE else "back",
        },
    )

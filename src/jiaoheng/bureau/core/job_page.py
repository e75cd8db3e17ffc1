"""A job as its page shows it: state, count, time left, what may be done with it."""

from __future__ import annotations

from dataclasses import dataclass

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.actions_jobs import RERUN
from jiaoheng.bureau.core.models import Job

_TONES = {
    Job.State.WAITING: "none",
    Job.State.RUNNING: "fill",
    Job.State.DONE: "done",
    Job.State.FAILED: "late",
    Job.State.INTERRUPTED: "pause",
    Job.State.CANCELLED: "none",
}


@dataclass(frozen=True, slots=True)
class JobPage:
    """What a page says of a job. `link`: where its result is; "" where there is none."""

    id: str
    title: str
    state: str
    words: str
    tone: str
    counted: str
    left: str
    message: str
    done: int
    total: int
    running: bool
    may_cancel: bool
    may_rerun: bool
    cancelling: bool
    link: str


def job_page(job: Job) -> JobPage:
    """The words of one job, now."""
    state = Job.State(job.state)
    running = state in (Job.State.WAITING, Job.State.RUNNING)
    return JobPage(
        id=str(job.pk),
        title=job.title,
        state=state.value,
        words=state.label,
        tone=_TONES[state],
        counted=f"{job.done:,} / {job.total:,}" if job.total else "",
        left=_left(job) if state is Job.State.RUNNING else "",
        message=job.message,
        done=job.done,
        total=job.total,
        running=running,
        may_cancel=running and not job.cancel_asked,
        may_rerun=state in RERUN,
        cancelling=running and job.cancel_asked,
        link=str(job.result.get("link") or job.arguments.get("link") or ""),
    )


def _left(job: Job) -> str:
    """About how long it still takes; "" before enough is counted to say so."""
    if not job.total or not job.done or job.started_at is None:
        return ""
    gone = (clock.now() - job.started_at).total_seconds()
    seconds = gone / job.done * (job.total - job.done)
    if gone < 2:
        return ""
    return f"约还要 {max(1, round(seconds))} 秒" if seconds < 90 else f"约还要 {round(seconds / 60)} 分钟"

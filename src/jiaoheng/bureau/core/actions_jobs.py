"""What the starter of a job may do with it: cancel it, run it again."""

from __future__ import annotations

from jiaoheng.bureau.core import audit, jobs
from jiaoheng.bureau.core.models import Account, Job
from jiaoheng.bureau.core.refusals import RefusedError

RERUN = (Job.State.INTERRUPTED, Job.State.FAILED, Job.State.CANCELLED)


@audit.action
def do_cancel_job(job: Job, *, acting_user: Account) -> Job:
    """Cancel a job: a waiting one at once, a running one at its next count. Nothing of it is stored."""
    job = Job.objects.select_for_update().get(pk=job.pk)
    if job.state == Job.State.WAITING:
        jobs.finish(job, Job.State.CANCELLED, "已取消，没有写入任何数据")
    elif job.state == Job.State.RUNNING:
        job.cancel_asked = True
        job.save(update_fields=["cancel_asked"])
    else:
        raise RefusedError("job-over", f"“{job.title}”{Job.State(job.state).label}，不能再取消")
    audit.note("job.cancel", actor=acting_user, about=("job", job.pk, job.title), unit_id=job.unit_id)
    return job


@audit.action
def do_rerun_job(job: Job, *, acting_user: Account) -> Job:
    """重新执行: from the beginning, since nothing of the broken run was stored."""
    job = Job.objects.select_for_update().get(pk=job.pk)
    if job.state not in [state.value for state in RERUN]:
        raise RefusedError("job-not-over", f"“{job.title}”{Job.State(job.state).label}，不用重新执行")
    job.state, job.done, job.message, job.cancel_asked = Job.State.WAITING.value, 0, "", False
    job.finished_at = job.started_at = job.lease_until = None
    job.worker = ""
    job.save()
    jobs.send(job)
    audit.note("job.rerun", actor=acting_user, about=("job", job.pk, job.title), unit_id=job.unit_id)
    return job

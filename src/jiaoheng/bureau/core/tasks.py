"""The one task of the queue: it carries a job's id and nothing else."""

from __future__ import annotations

from django_tasks import task


@task()
def run_job(job_id: str) -> None:
    """Run one job here and now; the worker calls it for a job that it has claimed."""
    from jiaoheng.bureau.core.worker import Worker

    Worker().run_one(job_id)

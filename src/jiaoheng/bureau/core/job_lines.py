"""A person's jobs, newest first."""

from __future__ import annotations

from jiaoheng.bureau.core.models import Account, Job

MOST = 200


def jobs_of(account: Account, state: str = "", size: int = MOST) -> list[Job]:
    """The newest jobs that a person started, of one state or of all."""
    rows = Job.objects.filter(owner=account)
    if state:
        rows = rows.filter(state=state)
    return list(rows.order_by("-created_at", "pk")[:size])

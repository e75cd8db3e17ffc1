"""A worker's sign of life, once a minute: a duty that does nothing but be run."""

from __future__ import annotations

from jiaoheng.bureau.core import schedule

DUTY = "alive"


def register() -> None:
    """Let every worker run it."""
    schedule.every(DUTY, minutes=1, run=lambda: "在运行")

"""A command that works on the bureau's database: Django started late, refusals told in their sentence."""

from __future__ import annotations

from collections.abc import Callable

import typer


def run_on_base(work: Callable[[], int]) -> None:
    """Do the work and leave with its exit code; a refusal is bad input."""
    from jiaoheng.cli.console import Refusal, guarded

    def job() -> int:
        from jiaoheng.bureau.setup import start_django

        start_django()
        from jiaoheng.bureau.core.refusals import ForbiddenError, RefusedError

        try:
            return work()
        except (RefusedError, ForbiddenError) as error:
            raise Refusal(f"{error}。") from error

    raise typer.Exit(guarded(job))

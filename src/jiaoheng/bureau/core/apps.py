"""App `core`."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Units, people, rights, audit."""

    name = "jiaoheng.bureau.core"
    label = "core"
    verbose_name = "基础"

    def ready(self) -> None:
        """Set the clock of a demonstration."""
        from django.conf import settings

        from jiaoheng.bureau.core.demo_clock import start_demo_clock

        if settings.DEMO:
            start_demo_clock(settings.DATA)

        from django.contrib.auth.signals import user_logged_in

        user_logged_in.connect(_signed_in, dispatch_uid="signed-in")


def _signed_in(*, request: Any, user: Any, **_rest: Any) -> None:
    """Whichever way somebody came in, his session has its line."""
    from jiaoheng.bureau.core import signed_in

    signed_in.begin(request, user)

"""App `core`."""

from __future__ import annotations

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

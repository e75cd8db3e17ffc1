"""App `operations`: no tables, but duties of the worker."""

from __future__ import annotations

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    """Backup, doctor, logs."""

    name = "jiaoheng.bureau.operations"
    label = "operations"
    verbose_name = "运行"

    def ready(self) -> None:
        """Make the duties known to the worker."""
        from jiaoheng.bureau.operations import alive, daily

        alive.register()
        daily.register()

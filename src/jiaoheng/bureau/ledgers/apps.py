"""App `ledgers`."""

from __future__ import annotations

from django.apps import AppConfig


class LedgersConfig(AppConfig):
    """Registers, records, rounds, imports."""

    name = "jiaoheng.bureau.ledgers"
    label = "ledgers"
    verbose_name = "台账"

    def ready(self) -> None:
        """Add the doors of attachments that hang on records."""
        from jiaoheng.bureau.ledgers import access

        access.register_readers()
        # kinds of jobs are known to the worker once their modules are loaded
        from jiaoheng.bureau.ledgers.imports import confirming, housekeeping, starting, undoing  # noqa: F401

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
        from jiaoheng.bureau.ledgers import access, hanging

        access.register_readers()
        hanging.register_hangers()
        # kinds of jobs and periodic duties are known to the worker once their modules are loaded
        from jiaoheng.bureau.core import actions_units_ends  # noqa: F401
        from jiaoheng.bureau.ledgers import export_jobs  # noqa: F401
        from jiaoheng.bureau.ledgers.imports import confirming, housekeeping, starting, undoing  # noqa: F401
        from jiaoheng.bureau.ledgers.rounds import duties  # noqa: F401

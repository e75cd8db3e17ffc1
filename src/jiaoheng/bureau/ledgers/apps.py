"""App `ledgers`."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig

_SEALING = "0002_protected"  # the migration since which protected values lie encrypted


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
        from django.db.models.signals import post_migrate

        post_migrate.connect(_seal_existing, sender=self, dispatch_uid="seal-existing")
        # kinds of jobs and periodic duties are known to the worker once their modules are loaded
        from jiaoheng.bureau.core import actions_units_ends  # noqa: F401
        from jiaoheng.bureau.ledgers import export_jobs, retention_duty, snapshot_duty  # noqa: F401
        from jiaoheng.bureau.ledgers.imports import confirming, housekeeping, starting, undoing  # noqa: F401
        from jiaoheng.bureau.ledgers.rounds import duties  # noqa: F401


def _seal_existing(*, plan: Any = (), **_rest: Any) -> None:
    """After the upgrade that brought encryption: seal what was stored before. Ended midway, `jiaoheng keys rotate` goes on."""
    if any(one.app_label == "ledgers" and one.name == _SEALING and not backwards for one, backwards in plan):
        from jiaoheng.bureau.ledgers.key_rotation import rotate

        rotate(acting_user=None)

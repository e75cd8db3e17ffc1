"""The worker keeps the files of figures near the present state, so that a person's question only adds what came since."""

from __future__ import annotations

from jiaoheng.bureau.core import schedule
from jiaoheng.bureau.ledgers.models import RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.registry import schema_versions
from jiaoheng.bureau.ledgers.snapshot_files import parquet_of

LARGE = 5_000  # versions from which making the whole file is something that one would wait for


def keep_snapshots() -> str:
    """Make the present file of every large register that has none."""
    count = 0
    for row in RegisterRow.objects.order_by("pk"):
        if RecordVersion.objects.filter(register=row).order_by()[LARGE : LARGE + 1].exists():
            versions = schema_versions(row)
            if versions:
                parquet_of(row, versions)
                count += 1
    return f"备好 {count} 个台账的统计底稿"


schedule.every("snapshots", minutes=15, run=keep_snapshots)

"""What imports leave behind is cleaned up by the worker's schedule."""

from __future__ import annotations

import datetime as dt

from jiaoheng.bureau.core import clock, schedule
from jiaoheng.bureau.ledgers.imports import preview
from jiaoheng.bureau.ledgers.imports.files import PREVIEWS
from jiaoheng.bureau.ledgers.models import ImportBatch

KEPT = dt.timedelta(days=30)  # a preview that nobody confirmed for a month is not going to be


def old_previews() -> str:
    """Discard previews past their time."""
    old = ImportBatch.objects.filter(created_at__lt=clock.now() - KEPT).exclude(preview="")
    count = 0
    for batch in old.filter(state=ImportBatch.State.PREVIEW):
        preview.discard(batch.preview)
        batch.preview, batch.state = "", ImportBatch.State.CANCELLED.value
        batch.message = "超过 30 天没有确认，已取消，没有写入任何数据"
        batch.save(update_fields=["preview", "state", "message"])
        count += 1
    return f"清理过期导入 {count} 个"


def _owned(inside: str) -> bool:
    """Whether a file below settings.FILES belongs to a preview that an import still names."""
    folder = "/".join(inside.split("/")[:2])
    return ImportBatch.objects.filter(preview=folder).exists()


schedule.OWNERS[PREVIEWS] = _owned
schedule.every("previews", minutes=24 * 60, run=old_previews)

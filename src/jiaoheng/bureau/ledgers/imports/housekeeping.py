"""What imports leave behind is cleaned up by the worker's schedule."""

from __future__ import annotations

import datetime as dt

from jiaoheng.bureau.core import clock, schedule
from jiaoheng.bureau.ledgers.imports import preview
from jiaoheng.bureau.ledgers.imports.files import PREVIEWS
from jiaoheng.bureau.ledgers.imports.starting import do_queue_reading
from jiaoheng.bureau.ledgers.models import ImportBatch

BROKEN = dt.timedelta(minutes=5)  # a small file is read within seconds
MOST = 100  # of one round of the schedule
KEPT = dt.timedelta(days=30)  # a preview that nobody confirmed for a month is not going to be


def old_previews() -> str:
    """Discard previews past their time."""
    old = ImportBatch.objects.filter(created_at__lt=clock.now() - KEPT).exclude(preview="")
    count = 0
    for batch in old.filter(state=ImportBatch.State.PREVIEW):
        folder, batch.preview, batch.state = batch.preview, "", ImportBatch.State.CANCELLED.value
        batch.message = "超过 30 天没有确认，已取消，没有写入任何数据"
        batch.save(update_fields=["preview", "state", "message"])
        preview.discard(folder)
        count += 1
    return f"清理过期导入 {count} 个"


def _owned(inside: str) -> bool:
    """Whether a file below settings.FILES belongs to a preview that an import still names."""
    folder = "/".join(inside.split("/")[:2])
    return ImportBatch.objects.filter(preview=folder).exists()


def broken_readings() -> str:
    """Take up the reading of files whose server was killed while it read: without a job nothing would come of them."""
    late = ImportBatch.objects.filter(
        state=ImportBatch.State.READING, job__isnull=True, created_at__lt=clock.now() - BROKEN
    )
    count = 0
    for batch in late.select_related("register", "unit", "attachment", "owner").order_by("pk")[:MOST]:
        do_queue_reading(batch, acting_user=None)
        count += 1
    return f"重新核对中断的导入 {count} 个"


schedule.OWNERS[PREVIEWS] = _owned
schedule.every("readings", minutes=2, run=broken_readings)
schedule.every("previews", minutes=24 * 60, run=old_previews)

"""What the next start after a crash repairs by itself, and what it says where it cannot."""

from __future__ import annotations

import time
from pathlib import Path

from django.conf import settings

from jiaoheng.bureau.core.audit_archive import folder as archive_folder
from jiaoheng.bureau.core.worker import take_back
from jiaoheng.bureau.operations.places import backups_folder

_OLD = 3600.0  # seconds: a half file may be another server's that is being written this moment


def tidy() -> list[str]:
    """Remove half-written files, mark the jobs of dead workers; sentences of what was done."""
    done = []
    gone = sum(_sweep(root) for root in (Path(settings.FILES), archive_folder(), backups_folder()))
    if gone:
        done.append(f"清理了 {gone} 个没有写完的临时文件")
    interrupted = take_back()
    if interrupted:
        done.append(f"{interrupted} 个执行到一半的任务已标为中断，没有写入任何数据，可由发起人重新执行")
    return done


def _sweep(root: Path) -> int:
    border, gone = time.time() - _OLD, 0
    for path in root.rglob("*.part") if root.is_dir() else ():
        if path.is_file() and path.stat().st_mtime < border:
            path.unlink(missing_ok=True)
            gone += 1
    return gone

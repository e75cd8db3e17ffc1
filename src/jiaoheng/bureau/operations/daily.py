"""The daily backup of a bureau without a service manager: the worker makes it where a folder is named for it."""

from __future__ import annotations

import os
from pathlib import Path

from jiaoheng.bureau.core import schedule
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.operations.backup import back_up

FOLDER, KEEP = "JIAOHENG_BACKUP_FOLDER", "JIAOHENG_BACKUP_KEEP"
_KEEP = 14


def run() -> str:
    """One backup into the named folder; what was done, or why not."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return "没有设备份文件夹"
    try:
        Path(folder).mkdir(parents=True, exist_ok=True, mode=0o700)
        made = back_up(Path(folder), keep=int(os.environ.get(KEEP) or _KEEP))
    except RefusedError as refused:
        return str(refused)
    return f"已备份 {made.path.name}"


def register() -> None:
    """Let a worker run it once a day."""
    schedule.every("backup", minutes=24 * 60, run=run)

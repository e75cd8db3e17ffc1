"""What is kept: backups and attachments."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from django.conf import settings

from jiaoheng.bureau.core import clock, schedule
from jiaoheng.bureau.core.files import SMALL_SUFFIX, full_path
from jiaoheng.bureau.core.models import Attachment
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.sealed_files import is_what_was_stored, key_id_of, plain_size
from jiaoheng.bureau.ledgers.key_rotation import lies_sealed
from jiaoheng.bureau.operations.archive import verify
from jiaoheng.bureau.operations.catalogue import newest_noted
from jiaoheng.bureau.operations.doctor.findings import Doctor, check
from jiaoheng.bureau.operations.keys import need_key

OLD = dt.timedelta(hours=30)  # a daily backup that was once late by a little
_SHOWN = 5


@check("backups", "备份")
def backups(doctor: Doctor) -> None:
    """There is one, young enough, still where it was put; thorough: it opens and is whole."""
    newest = newest_noted()
    if newest is None:
        doctor.look("这里还没有做过备份", "运行 jiaoheng backup，并安排每天一次（docs/operations.md）")
        return
    at = dt.datetime.fromisoformat(newest["at"])
    path = Path(newest["path"])
    age = clock.now() - at
    words = f"最近一次备份在 {clock.local(at):%Y-%m-%d %H:%M}（{newest['size'] / 1e6:.0f} MB）"
    if not path.is_file():
        doctor.look(f"{words}，文件已不在 {path}", "核对备份是否移到了别处；没有就马上再备份一次")
    elif age > OLD:
        doctor.look(f"{words}，已过去 {age.days or 1} 天", "马上备份一次，并检查每天的备份为什么没有运行")
    elif doctor.thorough:
        try:
            verify(path, need_key("核对备份", newest["key"]))
            doctor.good(f"{words}，打开核对过，完整")
        except RefusedError as refused:
            doctor.bad(str(refused), "马上再备份一次，旧文件留着备查")
    else:
        doctor.good(words)


@check("attachments", "附件")
def attachments(doctor: Doctor) -> None:
    """Each attachment's file is there, as long as it was (thorough: the same bytes), sealed, and no file belongs to nobody."""
    missing, changed, plain, known = [], [], [], set()
    rows = Attachment.objects.values_list("pk", "path", "size", "sha256").iterator(chunk_size=2000)
    for pk, path, size, digest in rows:
        known.add(path)
        where = full_path(path)
        if not where.is_file():
            missing.append(f"附件 {pk}")
        elif _is_changed(where, size, digest, thorough=doctor.thorough):
            changed.append(f"附件 {pk}")
        elif lies_sealed(path) and key_id_of(where) is None:
            plain.append(f"附件 {pk}")
    if missing:
        doctor.bad(
            f"{len(missing)} 个附件的文件不在磁盘上", "从备份取回 files 文件夹里的这些文件", tuple(missing[:_SHOWN])
        )
    if changed:
        doctor.bad(f"{len(changed)} 个附件与上传时不同", "从备份取回 files 文件夹里的这些文件", tuple(changed[:_SHOWN]))
    if plain:
        doctor.look(f"{len(plain)} 个附件的文件还没有加密", "运行 jiaoheng keys rotate", tuple(plain[:_SHOWN]))
    orphans = _orphans(known)
    if orphans:
        doctor.look(
            f"{orphans} 个文件没有附件指向它", "不用处理，后台任务每天清理一次；一直不减时核对后台任务是否在运行"
        )
    if not missing and not changed and not plain and not orphans:
        doctor.good(f"{len(known)} 个附件的文件都在" + ("，内容与上传时相同" if doctor.thorough else ""))


def _is_changed(path: Path, size: int, digest: str, *, thorough: bool) -> bool:
    """Whether a file is another than was stored; its size alone where nobody asked for more."""
    try:
        sizes = (path.stat().st_size, plain_size(path))
    except ValueError:
        return True
    return size not in sizes or (thorough and not is_what_was_stored(path, digest))


def _orphans(known: set[str]) -> int:
    root = Path(settings.FILES)
    border = (clock.now() - schedule.YOUNG).timestamp()
    count = 0
    for path in root.rglob("*") if root.is_dir() else ():
        inside = path.relative_to(root)
        owner = schedule.OWNERS.get(inside.parts[0])
        if path.is_file() and not (owner and owner(inside.as_posix())):
            young = path.stat().st_mtime >= border
            count += not young and inside.as_posix().removesuffix(SMALL_SUFFIX) not in known
    return count

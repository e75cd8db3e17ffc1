"""Writing attachments: store, hang on an object, remove, sweep what nobody owns."""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from django.db import IntegrityError, transaction

from jiaoheng.bureau.core import audit, clock, files, photos
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.limits import limits_of
from jiaoheng.bureau.core.models import Account, Attachment, Unit
from jiaoheng.bureau.core.refusals import ForbiddenError, NotFoundError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import line_at

_WRITERS = (Can.FILL, Can.ROUNDS, Can.REGISTERS, Can.UNITS)


def store_file(
    source: bytes | BinaryIO,
    name: str,
    kind: str,
    *,
    unit: Unit,
    acting_user: Account,
    object: tuple[str, object] = ("", ""),
    upload_key: str = "",
) -> Attachment:
    """Take a file (`kind`: photo, document, workbook), or give the one that the same sending brought before.

    The same bytes for the same object, or under the same form's `upload_key`, are added once. Raises RefusedError
    (`file-too-large`, `file-kind`, `file-empty`, `file-broken`, `disk-full`) and then nothing remains.
    """
    _may_store(unit, kind, acting_user)
    shown = files.safe_name(name)
    data = files.read_whole(source, _of_account(files.KINDS[kind], kind, acting_user), shown)
    sent = hashlib.sha256(data).hexdigest()
    there = _sent_before(acting_user, unit, sent, object, upload_key)
    if there is not None:
        return there
    media_type = files.checked_type(data, files.KINDS[kind], shown)
    small = b""
    if media_type in files.PHOTOS:
        data, small, media_type = _photo(data, shown)
    try:
        return do_store_file(
            data,
            files.safe_name(name, media_type),
            "photo" if small and kind == "document" else kind,
            unit=unit,
            acting_user=acting_user,
            object=object,
            upload_key=upload_key,
            media_type=media_type,
            small=small,
            sent=sent,
        )
    except IntegrityError:  # the same sending arrived twice at the same moment: the other one has stored it
        there = _sent_before(acting_user, unit, sent, object, upload_key)
        if there is None:
            raise
        return there


def store_result(
    data: bytes,
    name: str,
    *,
    unit: Unit,
    acting_user: Account,
    object: tuple[str, object] = ("", ""),
    expires_in: dt.timedelta | None = dt.timedelta(days=30),
) -> Attachment:
    """Keep a file that the program made for a person (a marked workbook, an export); only he may fetch it."""
    return do_store_file(
        data,
        files.safe_name(name),
        "result",
        unit=unit,
        acting_user=acting_user,
        object=object,
        media_type=files.media_type_of(name),
        expires_at=clock.now() + expires_in if expires_in else None,
    )


@audit.action
def do_store_file(
    data: bytes,
    name: str,
    kind: str,
    *,
    unit: Unit,
    acting_user: Account,
    media_type: str,
    object: tuple[str, object] = ("", ""),
    upload_key: str = "",
    small: bytes = b"",
    sent: str = "",
    expires_at: dt.datetime | None = None,
) -> Attachment:
    """Write checked bytes and their row. Pages call `store_file` or `store_result`, which check first."""
    path = files.new_path(Path(name).suffix.lower())
    try:
        files.write_whole(path, data)
        if small:
            files.write_whole(path + files.SMALL_SUFFIX, small)
        with transaction.atomic():
            made = Attachment.objects.create(
                unit=unit,
                owner=acting_user,
                name=name,
                kind=kind,
                media_type=media_type,
                size=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
                sent=sent,
                upload_key=upload_key[:64],
                path=path,
                created_at=clock.now(),
                object_type=object[0],
                object_id=str(object[1]),
                expires_at=expires_at,
            )
    except OSError as error:
        files.remove(path)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RefusedError("disk-full", f"服务器磁盘已满，“{name}”没有存入。请告知管理员清理后再传") from error
        raise
    except BaseException:
        files.remove(path)
        raise
    audit.note("file.store", actor=acting_user, about=("file", made.pk, name), unit_id=unit.pk)
    return made


def attach(ids: Sequence[str], object: tuple[str, object], *, acting_user: Account) -> None:
    """Hang files on an object (a record that was just written). To be called inside the object's own action.

    Only one's own loose files and those that hang there already. Raises RefusedError (`file-unknown`).
    """
    wanted = list(dict.fromkeys(ids))
    rows = {str(row.pk): row for row in Attachment.objects.filter(pk__in=wanted)}
    where = (object[0], str(object[1]))
    for one in wanted:
        row = rows.get(one)
        loose = (
            row is not None
            and row.owner_id == acting_user.pk
            and not row.object_type
            and row.kind in ("photo", "document")
        )
        if row is None or not (loose or (row.object_type, row.object_id) == where):
            raise RefusedError("file-unknown", "有一个附件没有收到，或已不在。请重新上传后再保存")
    Attachment.objects.filter(pk__in=wanted).update(object_type=where[0], object_id=where[1], expires_at=None)


@audit.action
def do_remove_file(attachment: Attachment, *, acting_user: Account) -> None:
    """Remove one's own loose file; what hangs on a record stays for its history. Raises RefusedError (`file-used`)."""
    if attachment.owner_id != acting_user.pk:
        raise NotFoundError
    if attachment.object_type:
        raise RefusedError("file-used", f"“{attachment.name}”已随记录保存，历史中要用，不能删除。可在记录中去掉它")
    path = attachment.path
    audit.note(
        "file.remove",
        actor=acting_user,
        about=("file", attachment.pk, attachment.name),
        unit_id=attachment.unit_id,
    )
    attachment.delete()
    transaction.on_commit(lambda: files.remove(path))


def sweep_expired() -> int:
    """Remove expired files, for the schedule (`orphan_files`); leaves no audit entry where there was nothing."""
    due = Attachment.objects.filter(expires_at__lte=clock.now()).exists()
    return do_remove_expired(acting_user=None) if due else 0


@audit.action
def do_remove_expired(*, acting_user: Account | None) -> int:
    """Remove files whose time is over and that no import needs any more; how many."""
    from django.db.models import ProtectedError

    paths = []
    for row in Attachment.objects.filter(expires_at__lte=clock.now()):
        path = row.path
        try:
            with transaction.atomic():
                row.delete()
        except ProtectedError:
            continue
        paths.append(path)
    audit.note("file.expire", actor=acting_user, about=("file", "", "过期文件"), count=len(paths))
    transaction.on_commit(lambda: _remove_all(paths))
    return len(paths)


def _remove_all(paths: Sequence[str]) -> None:
    for path in paths:
        files.remove(path)


def _of_account(known: files.Kind, kind: str, account: Account) -> files.Kind:
    """What the kind takes of this person."""
    return replace(known, most=min(known.most, limits_of(account).upload_mb[kind] * files.MEGABYTE))


def _may_store(unit: Unit, kind: str, acting_user: Account) -> None:
    line = line_at(unit, clock.today())
    if not any(root.unit_id in line.ids() for root in scope_of(acting_user, Can.READ).roots):
        raise NotFoundError
    if kind != "workbook" and not any(scope_of(acting_user, can).covers(line) for can in _WRITERS):
        raise ForbiddenError("您可以查看这个单位，但没有为它上传文件的权限")


def _sent_before(
    owner: Account, unit: Unit, sent: str, object: tuple[str, object], upload_key: str
) -> Attachment | None:
    rows = Attachment.objects.filter(owner=owner, unit=unit, sent=sent)
    if upload_key and (found := rows.filter(upload_key=upload_key).first()) is not None:
        return found
    return rows.filter(object_type=object[0], object_id=str(object[1])).first() if object[0] else None


def _photo(data: bytes, name: str) -> tuple[bytes, bytes, str]:
    try:
        made = photos.prepare(data)
    except photos.PhotoError as error:
        if error.too_many:
            most = photos.MOST_PIXELS // 10_000
            raise RefusedError("file-broken", f"“{name}”的像素太多，最多 {most} 万像素。请缩小后再传") from None
        raise RefusedError(
            "file-broken", f"“{name}”的图片打不开，可能没有传完整。请在手机或电脑上打开核对后再传"
        ) from None
    return made.data, made.small, made.media_type

"""Uploaded workbooks and what is made of them, under random names below settings.FILES."""

from __future__ import annotations

import hashlib
import re
import secrets
import uuid
import zipfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path, PurePath
from typing import Any

from django.conf import settings

from jiaoheng.bureau.core import clock, durable
from jiaoheng.bureau.core.models import Account, Attachment, Unit
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.sealed_files import plain_file, seal_in_place
from jiaoheng.sheets.guard import Archive
from jiaoheng.sheets.limits import MB, Limits
from jiaoheng.sheets.raw_sheets import RefusalError

WORKBOOKS, PREVIEWS, RESULTS = "workbooks", "imports", "results"
MOST_BYTES = 200 * MB  # what sheets.limits takes of one file
MOST_FILES = 1000
_UNSAFE = re.compile(r'[\x00-\x1f<>:"/\\|?*]+')
_CHUNK = 1 << 20
_TABLES = frozenset({".xlsx", ".xlsm", ".xls", ".et", ".csv", ".tsv", ".txt", ".ods", ".xlsb", ".html", ".htm"})


def safe_name(name: str) -> str:
    """A file's own name without path and without signs that a system forbids."""
    return _UNSAFE.sub("_", PurePath(name.replace("\\", "/")).name).strip(". ")[-150:] or "文件"


def below(*parts: str) -> Path:
    """A place below settings.FILES; its folder exists."""
    path = Path(settings.FILES).joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def path_of(attachment: Attachment) -> Path:
    """Where a stored file lies."""
    return Path(settings.FILES) / attachment.path


def plain(attachment: Attachment) -> AbstractContextManager[Path]:
    """A stored file in the clear for as long as the block runs."""
    return plain_file(path_of(attachment))


def store(upload: Any, name: str, *, unit: Unit, owner: Account) -> Attachment:
    """Keep an upload (a Django file, an open binary file) as a workbook of the owner. RefusedError where too large."""
    ending = PurePath(safe_name(name)).suffix.lower()[:8]
    inside = f"{WORKBOOKS}/{secrets.token_hex(16)}{ending}"
    path, size = below(inside), 0
    try:
        with path.open("wb") as out:
            for piece in _pieces(upload):
                size += len(piece)
                if size > MOST_BYTES:
                    told = f"文件超过 {MOST_BYTES // MB} MB，请拆成几个文件，或删去图片等无关内容"
                    raise RefusedError("file-too-large", told)
                out.write(piece)
        if not size:
            raise RefusedError("file-empty", f"“{safe_name(name)}”是空的（0 字节），请重新选择文件")
    except (RefusedError, OSError):
        path.unlink(missing_ok=True)
        raise
    return keep(path, name, "workbook", unit=unit, owner=owner, secret=True)


def store_many(uploads: Sequence[tuple[Any, str]], *, unit: Unit, owner: Account) -> Attachment:
    """Several uploads as one stored archive. RefusedError where there are too many or too much."""
    if len(uploads) > MOST_FILES:
        raise RefusedError("too-many-files", f"一次最多 {MOST_FILES} 个文件，现为 {len(uploads)} 个，请分批上传")
    path, size, taken = below(WORKBOOKS, f"{secrets.token_hex(16)}.zip"), 0, set()
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for number, (upload, name) in enumerate(uploads, start=1):
                inside = safe_name(name)
                inside = f"{number}/{inside}" if inside.lower() in taken else inside
                taken.add(inside.lower())
                with archive.open(inside, "w", force_zip64=True) as out:
                    for piece in _pieces(upload):
                        size += len(piece)
                        if size > MOST_BYTES:
                            raise RefusedError("file-too-large", f"合计超过 {MOST_BYTES // MB} MB，请分批上传")
                        out.write(piece)
    except (RefusedError, OSError):
        path.unlink(missing_ok=True)
        raise
    return keep(path, f"{len(uploads)} 个文件.zip", "workbook", unit=unit, owner=owner, secret=True)


def keep(
    path: Path,
    name: str,
    kind: str,
    *,
    unit: Unit,
    owner: Account,
    pk: uuid.UUID | None = None,
    secret: bool = False,
) -> Attachment:
    """Note a file that lies below settings.FILES already. `pk`: its id, where that had to be known before; `secret`: it
    may hold full numbers and is sealed first."""
    path.chmod(0o600)
    with path.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    size = path.stat().st_size
    if secret:
        seal_in_place(path)
    durable.keep(path)
    return Attachment.objects.create(
        pk=pk or uuid.uuid4(),
        unit=unit,
        owner=owner,
        name=safe_name(name),
        kind=kind,
        media_type=_media_type(path.suffix),
        size=size,
        sha256=digest,
        path=path.relative_to(settings.FILES).as_posix(),
        created_at=clock.now(),
    )


def _pieces(upload: Any) -> Any:
    if hasattr(upload, "chunks"):
        yield from upload.chunks(_CHUNK)
        return
    while piece := upload.read(_CHUNK):
        yield piece


def _media_type(suffix: str) -> str:
    return {
        ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ".csv": "text/csv; charset=utf-8",
        ".zip": "application/zip",
    }.get(suffix.lower(), "application/octet-stream")


def is_bundle(path: Path) -> bool:
    """Whether a file is an archive of files rather than a workbook."""
    if not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.lower() for name in archive.namelist()}
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError):
        return False
    if "[content_types].xml" in names or "mimetype" in names:
        return False
    return any(PurePath(name).suffix in _TABLES for name in names)


def unpack(path: Path, into: Path, limits: Limits) -> list[Path]:
    """The files of an archive, unpacked with the reader's own guards; folders inside stay.

    RefusedError where the archive breaks a limit. Names that an old Windows wrote in GBK are read as such.
    """
    found: list[Path] = []
    try:
        archive = Archive(path.read_bytes(), limits)
        archive.check_all()
        for name in sorted(archive.names):
            if name.endswith("/") or _is_rubbish(name):
                continue
            parts = [safe_name(part) for part in _decoded(name).replace("\\", "/").split("/") if part not in ("", ".")]
            target = into.joinpath(*parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as out:
                for piece in archive.stream(name):
                    out.write(piece)
            found.append(target)
            if len(found) > MOST_FILES:
                raise RefusedError("too-many-files", f"压缩包里的文件超过 {MOST_FILES} 个，请分批上传")
    except RefusalError as error:
        raise RefusedError(error.finding.code, f"{error.finding.message}。{error.finding.remedy}") from error
    return found


def _decoded(name: str) -> str:
    try:
        raw = name.encode("cp437")
    except UnicodeEncodeError:
        return name  # the archive says that its names are UTF-8
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return name


def _is_rubbish(name: str) -> bool:
    parts = PurePath(name).parts
    return "__MACOSX" in parts or parts[-1].startswith(("~$", ".")) or parts[-1] in ("Thumbs.db", "desktop.ini")

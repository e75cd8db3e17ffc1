"""Files that people hand in: which kinds, known by content and not by name; where they lie; how they are served."""

from __future__ import annotations

import io
import mimetypes
import os
import re
import unicodedata
import uuid
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from django.conf import settings
from django.db.models import Q

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.access import access_attachment
from jiaoheng.bureau.core.models import Account, Attachment
from jiaoheng.bureau.core.refusals import NotFoundError, RefusedError
from jiaoheng.bureau.core.sealed_files import open_plain, plain_size, seal_file

MEGABYTE = 1 << 20
_MOST_UNPACKED = 600 * MEGABYTE  # an office file is a zip: what unpacks to more is made to fill the disk
SMALL_SUFFIX = ".small.jpg"

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
SUFFIXES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "application/pdf": ".pdf",
    DOCX: ".docx",
    XLSX: ".xlsx",
    PPTX: ".pptx",
    "application/vnd.ms-excel": ".xls",
    "application/msword": ".doc",
    "text/csv": ".csv",
}
PHOTOS = ("image/jpeg", "image/png", "image/webp")
DOCUMENTS = ("application/pdf", DOCX, XLSX)
WORKBOOKS = (XLSX, "application/vnd.ms-excel", "text/csv")


@dataclass(frozen=True, slots=True)
class Kind:
    """What one kind of attachment takes."""

    most: int  # bytes
    types: tuple[str, ...]
    words: str


KINDS = {
    "photo": Kind(20 * MEGABYTE, PHOTOS, "JPG、PNG、WebP 图片"),
    "document": Kind(20 * MEGABYTE, (*DOCUMENTS, *PHOTOS), "PDF、Word（docx）、Excel（xlsx）和图片"),
    "workbook": Kind(50 * MEGABYTE, WORKBOOKS, "Excel（xlsx、xls）和 CSV"),
}


def read_whole(source: bytes | BinaryIO, kind: Kind, name: str) -> bytes:
    """The bytes of what was sent. Raises RefusedError where they are more than the kind takes, or none."""
    data = source if isinstance(source, bytes) else source.read(kind.most + 1)
    if len(data) > kind.most:
        size = f"{len(data) / MEGABYTE:.0f} MB" if isinstance(source, bytes) else f"超过 {kind.most // MEGABYTE} MB"
        raise RefusedError(
            "file-too-large",
            f"“{name}”{size}，每个文件最多 {kind.most // MEGABYTE} MB。可以上传{kind.words}，请压缩或分开后再传",
        )
    if not data:
        raise RefusedError("file-empty", f"“{name}”是空文件。请核对后再传")
    return data


def sniffed(data: bytes, name: str) -> str:
    """Media type by content, "" for anything that is taken nowhere. The name decides only between texts."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data.startswith(b"%PDF-"):
        return "application/pdf"
    if data.startswith(b"PK\x03\x04"):
        return _office(data)
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return "application/vnd.ms-excel" if b"W\0o\0r\0k\0b\0o\0o\0k\0" in data else "application/msword"
    if name.lower().endswith((".csv", ".txt")) and _is_text(data):
        return "text/csv"
    return ""


def _office(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            names = {one.filename for one in infos}
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return ""
    if "[Content_Types].xml" not in names or sum(one.file_size for one in infos) > _MOST_UNPACKED:
        return ""
    if any(one.endswith("vbaProject.bin") for one in names):
        return "macro"
    for part, kind in (("word/document.xml", DOCX), ("xl/workbook.xml", XLSX), ("ppt/presentation.xml", PPTX)):
        if part in names:
            return kind
    return ""


def _is_text(data: bytes) -> bool:
    if b"\0" in data:
        return False
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False


def checked_type(data: bytes, kind: Kind, name: str) -> str:
    """The media type of a file. Raises RefusedError that says what it is not and what may be sent."""
    found = sniffed(data, name)
    if found in kind.types:
        return found
    if found == "macro":
        raise RefusedError("file-kind", f"“{name}”带有宏。请另存为不带宏的 docx 或 xlsx 后再传")
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypheif"):
        raise RefusedError(
            "file-kind", f"“{name}”是 HEIC 图片。请在手机相机设置中选“兼容性最佳”重拍，或另存为 JPG 后再传"
        )
    what = (
        "的内容不是它的名字所说的那种文件" if Path(name).suffix.lower() in SUFFIXES.values() else "不是可以上传的文件"
    )
    raise RefusedError("file-kind", f"“{name}”{what}。可以上传{kind.words}，每个最多 {kind.most // MEGABYTE} MB")


def safe_name(name: str, media_type: str = "") -> str:
    """A file name as sent, without folders and signs that a system or header could take for something else.

    Its ending follows the content.
    """
    base = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    kept = "".join(sign for sign in base if unicodedata.category(sign)[0] != "C" or sign == "\u200d")
    kept = re.sub(r'[<>:"/\\|?*]', "_", kept).strip(" .") or "文件"
    suffix = SUFFIXES.get(media_type, "")
    stem, ending = os.path.splitext(kept)
    if suffix and ending.lower() not in (suffix, ".jpeg" if suffix == ".jpg" else suffix, ".txt"):
        return stem[: 180 - len(suffix)] + suffix
    return stem[: 180 - len(ending)] + ending


def new_path(suffix: str) -> str:
    """A random name below settings.FILES, spread over two levels of folders."""
    name = uuid.uuid4().hex
    return f"{name[:2]}/{name[2:4]}/{name}{suffix}"


def full_path(path: str) -> Path:
    """Where a stored path lies."""
    return Path(settings.FILES) / path


def write_whole(path: str, data: bytes) -> None:
    """Write a file sealed, so that it is there whole or not at all, also after a loss of power."""
    target = full_path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    seal_file(io.BytesIO(data), target)


def remove(path: str) -> None:
    """Remove a stored file and its small picture; what is gone already is no fault."""
    for name in (path, path + SMALL_SUFFIX):
        full_path(name).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Served:
    """A file to be sent to a browser, and the headers that keep it from being more than a file."""

    path: Path
    headers: dict[str, str]

    def open(self) -> BinaryIO:
        """The content as a stream, opened where the file lies sealed."""
        return open_plain(self.path)

    def read(self) -> bytes:
        """The whole content."""
        with self.open() as found:
            return found.read()


def open_file(account: Account, attachment_id: object, variant: str = "") -> Served:
    """A file for a person who may read it: as stored, or its small picture (`variant="small"`).

    Raises NotFoundError for what may not be read, what is missing, and what has expired: all alike.
    """
    found = access_attachment(account, attachment_id)
    if found.expires_at is not None and found.expires_at <= clock.now():
        raise NotFoundError
    media_type, path = found.media_type, full_path(found.path)
    if variant == "small":
        if media_type not in PHOTOS:
            raise NotFoundError
        media_type, path = "image/jpeg", full_path(found.path + SMALL_SUFFIX)
    elif variant:
        raise NotFoundError
    if not path.is_file():
        raise NotFoundError
    where = "inline" if media_type in PHOTOS else "attachment"
    return Served(path, _headers(media_type, where, found.name, plain_size(path)))


def _headers(media_type: str, where: str, name: str, size: int) -> dict[str, str]:
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name) or "file"
    return {
        "Content-Type": media_type,
        "Content-Length": str(size),
        "Content-Disposition": f"{where}; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-store",  # rights may end before the next look
    }


def media_type_of(name: str) -> str:
    """Media type of a file that the program made itself, by its name."""
    for media_type, suffix in SUFFIXES.items():
        if name.lower().endswith(suffix):
            return media_type
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


@dataclass(frozen=True, slots=True)
class FileLine:
    """One attachment as a page shows it."""

    id: str
    name: str
    is_photo: bool
    size: str  # 1.2 MB
    there: bool


def file_lines(ids: Sequence[str], account: Account, record_id: object = "") -> list[FileLine]:
    """The attachments of a record's field in its order; one that never arrived or was removed says so.

    `record_id`: the record that the reader has opened. Ids come from forms too: what neither hangs on this record nor
    is the reader's own is one that never arrived.
    """
    wanted = [one for one in ids if _is_uuid(one)]
    here = Q(owner=account)
    if record_id:
        here |= Q(object_type="record", object_id=str(record_id))
    rows = {str(row.pk): row for row in Attachment.objects.filter(here, pk__in=wanted)}
    lines = []
    for one in ids:
        row = rows.get(one)
        if row is None:
            lines.append(FileLine(one, "未收到", False, "", False))
        else:
            lines.append(FileLine(one, row.name, row.media_type in PHOTOS, size_words(row.size), True))
    return lines


def count_words(present: int, expected: int) -> str:
    """附件 2/3 where some are missing, 附件 3 where all are there."""
    return f"附件 {present}/{expected}" if present != expected else f"附件 {present}"


def size_words(size: int) -> str:
    """640 KB, 1.2 MB."""
    return f"{max(1, round(size / 1024))} KB" if size < MEGABYTE else f"{size / MEGABYTE:.1f} MB"


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True

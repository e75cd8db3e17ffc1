"""An untrusted zip archive opened with care: nothing is unpacked beyond its declared and allowed size.

The directory is read by `zipfile`; the parts are inflated here with a running count, because both `zipfile` and the
workbook reader believe what the archive says of itself.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator

from jiaoheng.sheets.limits import MB, Limits
from jiaoheng.sheets.raw_sheets import RefusalError, damaged

CHUNK = 4 * 1024 * 1024
_SMALL_PART = 10 * MB  # below this size a high ratio harms nobody
_END_RECORD = b"PK\x05\x06"
_END_SIZE = 22
_DIRECTORY_ENTRY = 1024  # bytes of directory per part that we are ready to read
_STORED, _DEFLATED = 0, 8
_BOMB = "这不是正常的工作簿，可能是恶意文件；请向报送人核实，请其用 Excel 或 WPS 另存后再交"


class Archive:
    """A checked zip in memory. Raises RefusalError where the archive breaks a limit or its own rules."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        self._data = data
        self._limits = limits
        self._inflated = 0
        self._parts: dict[str, zipfile.ZipInfo] = {}
        _check_directory_size(data, limits)
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as opened:
                infos = opened.infolist()
        except (zipfile.BadZipFile, ValueError, struct.error, OverflowError, NotImplementedError, EOFError) as error:
            raise damaged("压缩结构读不出（文件可能没有传完）") from error
        self._admit(infos)
        self.names = frozenset(info.filename for info in infos)

    def _admit(self, infos: list[zipfile.ZipInfo]) -> None:
        limits = self._limits
        if len(infos) > limits.entries:
            raise RefusalError("archive-entries", f"压缩包内有 {len(infos)} 个部件，上限 {limits.entries} 个", _BOMB)
        if sum(info.file_size for info in infos) > limits.inflated_bytes:
            raise _too_large(sum(info.file_size for info in infos), limits)
        for info in infos:
            name = info.filename.replace("\\", "/").lstrip("/").lower()
            if ".." in name.split("/") or "\x00" in info.filename:
                raise RefusalError("archive-names", f"压缩包内的部件名“{info.filename[:80]}”指向文件之外", _BOMB)
            if name in self._parts:
                raise RefusalError("archive-names", f"压缩包内有两个同名部件“{info.filename[:80]}”", _BOMB)
            self._parts[name] = info
        _check_overlap(infos)

    def has(self, name: str) -> bool:
        """Whether the part is there; names are compared without case, as workbook readers do."""
        return name.lstrip("/").lower() in self._parts

    def check_encrypted(self) -> None:
        """Refuse an archive with a password."""
        if any(info.flag_bits & 1 for info in self._parts.values()):
            raise RefusalError("file-encrypted", "压缩包设有密码，读不出内容", "请先去掉密码再交")

    def check_ratio(self, info: zipfile.ZipInfo) -> None:
        """Refuse a part that unpacks to an absurd multiple of its packed size."""
        if info.file_size <= _SMALL_PART:
            return
        ratio = info.file_size // max(info.compress_size, 1)
        if ratio > self._limits.ratio:
            told = (
                f"部件 {info.filename[:80]} 解压后 {_megabytes(info.file_size)}，是压缩后的 {ratio} 倍"
                f"（上限 {self._limits.ratio} 倍），是压缩炸弹"
            )
            raise RefusalError("archive-bomb", told, _BOMB)

    def check_all(self) -> None:
        """Refuse passwords and bombs, before any part is unpacked."""
        self.check_encrypted()
        for info in self._parts.values():
            self.check_ratio(info)

    def read(self, name: str, most: int = 64 * MB) -> bytes:
        """The whole part, at most `most` bytes; empty where it is absent."""
        if not self.has(name):
            return b""
        pieces: list[bytes] = []
        size = 0
        for piece in self.stream(name):
            size += len(piece)
            if size > most:
                raise RefusalError(
                    "archive-bomb", f"部件 {name} 超过 {_megabytes(most)}，正常工作簿里没有这么大", _BOMB
                )
            pieces.append(piece)
        return b"".join(pieces)

    def check_part(self, name: str) -> None:
        """Unpack a part without keeping it, so that its true size and its XML prologue are known to be harmless."""
        if self.has(name):
            for number, piece in enumerate(self.stream(name)):
                if number == 0:
                    check_prologue(piece)

    def stream(self, name: str) -> Iterator[bytes]:
        """The part's bytes in pieces of at most 4 MiB, counted against the limits while they are unpacked."""
        info = self._parts[name.lstrip("/").lower()]
        self.check_ratio(info)
        written = 0
        for piece in self._inflate(info):
            written += len(piece)
            self._inflated += len(piece)
            if written > info.file_size:
                raise RefusalError("archive-bomb", f"部件 {info.filename[:80]} 解压后比它自己声明的大", _BOMB)
            if self._inflated > 3 * self._limits.inflated_bytes:  # a part is read at most three times
                raise _too_large(self._inflated // 3, self._limits)
            yield piece
        if written < info.file_size:
            raise damaged(f"部件 {info.filename[:80]} 不完整")

    def rewritten(self, parts: frozenset[str], change: Callable[[bytes], bytes]) -> bytes:
        """A new archive, not packed, with the named parts changed."""
        wanted = {name.lower() for name in parts}
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
            for key, info in self._parts.items():
                body = self.read(key, most=self._limits.inflated_bytes)
                archive.writestr(info.filename, change(body) if key in wanted else body)
        return out.getvalue()

    def _inflate(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        start = _data_start(self._data, info)
        packed = memoryview(self._data)[start : start + info.compress_size]
        if info.compress_type == _STORED:
            for position in range(0, len(packed), CHUNK):
                yield bytes(packed[position : position + CHUNK])
            return
        if info.compress_type != _DEFLATED:
            raise RefusalError(
                "archive-method", f"部件 {info.filename[:80]} 用了少见的压缩方法 {info.compress_type}", _BOMB
            )
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            for position in range(0, len(packed), CHUNK):
                waiting: bytes | memoryview = packed[position : position + CHUNK]
                while len(waiting):
                    piece = inflater.decompress(waiting, CHUNK)
                    waiting = inflater.unconsumed_tail
                    if piece:
                        yield piece
                    if inflater.eof:
                        return
            piece = inflater.flush()
        except zlib.error as error:
            raise damaged(f"部件 {info.filename[:80]} 解压出错") from error
        if piece:
            yield piece


def check_prologue(head: bytes) -> None:
    """Refuse XML with a document type (entities, outside files) or in an encoding that workbooks never use."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in head[:64]:
        raise damaged("内部 XML 不是 UTF-8 编码")
    declared = head[:200].partition(b"?>")[0].lower()
    if b"encoding" in declared and not any(one in declared for one in (b"utf-8", b"utf8", b"ascii")):
        raise damaged("内部 XML 不是 UTF-8 编码")
    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
        raise RefusalError("xml-entities", "内部 XML 带有文档类型或外部实体声明", _BOMB)


def _check_directory_size(data: bytes, limits: Limits) -> None:
    """Bound the work of reading the directory: its declared size, whatever number of parts it claims."""
    end = data.rfind(_END_RECORD, max(0, len(data) - 65_536 - _END_SIZE))
    if end < 0 or end + _END_SIZE > len(data):
        raise damaged("压缩结构的末尾缺失（文件可能没有传完）")
    (size,) = struct.unpack_from("<I", data, end + 12)
    if min(size, len(data)) > limits.entries * _DIRECTORY_ENTRY or data.count(b"PK\x01\x02") > 4 * limits.entries:
        raise RefusalError("archive-entries", f"压缩包内的部件超过上限 {limits.entries} 个", _BOMB)


def _check_overlap(infos: list[zipfile.ZipInfo]) -> None:
    """Parts that share their packed bytes multiply without end: no honest program writes them."""
    end = 0
    for info in sorted(infos, key=lambda one: one.header_offset):
        if info.header_offset < end:
            raise RefusalError("archive-bomb", "压缩包内的部件互相重叠，是压缩炸弹", _BOMB)
        end = info.header_offset + 30 + info.compress_size


def _data_start(data: bytes, info: zipfile.ZipInfo) -> int:
    start = info.header_offset
    if start < 0 or data[start : start + 4] != b"PK\x03\x04" or start + 30 > len(data):
        raise damaged(f"部件 {info.filename[:80]} 的位置不对")
    name, extra = struct.unpack_from("<HH", data, start + 26)
    begin: int = start + 30 + name + extra
    if begin + info.compress_size > len(data):
        raise damaged(f"部件 {info.filename[:80]} 不完整（文件可能没有传完）")
    return begin


def _megabytes(size: int) -> str:
    return f"{size / MB:.0f} MB"


def _too_large(size: int, limits: Limits) -> RefusalError:
    told = f"解压后 {_megabytes(size)}，上限 {_megabytes(limits.inflated_bytes)}"
    return RefusalError("archive-bomb", told, _BOMB)

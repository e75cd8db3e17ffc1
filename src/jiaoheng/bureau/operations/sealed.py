"""An encrypted file that can be written in one pass and in which nothing can be changed, moved or cut unseen.

Layout: magic, length and JSON of a head that anyone may read (format, name of the key, when, by which version), then
chunks. Each chunk is AES-256-GCM of up to 1 MiB under a key derived for this file alone (HKDF with the head's salt).
The nonce is the chunk's number and whether it is the last: chunks in another order, or a missing end, do not open
(the STREAM construction). The head's hash is authenticated with every chunk.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"JHBACKUP1\n"
CHUNK = 1 << 20
_TAG = 16
_LENGTH = struct.Struct(">I")
_MOST_HEAD = 1 << 16


class SealBrokenError(Exception):
    """The file is cut, changed, or was made with another key; the text says where."""


class NotSealedError(Exception):
    """Not a file of this kind at all."""


class SealedWriter(io.RawIOBase):
    """Write plain bytes, get a sealed file. `close` writes the last chunk: without it the file does not open."""

    def __init__(self, out: BinaryIO, secret: bytes, head: Mapping[str, Any]) -> None:
        body = json.dumps(
            {**head, "salt": base64.b64encode(salt := os.urandom(16)).decode()}, ensure_ascii=False, sort_keys=True
        ).encode()
        out.write(MAGIC + _LENGTH.pack(len(body)) + body)
        self._out, self._cipher, self._bound = out, AESGCM(_derived(secret, salt)), hashlib.sha256(body).digest()
        self._buffer = bytearray()
        self._number = 0
        self._ended = False

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any) -> int:
        """Take bytes; full chunks go out at once, the newest stays until it is known whether it is the last."""
        self._buffer += data
        while len(self._buffer) > CHUNK:
            self._put(bytes(self._buffer[:CHUNK]), last=False)
            del self._buffer[:CHUNK]
        return len(data)

    def finish(self) -> None:
        """Write the end."""
        if not self._ended:
            self._put(bytes(self._buffer), last=True)
            self._ended = True

    def _put(self, plain: bytes, *, last: bool) -> None:
        sealed = self._cipher.encrypt(_nonce(self._number, last), plain, self._bound)
        self._out.write(_LENGTH.pack(len(sealed)) + sealed)
        self._number += 1


def read_head(source: BinaryIO) -> dict[str, Any]:
    """The open head. Raises NotSealedError where this is another kind of file, SealBrokenError where it is cut."""
    magic = source.read(len(MAGIC))
    if magic != MAGIC:
        if magic and MAGIC.startswith(magic):
            raise SealBrokenError("文件头不完整")
        raise NotSealedError
    return json.loads(_head_bytes(source))


def _head_bytes(source: BinaryIO) -> bytes:
    raw = source.read(_LENGTH.size)
    length = _LENGTH.unpack(raw)[0] if len(raw) == _LENGTH.size else 0
    body = source.read(length) if 0 < length <= _MOST_HEAD else b""
    if not body or len(body) != length:
        raise SealBrokenError("文件头不完整")
    try:
        json.loads(body)
    except ValueError:
        raise SealBrokenError("文件头被改过") from None
    return body


class SealedReader(io.RawIOBase):
    """Read the plain bytes back; every byte that is given out was authenticated. Raises SealBrokenError."""

    def __init__(self, source: BinaryIO, secret: bytes) -> None:
        if source.read(len(MAGIC)) != MAGIC:
            raise NotSealedError
        body = _head_bytes(source)
        self.head: dict[str, Any] = json.loads(body)
        try:
            salt = base64.b64decode(self.head["salt"])
        except (KeyError, ValueError):
            raise SealBrokenError("文件头被改过") from None
        self._source, self._cipher, self._bound = source, AESGCM(_derived(secret, salt)), hashlib.sha256(body).digest()
        self._plain, self._at, self._number, self._ended = b"", 0, 0, False

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, target: Any) -> int:
        """Fill `target` as far as one chunk goes; 0 at the authenticated end."""
        while self._at >= len(self._plain):
            if self._ended:
                return 0
            self._next()
        size = min(len(target), len(self._plain) - self._at)
        target[:size] = self._plain[self._at : self._at + size]
        self._at += size
        return size

    def _next(self) -> None:
        raw = self._source.read(_LENGTH.size)
        length = _LENGTH.unpack(raw)[0] if len(raw) == _LENGTH.size else 0
        if not _TAG <= length <= CHUNK + _TAG:
            raise SealBrokenError(f"在第 {self._number + 1} 段处中断，文件不完整")
        sealed = self._source.read(length)
        if len(sealed) != length:
            raise SealBrokenError(f"在第 {self._number + 1} 段处中断，文件不完整")
        last = length < CHUNK + _TAG or self._at_end()
        try:
            self._plain = self._cipher.decrypt(_nonce(self._number, last), sealed, self._bound)
        except InvalidTag:
            raise SealBrokenError(f"第 {self._number + 1} 段打不开：文件被截断、改过，或不是这把密钥加密的") from None
        if last and not self._at_end():
            raise SealBrokenError(f"第 {self._number + 1} 段之后多出了内容")
        self._at, self._number, self._ended = 0, self._number + 1, last

    def _at_end(self) -> bool:
        peeked = self._source.read(1)
        if peeked:
            self._source.seek(-1, os.SEEK_CUR)
        return not peeked


def _derived(secret: bytes, salt: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"jiaoheng backup 1").derive(secret)


def _nonce(number: int, last: bool) -> bytes:
    return struct.pack(">IIHBB", 0, number, 0, 0, int(last))

"""Files that lie encrypted: photos, documents and workbooks that were handed in, and what is made with full numbers.

A line of magic, a line `key id:size of the plain file`, 16 random bytes, then pieces of AES-256-GCM. Each file has a key
of its own (HKDF of the data key and the random bytes), the number of a piece is its nonce, and the head is authenticated
with every piece: a piece that was changed, moved or cut off is noticed. A file without the magic is read as it is.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from jiaoheng.bureau.core import durable, keys
from jiaoheng.bureau.core.secrets import SealBrokenError

MAGIC = b"JIAOHENG-SEALED-1\n"
_PIECE = 1 << 20
_SALT, _TAG = 16, 16
_AT_ONCE = 1 << 16


def seal_file(source: BinaryIO, target: Path) -> None:
    """Write what a seekable stream holds as a sealed file, whole or not at all."""
    source.seek(0, os.SEEK_END)
    size = source.tell()
    source.seek(0)
    ring = keys.ring()
    head = f"{ring.newest}:{size}\n".encode()
    salt = os.urandom(_SALT)
    cipher = _cipher(ring.secret(ring.newest), salt)
    part = target.with_name(f".{target.name}.part")
    try:
        with part.open("wb") as out:
            os.chmod(part, 0o600)
            out.write(MAGIC + head + salt)
            for number in range(_pieces(size)):
                out.write(cipher.encrypt(_nonce(number), source.read(_PIECE), head))
            out.flush()
            os.fsync(out.fileno())
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    durable.keep_name(target)


def seal_in_place(path: Path) -> None:
    """Seal a file that lies in the clear; a sealed one stays as it is."""
    if key_id_of(path) is None:
        with path.open("rb") as source:
            seal_file(source, path)


def key_id_of(path: Path) -> str | None:
    """Id of the key that a file is sealed with, None for one in the clear."""
    with path.open("rb") as found:
        return found.readline(64).split(b":")[0].decode("ascii") if found.read(len(MAGIC)) == MAGIC else None


def plain_size(path: Path) -> int:
    """Bytes of the file when it is opened."""
    with path.open("rb") as found:
        if found.read(len(MAGIC)) != MAGIC:
            return path.stat().st_size
        return int(found.readline(64).partition(b":")[2])


def open_plain(path: Path) -> BinaryIO:
    """The plain content as a stream that opens one piece after the other: nothing of it is put down anywhere.

    KeyMissingError names the key that is not there; SealBrokenError says that the file was cut or its beginning changed,
    and comes from `read` where a later piece was.
    """
    if key_id_of(path) is None:
        return path.open("rb")
    raw = _Pieces(path)
    try:
        raw.look()
    except BaseException:
        raw.close()
        raise
    return io.BufferedReader(raw, _AT_ONCE)


def plain_digest(path: Path) -> str:
    """SHA-256 of the plain content, as hex."""
    with open_plain(path) as found:
        return hashlib.file_digest(found, "sha256").hexdigest()  # type: ignore[arg-type]


def is_what_was_stored(path: Path, digest: str) -> bool:
    """Whether a file's plain content has this SHA-256. Of what an earlier version sealed the hash is that of the file as it
    lies. A file whose key is not there counts as whole: nobody can tell."""
    with path.open("rb") as found:
        if hashlib.file_digest(found, "sha256").hexdigest() == digest:
            return True
    try:
        return key_id_of(path) is not None and plain_digest(path) == digest
    except keys.KeyMissingError:
        return True
    except (SealBrokenError, ValueError):
        return False


@contextmanager
def plain_file(path: Path) -> Iterator[Path]:
    """The plain content as a file of the same ending for as long as the block runs: for readers that need a path."""
    if key_id_of(path) is None:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="jiaoheng-") as folder:
        target = Path(folder) / path.name
        with target.open("wb") as out:
            os.chmod(target, 0o600)
            with open_plain(path) as source:
                while piece := source.read(_PIECE):
                    out.write(piece)
        yield target


def reseal(path: Path, target: Path) -> None:
    """The content of a file once more under another name, with the newest key."""
    with open_plain(path) as source:
        seal_file(source, target)


class _Pieces(io.RawIOBase):
    """The plain content of a sealed file, one piece of it open at a time."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._name, self._source = path.name, path.open("rb")
        self._source.read(len(MAGIC))
        self._head = self._source.readline(64)
        self._key_id, _, size = self._head.decode("ascii").strip().partition(":")
        try:
            self._size = int(size)
            self._cipher = _cipher(keys.ring().secret(self._key_id), self._source.read(_SALT))
        except BaseException:
            self._source.close()
            raise
        self._start = self._source.tell()
        self._at, self._number, self._piece = 0, -1, b""

    def look(self) -> None:
        """Open the first piece and compare the file's length with what its head says."""
        whole = self._start + self._size + _pieces(self._size) * _TAG
        if os.fstat(self._source.fileno()).st_size != whole:
            raise self._broken()
        self._open(0)

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """Without opening what is passed over."""
        return True

    def tell(self) -> int:
        """The place in the plain content."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As of any stream."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        """What is left of the piece in which the place lies, as far as it fits."""
        if self._at >= self._size:
            return 0
        number, offset = divmod(self._at, _PIECE)
        self._open(number)
        part = self._piece[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

    def close(self) -> None:
        """The file and the piece."""
        self._source.close()
        self._piece = b""
        super().close()

    def _open(self, number: int) -> None:
        if number == self._number:
            return
        self._source.seek(self._start + number * (_PIECE + _TAG))
        try:
            self._piece = self._cipher.decrypt(_nonce(number), self._source.read(_PIECE + _TAG), self._head)
        except (InvalidTag, ValueError) as error:
            raise self._broken() from error
        self._number = number

    def _broken(self) -> SealBrokenError:
        return SealBrokenError(f"{self._name} was changed since it was sealed with key {self._key_id}")


def _cipher(secret: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"jiaoheng file").derive(secret))


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _pieces(size: int) -> int:
    return max(1, -(-size // _PIECE))

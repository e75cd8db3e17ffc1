"""Files that lie encrypted: uploaded workbooks and what is made with full numbers.

A line of magic, a line `key id:size of the plain file`, 16 random bytes, then pieces of AES-256-GCM. Each file has a key
of its own (HKDF of the data key and the random bytes), the number of a piece is its nonce, and the head is authenticated
with every piece: a piece that was changed, moved or cut off is noticed. A file without the magic is read as it is.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from jiaoheng.bureau.core import durable, keys
from jiaoheng.bureau.core.secrets import SealBrokenError

MAGIC = b"JIAOHENG-SEALED-1\n"
_PIECE = 1 << 20
_SALT, _TAG = 16, 16
_IN_MEMORY = 8 << 20


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
    """The plain content as a stream; a large one lies in an unnamed temporary file meanwhile.

    KeyMissingError names the key that is not there, SealBrokenError says that the file was changed.
    """
    if key_id_of(path) is None:
        return path.open("rb")
    made = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 (the caller closes it)
    for piece in _opened(path):
        made.write(piece)
    made.seek(0)
    return made  # type: ignore[return-value]


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
            for piece in _opened(path):
                out.write(piece)
        yield target


def reseal(path: Path, target: Path) -> None:
    """The content of a file once more under another name, with the newest key."""
    with open_plain(path) as source:
        if isinstance(source, io.BytesIO) or source.seekable():
            seal_file(source, target)
            return
        with tempfile.TemporaryFile() as whole:
            shutil.copyfileobj(source, whole)
            seal_file(whole, target)


def _opened(path: Path) -> Iterator[bytes]:
    with path.open("rb") as found:
        found.read(len(MAGIC))
        head = found.readline(64)
        key_id, _, size = head.decode("ascii").strip().partition(":")
        cipher = _cipher(keys.ring().secret(key_id), found.read(_SALT))
        try:
            for number in range(_pieces(int(size))):
                yield cipher.decrypt(_nonce(number), found.read(_PIECE + _TAG), head)
        except (InvalidTag, ValueError) as error:
            raise SealBrokenError(f"{path.name} was changed since it was sealed with key {key_id}") from error


def _cipher(secret: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"jiaoheng file").derive(secret))


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _pieces(size: int) -> int:
    return max(1, -(-size // _PIECE))

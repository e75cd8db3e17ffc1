"""The keys of protected data: from the environment, or made once into a file that lies apart from the data.

Several data keys may stand beside each other, the newest first: the newest seals, each opens what it sealed. The search
key makes the keyed hashes by which whole numbers are found; it is derived and used apart from the data keys.

File: one `id:base64` a line (32 bytes each), `search:base64` among them.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from jiaoheng.bureau.core.refusals import RefusedError

SEARCH = "search"
FILE = "data-keys"
MARK = "data-keys-made"  # in the data folder: there are keys somewhere, which must not be made anew
_BYTES = 32
_ID = re.compile(r"[A-Za-z0-9_-]{1,16}")
_LOOK = 2.0  # seconds for which the file is not looked at again: a running server takes up a new key by itself


class KeyMissingError(RefusedError):
    """A key that is needed is not there, or is another one; `key_id` names it."""

    def __init__(self, key_id: str, message: str) -> None:
        super().__init__("key-missing", message)
        self.key_id = key_id


@dataclass(frozen=True, slots=True)
class Ring:
    """The data keys, newest first, and the search key; `source`: where they come from."""

    keys: tuple[tuple[str, bytes], ...]
    search: bytes
    source: str

    @property
    def newest(self) -> str:
        """Id of the key that seals."""
        return self.keys[0][0]

    def secret(self, key_id: str) -> bytes:
        """A data key by its id. KeyMissingError where it is not there."""
        for known, secret in self.keys:
            if known == key_id:
                return secret
        told = f"数据密钥“{key_id[:16]}”不在{self.source}里，用它加密的内容打不开。请把这把密钥放回去，再重试"
        raise KeyMissingError(key_id, told)


_kept: dict[str, tuple[float, object, Ring]] = {}


def ring() -> Ring:
    """The keys as they are now. The file is made where neither environment nor file has keys.

    KeyMissingError where what is there cannot be read as keys.
    """
    given = os.environ.get("JIAOHENG_DATA_KEYS", "")
    now = time.monotonic()
    place = given or os.environ.get("JIAOHENG_KEYS") or f"in {settings.DATA}"  # for each value opened: no path is built
    kept = _kept.get(place)
    if kept is not None and now - kept[0] < _LOOK:
        return kept[2]
    if given:
        stamp: object = given
    else:
        path = key_file()
        if not path.is_file():
            _make_first(path)
        stat = path.stat()
        stamp = (str(path), stat.st_mtime_ns, stat.st_size, stat.st_ino)
    if kept is not None and kept[1] == stamp:
        found = kept[2]
    elif given:
        found = parse(given.replace(",", "\n"), "环境变量 JIAOHENG_DATA_KEYS ")
    else:
        found = parse(key_file().read_text(encoding="ascii"), "密钥文件")
    _kept[place] = (now, stamp, found)
    return found


def forget() -> None:
    """Look at environment and file again at the next use."""
    _kept.clear()


def folder() -> Path:
    """Where the key file lies: JIAOHENG_KEYS, else `keys` in the data folder."""
    return Path(os.environ.get("JIAOHENG_KEYS") or settings.DATA / "keys")


def key_file() -> Path:
    """The key file."""
    return folder() / FILE


def apart() -> bool:
    """Whether the keys lie outside the data folder, so that a copy of the data alone opens nothing."""
    if os.environ.get("JIAOHENG_DATA_KEYS"):
        return True
    return not folder().resolve().is_relative_to(Path(settings.DATA).resolve())


def add_key() -> str:
    """Put a fresh data key on top of the key file; its id. RefusedError `keys-in-environment` where the keys come from there."""
    if os.environ.get("JIAOHENG_DATA_KEYS"):
        line = f"{_fresh_id([one for one, _ in ring().keys])}:{_text(secrets.token_bytes(_BYTES))}"
        told = f"密钥来自环境变量 JIAOHENG_DATA_KEYS，请把下面这一项加在它的最前面，用逗号隔开，再重启：{line}"
        raise RefusedError("keys-in-environment", told)
    old = ring()
    made = _fresh_id([one for one, _ in old.keys])
    path = key_file()
    _write(path, f"{made}:{_text(secrets.token_bytes(_BYTES))}\n" + path.read_text(encoding="ascii"), replace=True)
    forget()
    return made


def parse(text: str, source: str) -> Ring:
    """Keys out of `id:base64` lines. KeyMissingError says which line cannot be read, or which key is missing."""
    keys: list[tuple[str, bytes]] = []
    search = b""
    for number, line in enumerate(filter(None, (one.strip() for one in text.splitlines())), start=1):
        key_id, _, encoded = line.partition(":")
        try:
            secret = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            secret = b""
        if not _ID.fullmatch(key_id) or len(secret) != _BYTES:
            told = f"{source}第 {number} 项不是“编号:32 字节的 base64”。请核对，或从备份取回"
            raise KeyMissingError(key_id[:16], told)
        if key_id == SEARCH:
            search = secret
        elif key_id in dict(keys):
            raise KeyMissingError(key_id, f"{source}里有两把编号为“{key_id}”的密钥。请删去错的那一把")
        else:
            keys.append((key_id, secret))
    if not keys:
        raise KeyMissingError("", f"{source}里没有数据密钥。请从备份取回")
    if not search:
        raise KeyMissingError(SEARCH, f"{source}里没有 {SEARCH} 密钥，不能按完整号码查找。请从备份取回")
    return Ring(tuple(keys), derived(search, b"jiaoheng search"), source)


def derived(secret: bytes, purpose: bytes) -> bytes:
    """A key of its own for one purpose, by HKDF-SHA256 (RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=_BYTES, salt=None, info=purpose).derive(secret)


def fresh_keys() -> str:
    """The content of a new key file."""
    return f"k1:{_text(secrets.token_bytes(_BYTES))}\n{SEARCH}:{_text(secrets.token_bytes(_BYTES))}\n"


def _make_first(path: Path) -> None:
    """Make the keys of a new data folder. KeyMissingError where it had keys before: new ones would open nothing of it."""
    mark = Path(settings.DATA) / MARK
    if mark.exists() and not path.is_file():  # another process may just have made both
        told = (
            f"找不到密钥文件 {path}，而这个数据文件夹已有用它加密的内容。"
            "请把密钥文件放回原处，或用环境变量 JIAOHENG_KEYS 指明它所在的文件夹；确已遗失时从备份取回"
        )
        raise KeyMissingError("", told)
    _make(path)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()


def _make(path: Path) -> None:
    """Make the key file once: of two processes that start at the same moment one makes it and both read it."""
    with contextlib.suppress(FileExistsError):
        _write(path, fresh_keys(), replace=False)


def _write(path: Path, text: str, *, replace: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        if replace:
            os.replace(part, path)
        else:
            os.link(part, path)
    finally:
        part.unlink(missing_ok=True)


def _fresh_id(taken: list[str]) -> str:
    number = len(taken) + 1
    while f"k{number}" in taken:
        number += 1
    return f"k{number}"


def _text(secret: bytes) -> str:
    return base64.b64encode(secret).decode()

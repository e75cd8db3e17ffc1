"""The backup key: 32 random bytes that are kept apart from the data, and never travel in a backup.

Taken from JIAOHENG_BACKUP_KEY (base64), else from the file that JIAOHENG_BACKUP_KEY_FILE names, else from
`backup.key` in the settings folder of the account that runs the program. A key is named by the first 8 hex digits of
its SHA-256: the name stands in every backup and tells nothing about the key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from jiaoheng.bureau.core.refusals import RefusedError

SIZE = 32
VARIABLE, FILE_VARIABLE = "JIAOHENG_BACKUP_KEY", "JIAOHENG_BACKUP_KEY_FILE"


@dataclass(frozen=True, slots=True)
class BackupKey:
    """A key, its name, and where it came from in words."""

    secret: bytes
    source: str

    @property
    def name(self) -> str:
        """Eight hex digits."""
        return hashlib.sha256(b"jiaoheng-backup-key" + self.secret).hexdigest()[:8]

    def __repr__(self) -> str:
        return f"BackupKey({self.name})"


def key_path() -> Path:
    """The key file: named by the environment, or in the account's own settings folder."""
    named = os.environ.get(FILE_VARIABLE)
    if named:
        return Path(named)
    if os.name == "nt":
        base = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return base / "jiaoheng" / "backup.key"


def find_key() -> BackupKey | None:
    """The key of this machine, None where there is none. Raises RefusedError where it cannot be one."""
    given = os.environ.get(VARIABLE)
    if given:
        return BackupKey(_decoded(given, f"环境变量 {VARIABLE}"), f"环境变量 {VARIABLE}")
    path = key_path()
    if not path.is_file():
        return None
    return BackupKey(_decoded(path.read_text(encoding="ascii", errors="replace"), f"密钥文件 {path}"), f"文件 {path}")


def need_key(for_what: str, name: str = "") -> BackupKey:
    """The key of this machine; `name` where it must be a certain one. Raises RefusedError before anything is written."""
    found = find_key()
    how = f"请设环境变量 {FILE_VARIABLE} 指向密钥文件（或 {VARIABLE} 写入密钥）"
    if found is None:
        wanted = f"编号 {name} 的备份密钥" if name else "备份密钥"
        made = "" if name else "；还没有密钥时先运行 jiaoheng backup --new-key"
        raise RefusedError(
            "backup-key-missing", f"{for_what}需要{wanted}，本机没有（{key_path()} 不存在）。{how}{made}"
        )
    if name and found.name != name:
        raise RefusedError(
            "backup-key-other", f"{for_what}需要编号 {name} 的备份密钥，{found.source}里的是 {found.name}。{how}"
        )
    return found


def make_key(path: Path | None = None) -> BackupKey:
    """Make a key file that only its owner may read. Raises RefusedError where the file is there already."""
    target = path or key_path()
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise RefusedError(
            "backup-key-there", f"“{target}”已经存在，没有改动；旧备份要用它才能恢复。要另做一把，请换文件名"
        ) from None
    secret = secrets.token_bytes(SIZE)
    with os.fdopen(descriptor, "wb") as out:
        out.write(base64.b64encode(secret) + b"\n")
        out.flush()
        os.fsync(out.fileno())
    return BackupKey(secret, f"文件 {target}")


def _decoded(text: str, source: str) -> bytes:
    try:
        secret = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != SIZE:
        raise RefusedError(
            "backup-key-wrong", f"{source}的内容不是备份密钥（应为 44 个字符的一行），请核对是否复制完整"
        )
    return secret

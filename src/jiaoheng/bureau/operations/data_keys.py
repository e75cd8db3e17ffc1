"""Which keys of protected data a base was sealed with: named in its backup by id and fingerprint, never included."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence

from jiaoheng.bureau.core import keys
from jiaoheng.bureau.core.refusals import RefusedError


def fingerprints() -> list[tuple[str, str]]:
    """(id, fingerprint) of every data key and of the search key; empty where this machine has none yet."""
    if not os.environ.get("JIAOHENG_DATA_KEYS") and not keys.key_file().is_file():
        return []
    ring = keys.ring()
    return [*((key_id, _print(secret)) for key_id, secret in ring.keys), (keys.SEARCH, _print(ring.search))]


def check_there(needed: Sequence[Sequence[str]], archive: str) -> None:
    """Raises RefusedError that names the data keys which the backup needs and this machine lacks."""
    if not needed:
        return
    here = set(fingerprints())
    missing = [f"{key_id}（指纹 {print_}）" for key_id, print_ in needed if (key_id, print_) not in here]
    if missing:
        place = "环境变量 JIAOHENG_DATA_KEYS 里" if os.environ.get("JIAOHENG_DATA_KEYS") else f"{keys.key_file()}"
        raise RefusedError(
            "restore-data-keys",
            f"“{archive}”里的证件号等是用数据密钥 {'、'.join(missing)} 加密的，本机 {place} 没有。"
            "请先把原机器的密钥文件放到这里，再恢复；密钥确已遗失时加 --without-data-keys，这些内容将打不开",
        )


def _print(secret: bytes) -> str:
    return hashlib.sha256(b"jiaoheng-data-key" + secret).hexdigest()[:8]

"""Sealing and opening protected values: AES-256-GCM, bound to the place they belong to; keyed hashes for finding them.

A cipher text is `key id:place:base64(nonce, encrypted value, tag)`. Key id and place (register/field) are authenticated
with it, so that a value that was moved to another field does not open. A value is sealed as JSON, so that numbers and
lists come back as what they were.

Hash: HMAC-SHA256 (RFC 2104) over domain and value with the search key, cut to 128 bits.
"""

from __future__ import annotations

import base64
import binascii
import os
import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from jiaoheng.bureau.core import keys
from jiaoheng.registers.sealed import set_opener

_NONCE = 12
_DIGEST = 16  # bytes of a hash: 128 bits
_HALF = 1 << 63  # index columns are signed


class SealBrokenError(Exception):
    """A cipher text that was changed, cut, or moved from where it belongs."""


def seal(place: str, value: Any) -> str:
    """The cipher text of one JSON value for a place (register/field, without a colon)."""
    return seal_many(place, [value])[0]


def seal_many(place: str, values: Sequence[Any]) -> list[str]:
    """`seal` for many values of one place: one key, one draw of nonces."""
    if not values:
        return []
    ring = keys.ring()
    head = f"{ring.newest}:{place}:"
    bound = head.encode()
    encrypt = _cipher(ring.secret(ring.newest)).encrypt
    drawn = os.urandom(_NONCE * len(values))
    nonces = [drawn[start : start + _NONCE] for start in range(0, len(drawn), _NONCE)]
    text = binascii.b2a_base64
    raw = map(orjson.dumps, values)
    return [
        f"{head}{text(nonce + encrypt(nonce, one, bound), newline=False).decode()}"
        for nonce, one in zip(nonces, raw, strict=True)
    ]


def unseal(cipher: str) -> Any:
    """The value of a cipher text. KeyMissingError names a key that is not there, SealBrokenError says it was changed."""
    return orjson.loads(_opened(cipher))


def unseal_at(place: str, cipher: str) -> Any:
    """`unseal` for a cipher text that must belong to a place: SealBrokenError for one of another."""
    if cipher.split(":", 2)[1:2] != [place]:
        raise SealBrokenError(f"a value of another place stands at {place}")
    return unseal(cipher)


def seal_bytes(place: str, data: bytes) -> bytes:
    """A file's content or a part of it, as one line of text without its end."""
    ring = keys.ring()
    head = f"{ring.newest}:{place}:".encode()
    nonce = os.urandom(_NONCE)
    return head + base64.b64encode(nonce + _cipher(ring.secret(ring.newest)).encrypt(nonce, data, head))


def unseal_bytes(place: str, line: bytes) -> bytes:
    """The content that `seal_bytes` sealed for a place; JSON of an earlier program, which sealed nothing, as it is."""
    if line[:1] in (b"{", b"["):
        return line
    text = line.rstrip(b"\n").decode("ascii")
    if text.split(":", 2)[1:2] != [place]:
        raise SealBrokenError(f"a content of another place stands at {place}")
    return _opened(text)


def seal_block(place: str, data: bytes) -> bytes:
    """A part of a file as bytes that may hold anything: whoever writes it says how long it is."""
    ring = keys.ring()
    head = f"{ring.newest}:{place}:".encode()
    nonce = os.urandom(_NONCE)
    return b"".join((head, nonce, _cipher(ring.secret(ring.newest)).encrypt(nonce, data, head)))


def unseal_block(place: str, block: bytes) -> bytes:
    """The content that `seal_block` sealed for a place."""
    key_id, _, rest = block.partition(b":")
    found, _, raw = rest.partition(b":")
    if found != place.encode():
        raise SealBrokenError(f"a content of another place stands at {place}")
    return _decrypted(key_id.decode("ascii", "replace"), place, raw)


def newest_key() -> str:
    """Id of the key that seals now."""
    return keys.ring().newest


def key_id_of(cipher: str) -> str:
    """Id of the key that a cipher text was sealed with."""
    return cipher.split(":", 1)[0]


def digester(domain: str) -> Callable[[Any], str]:
    """The keyed hash of values of a domain: equal values have equal hashes, which say nothing without the key."""
    start = _hasher(keys.ring().search).copy()
    start.update(domain.encode() + b"\0")

    def made(value: Any) -> str:
        mine = start.copy()
        mine.update(value.encode() if type(value) is str else orjson.dumps(value))
        return mine.finalize()[:_DIGEST].hex()

    return made


def digest_of(domain: str, value: Any) -> str:
    """The keyed hash of one value."""
    return digester(domain)(value)


def digest_number(digest: str) -> int:
    """The first 64 bits of a hash, as a signed number (less 2⁶³) for an index column."""
    return int(digest[:16], 16) - _HALF


def digest_numbers(digests: Sequence[str]) -> list[int]:
    """`digest_number` of many."""
    first = bytes.fromhex("".join([digest[:16] for digest in digests]))
    return [number - _HALF for number in struct.unpack(f">{len(digests)}Q", first)]


def _opened(cipher: str) -> bytes:
    key_id, _, rest = cipher.partition(":")
    place, _, body = rest.partition(":")
    try:
        raw = binascii.a2b_base64(body)
    except (binascii.Error, ValueError) as error:
        raise _broken(key_id, place) from error
    return _decrypted(key_id, place, raw)


def _decrypted(key_id: str, place: str, raw: bytes) -> bytes:
    try:
        return _cipher(keys.ring().secret(key_id)).decrypt(raw[:_NONCE], raw[_NONCE:], f"{key_id}:{place}:".encode())
    except (InvalidTag, ValueError) as error:
        raise _broken(key_id, place) from error


def _broken(key_id: str, place: str) -> SealBrokenError:
    told = f"a value at {place} does not open with key {key_id}: it was changed, or the key is another one"
    return SealBrokenError(told)


@lru_cache(maxsize=16)
def _cipher(secret: bytes) -> AESGCM:
    return AESGCM(secret)


@lru_cache(maxsize=4)
def _hasher(secret: bytes) -> HMAC:
    """With the key taken in already: copying it costs a third of a new one."""
    return HMAC(secret, SHA256())


set_opener(unseal)

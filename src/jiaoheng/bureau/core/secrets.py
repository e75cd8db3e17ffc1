"""Sealing and opening protected values: AES-256-GCM, bound to the place they belong to; keyed hashes for finding them.

A cipher text is `key id:place:base64(nonce, encrypted value, tag)`. Key id and place (register/field) are authenticated
with it, so that a value that was moved to another field does not open. A value is sealed as JSON, so that numbers and
lists come back as what they were.

Hash: HMAC-SHA256 (RFC 2104) over domain and value with the search key, cut to 128 bits.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from jiaoheng.bureau.core import keys
from jiaoheng.registers.sealed import set_opener

_NONCE = 12
_DIGEST = 32  # hexadecimal figures of a hash: 128 bits
_HALF = 1 << 63  # index columns are signed
_BLOCK = 64  # bytes of a SHA-256 block


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
    nonces = os.urandom(_NONCE * len(values))
    made, dumps, text = [], orjson.dumps, binascii.b2a_base64
    for start, value in zip(range(0, len(nonces), _NONCE), values, strict=True):
        nonce = nonces[start : start + _NONCE]
        made.append(head + text(nonce + encrypt(nonce, dumps(value), bound), newline=False).decode())
    return made


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


def key_id_of(cipher: str) -> str:
    """Id of the key that a cipher text was sealed with."""
    return cipher.split(":", 1)[0]


def digester(domain: str) -> Callable[[Any], str]:
    """The keyed hash of values of a domain: equal values have equal hashes, which say nothing without the key."""
    inner, outer = _pads(keys.ring().search)
    start = inner.copy()
    start.update(domain.encode() + b"\0")

    def made(value: Any) -> str:
        first, last = start.copy(), outer.copy()
        first.update(value.encode() if type(value) is str else orjson.dumps(value))
        last.update(first.digest())
        return last.hexdigest()[:_DIGEST]

    return made


def digest_of(domain: str, value: Any) -> str:
    """The keyed hash of one value."""
    return digester(domain)(value)


def digest_number(digest: str) -> int:
    """The first 64 bits of a hash, as a signed number (less 2⁶³) for an index column."""
    return int(digest[:16], 16) - _HALF


def _opened(cipher: str) -> bytes:
    key_id, _, rest = cipher.partition(":")
    place, _, body = rest.partition(":")
    try:
        raw = binascii.a2b_base64(body)
        return _cipher(keys.ring().secret(key_id)).decrypt(raw[:_NONCE], raw[_NONCE:], f"{key_id}:{place}:".encode())
    except (InvalidTag, binascii.Error, ValueError) as error:
        told = f"a value at {place} does not open with key {key_id}: it was changed, or the key is another one"
        raise SealBrokenError(told) from error


@lru_cache(maxsize=16)
def _cipher(secret: bytes) -> AESGCM:
    return AESGCM(secret)


@lru_cache(maxsize=4)
def _pads(secret: bytes) -> tuple[Any, Any]:
    """The two halves of HMAC with their first block taken in already: copying them is half the price of a new one."""
    block = secret.ljust(_BLOCK, b"\0")
    return (
        hashlib.sha256(bytes(one ^ 0x36 for one in block)),
        hashlib.sha256(bytes(one ^ 0x5C for one in block)),
    )


set_opener(unseal)

"""The sealed file: nothing can be cut, changed, moved or opened with another key."""

from __future__ import annotations

import io
import os

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from jiaoheng.bureau.operations.sealed import (
    CHUNK,
    NotSealedError,
    SealBrokenError,
    SealedReader,
    SealedWriter,
    read_head,
)

KEY = bytes(range(32))


def sealed(data: bytes) -> bytes:
    out = io.BytesIO()
    writer = SealedWriter(out, KEY, {"key": "abc"})
    for start in range(0, len(data), 300_000):
        writer.write(data[start : start + 300_000])
    writer.finish()
    return out.getvalue()


def opened(raw: bytes, key: bytes = KEY) -> bytes:
    return io.BufferedReader(SealedReader(io.BytesIO(raw), key)).read()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 17])
def test_what_goes_in_comes_out(size: int) -> None:
    data = os.urandom(size)
    raw = sealed(data)
    assert opened(raw) == data
    assert read_head(io.BytesIO(raw))["key"] == "abc"
    assert size < 64 or data[:64] not in raw


@pytest.mark.parametrize("size", [CHUNK, 2 * CHUNK, 2 * CHUNK + 100])
def test_a_cut_anywhere_is_seen(size: int) -> None:
    raw = sealed(os.urandom(size))
    head = len(raw) - size - 20 * (-(-size // CHUNK))
    after_first = head + CHUNK + 20
    for end in (
        0,
        5,
        12,
        head - 1,
        head,
        head + 1,
        head + 4,
        after_first,
        after_first + 1,
        len(raw) * 9 // 10,
        len(raw) - 1,
    ):
        if end < len(raw):
            with pytest.raises((SealBrokenError, NotSealedError)):
                opened(raw[:end])


@hypothesis_settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 255))
def test_a_changed_byte_is_seen(place: int, flip: int) -> None:
    raw = bytearray(sealed(b"x" * 5000))
    raw[place % len(raw)] ^= flip
    with pytest.raises((SealBrokenError, NotSealedError)):
        opened(bytes(raw))


def test_chunks_in_another_order_twice_or_with_something_after_them_are_seen() -> None:
    raw = sealed(os.urandom(3 * CHUNK))
    body = 3 * (CHUNK + 20)
    head, parts = raw[:-body], [raw[-body:][i * (CHUNK + 20) : (i + 1) * (CHUNK + 20)] for i in range(3)]
    assert opened(head + b"".join(parts))
    for order in ([1, 0, 2], [0, 0, 1, 2], [0, 2], [2], [0, 1, 2, 2]):
        with pytest.raises(SealBrokenError):
            opened(head + b"".join(parts[i] for i in order))
    with pytest.raises(SealBrokenError):
        opened(raw + b"\0")


def test_another_key_opens_nothing_and_another_file_is_told_apart() -> None:
    with pytest.raises(SealBrokenError):
        opened(sealed(b"data"), bytes(32))
    with pytest.raises(NotSealedError):
        opened(b"PK\x03\x04 something else altogether")

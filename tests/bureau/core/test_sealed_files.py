"""Files that lie encrypted."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest

from jiaoheng.bureau.core import sealed_files
from jiaoheng.bureau.core.secrets import SealBrokenError

NUMBER = b"990000201204070001"
PIECE = 1 << 20


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_a_file_comes_back_as_it_was(tmp_path: Path, size: int) -> None:
    """Of any length, as a stream and as a path; the number is not in what lies there."""
    data = (NUMBER * (size // len(NUMBER) + 1))[:size]
    path = tmp_path / "a.csv"
    sealed_files.seal_file(io.BytesIO(data), path)
    assert NUMBER not in path.read_bytes()
    assert sealed_files.plain_size(path) == size
    with sealed_files.open_plain(path) as found:
        assert found.read() == data
    with sealed_files.plain_file(path) as plain:
        assert plain.suffix == ".csv"
        assert plain.read_bytes() == data
    assert not plain.exists()
    assert [one.name for one in tmp_path.iterdir()] == ["a.csv"]


def test_a_file_in_the_clear_is_read_as_it_is(tmp_path: Path) -> None:
    """What was stored before; sealing it twice is sealing it once."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(NUMBER)
    assert sealed_files.key_id_of(path) is None
    with sealed_files.plain_file(path) as plain:
        assert plain == path
    sealed_files.seal_in_place(path)
    once = path.read_bytes()
    sealed_files.seal_in_place(path)
    assert path.read_bytes() == once
    with sealed_files.open_plain(path) as found:
        assert found.read() == NUMBER


def test_changed_cut_and_exchanged_pieces_are_noticed(tmp_path: Path) -> None:
    """No piece of it is given out as if it were whole."""
    path = tmp_path / "a.csv"
    sealed_files.seal_file(io.BytesIO(bytes(2 * PIECE + 5)), path)
    whole = path.read_bytes()
    start = len(whole) - 2 * (PIECE + 16) - (5 + 16)
    first, second = whole[start : start + PIECE + 16], whole[start + PIECE + 16 : start + 2 * (PIECE + 16)]
    with sealed_files.open_plain(path) as found:
        found.seek(PIECE + 3)
        assert found.read(4) == bytes(4)
    for changed in (
        whole[:-1],
        whole[: start + PIECE + 16],
        whole[:start] + second + first + whole[-21:],
        whole[:-1] + bytes([whole[-1] ^ 1]),
        whole.replace(str(2 * PIECE + 5).encode(), str(PIECE).encode(), 1),
    ):
        path.write_bytes(changed)
        with pytest.raises(SealBrokenError), sealed_files.open_plain(path) as found:
            found.read()


@pytest.mark.parametrize("changed", [slice(0, -1), slice(0, PIECE)])
def test_a_cut_file_is_not_begun(tmp_path: Path, changed: slice) -> None:
    """Before the first byte of it is sent."""
    path = tmp_path / "a.pdf"
    sealed_files.seal_file(io.BytesIO(bytes(2 * PIECE)), path)
    path.write_bytes(path.read_bytes()[changed])
    with pytest.raises(SealBrokenError):
        sealed_files.open_plain(path)


def test_a_stream_goes_to_any_place_and_leaves_no_plain_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plain content is nowhere but in memory, one piece at a time."""
    data = bytes(range(256)) * (12 * PIECE // 256) + b"end"
    path = tmp_path / "a.pdf"
    sealed_files.seal_file(io.BytesIO(data), path)
    monkeypatch.setattr(sealed_files.tempfile, "TemporaryDirectory", None)
    with sealed_files.open_plain(path) as found:
        for place in (0, 5, PIECE - 2, PIECE, 7 * PIECE + 11, len(data) - 3, len(data), len(data) + 9):
            found.seek(place)
            assert found.read(7) == data[place : place + 7]
        assert found.seek(0, io.SEEK_END) == len(data)
        found.seek(0)
        assert found.read() == data
    assert sealed_files.plain_digest(path) == hashlib.sha256(data).hexdigest()

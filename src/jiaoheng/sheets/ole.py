"""The outer box of .xls, .doc and encrypted workbooks (compound file): stream names, and one stream's bytes."""

from __future__ import annotations

import struct

from jiaoheng.sheets.raw_sheets import damaged

_END = 0xFFFFFFFA  # this and above are marks, not sector numbers
_ENTRY = 128
_STREAM, _ROOT = 2, 5
_CUTOFF = 4096


class CompoundFile:
    """A compound file in memory; raises RefusalError where its chains run in circles or out of the file."""

    def __init__(self, data: bytes) -> None:
        if len(data) < 512:
            raise damaged("文件头不完整（文件可能没有传完）")
        self._data = data
        shift, mini_shift = struct.unpack_from("<HH", data, 30)
        if shift not in (9, 12) or mini_shift != 6:
            raise damaged("文件头不合规则")
        self._sector = 1 << shift
        self._mini = 1 << mini_shift
        self._count = len(data) // self._sector + 1
        directory, _, _, mini_fat, _, more, _ = struct.unpack_from("<7I", data, 48)
        self._fat = self._read_fat(more)
        entries = self._chain(directory)
        self.streams: dict[str, tuple[int, int]] = {}
        self.names: frozenset[str] = frozenset()
        names = []
        root = (_END, 0)
        for at in range(0, len(entries) - _ENTRY + 1, _ENTRY):
            length = struct.unpack_from("<H", entries, at + 64)[0]
            kind = entries[at + 66]
            name = entries[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
            start, size = struct.unpack_from("<II", entries, at + 116)
            if kind == _ROOT:
                root = (start, size)
            elif kind:
                names.append(name.lstrip("\x06"))
                if kind == _STREAM:
                    self.streams.setdefault(name, (start, size))
        self.names = frozenset(names)
        self._mini_fat = _numbers(self._chain(mini_fat)) if mini_fat < _END else []
        self._mini_data = self._chain(root[0]) if root[0] < _END else b""

    def read(self, name: str) -> bytes:
        """The bytes of a stream, empty where there is none of this name."""
        if name not in self.streams:
            return b""
        start, size = self.streams[name]
        if size >= _CUTOFF:
            return self._chain(start)[:size]
        pieces = []
        taken = 0
        while start < _END and taken < size:
            if start >= len(self._mini_fat):
                raise damaged("内部数据链断开（文件可能没有传完）")
            pieces.append(self._mini_data[start * self._mini : (start + 1) * self._mini])
            taken += self._mini
            start = self._mini_fat[start]
        return b"".join(pieces)[:size]

    def _read_fat(self, more: int) -> list[int]:
        places = [place for place in struct.unpack_from("<109I", self._data, 76) if place < _END]
        seen = 0
        while more < _END:
            seen += 1
            block = _numbers(self._at(more))
            if seen > self._count or not block:
                raise damaged("内部目录成环")
            places += [place for place in block[:-1] if place < _END]
            more = block[-1]
        if len(places) > self._count:
            raise damaged("内部目录不合规则")
        fat: list[int] = []
        for place in places:
            fat += _numbers(self._at(place))
        return fat

    def _at(self, sector: int) -> bytes:
        start = (sector + 1) * self._sector
        return self._data[start : start + self._sector]

    def _chain(self, sector: int) -> bytes:
        pieces: list[bytes] = []
        while sector < _END:
            if sector >= len(self._fat) or len(pieces) > self._count:
                raise damaged("内部数据链断开或成环（文件可能没有传完）")
            pieces.append(self._at(sector))
            sector = self._fat[sector]
        return b"".join(pieces)


def _numbers(block: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(block) // 4}I", block[: len(block) // 4 * 4]))

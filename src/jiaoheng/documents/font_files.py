"""Which characters a font file holds: the character maps of TrueType and OpenType files."""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_SUFFIXES = frozenset({".ttf", ".ttc", ".otf", ".otc"})
Ranges = tuple[tuple[int, int], ...]


def font_directories() -> list[Path]:
    """Folders in which Linux, Windows and macOS keep fonts, as far as they exist here."""
    home = Path.home()
    if sys.platform == "win32":
        windows = Path(os.environ.get("WINDIR", r"C:\Windows"))
        local = Path(os.environ.get("LOCALAPPDATA", str(home)))
        places = [windows / "Fonts", local / "Microsoft" / "Windows" / "Fonts"]
    elif sys.platform == "darwin":
        places = [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library" / "Fonts"]
    else:
        places = [
            Path("/usr/share/fonts"),
            Path("/usr/local/share/fonts"),
            home / ".fonts",
            home / ".local/share/fonts",
        ]
    return [place for place in places if place.is_dir()]


def font_files() -> Iterator[Path]:
    """Every font file of this machine, in a stable order."""
    for folder in font_directories():
        yield from (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in _SUFFIXES)


@cache
def covered_ranges(path: Path) -> Ranges:
    """Ranges of code points (first, last) that a font file maps; empty where the file is no font or is damaged."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
            offset = struct.unpack(">I", head[12:16])[0] if head[:4] == b"ttcf" else 0
            file.seek(offset)
            count = struct.unpack(">4xH6x", file.read(12))[0]
            for _ in range(count):
                tag, start, length = struct.unpack(">4s4xII", file.read(16))
                if tag == b"cmap":
                    file.seek(start)
                    return _cmap_ranges(file.read(length))
    except (OSError, struct.error, IndexError):
        return ()
    return ()


def holds(path: Path, character: str) -> bool:
    """Whether a font file maps this character."""
    code = ord(character)
    return any(first <= code <= last for first, last in covered_ranges(path))


def _cmap_ranges(table: bytes) -> Ranges:
    """Ranges of the best Unicode subtable: format 12 (all planes) before format 4 (basic plane)."""
    best: Ranges = ()
    for index in range(struct.unpack_from(">H", table, 2)[0]):
        platform, _, offset = struct.unpack_from(">HHI", table, 4 + 8 * index)
        kind = struct.unpack_from(">H", table, offset)[0]
        if platform in (0, 3) and kind == 12:
            return _groups(table, offset)
        if platform in (0, 3) and kind == 4 and not best:
            best = _segments(table, offset)
    return best


def _groups(table: bytes, offset: int) -> Ranges:
    count = struct.unpack_from(">I", table, offset + 12)[0]
    return tuple(struct.unpack_from(">II", table, offset + 16 + 12 * i) for i in range(count))


def _segments(table: bytes, offset: int) -> Ranges:
    count = struct.unpack_from(">H", table, offset + 6)[0] // 2
    ends = struct.unpack_from(f">{count}H", table, offset + 14)
    starts = struct.unpack_from(f">{count}H", table, offset + 16 + 2 * count)
    return tuple((first, last) for first, last in zip(starts, ends, strict=True) if first != 0xFFFF)

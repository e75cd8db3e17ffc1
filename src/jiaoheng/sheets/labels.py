"""Which files a user's arguments mean, in which order, and what each is called."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_NUMERALS = "零一二三四五六七八九"
_PIECES = re.compile(r"(\d+|[一二三四五六七八九十]{1,3})")
_LOCKS = ("~$", ".~")  # what Excel and WPS leave beside an open workbook
_RUBBISH = frozenset({"thumbs.db", "desktop.ini", ".ds_store"})
_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to read; `skipped` says why it is left out, `inside` whether it came from a folder."""

    path: Path
    skipped: str = ""
    inside: bool = False


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sort key by which 2班 comes before 10班, and 高二 before 高三."""
    key: list[tuple[int, int, str]] = []
    for piece in _PIECES.split(name):
        number = int(piece) if piece.isdecimal() else _chinese_number(piece)
        if piece:
            key.append((1, 0, piece.casefold()) if number is None else (0, number, ""))
    return key


def _chinese_number(text: str) -> int | None:
    """1–99 in Chinese numerals, None for anything else."""
    if not text or not set(text) <= set(_NUMERALS[1:] + "十"):
        return None
    tens, ten, ones = text.rpartition("十")
    if not ten:
        return _NUMERALS.index(text) if len(text) == 1 else None
    if len(tens) > 1 or len(ones) > 1 or tens == "十":
        return None
    return (_NUMERALS.index(tens) if tens else 1) * 10 + (_NUMERALS.index(ones) if ones else 0)


def expand(paths: Sequence[Path]) -> list[Wanted]:
    """Files in the order given, folders opened in natural order; a file given twice is marked as skipped."""
    wanted: list[Wanted] = []
    for path in paths:
        if path.is_dir():
            wanted += _inside(path)
        else:
            wanted.append(Wanted(path, _why_skipped(path.name, ())))
    seen: set[str] = set()
    found = []
    for one in wanted:
        true_path = os.path.realpath(one.path)
        if not one.skipped and true_path in seen:
            one = Wanted(one.path, "同一个文件给了两次，只读一次", one.inside)
        seen.add(true_path)
        found.append(one)
    return found


def _inside(folder: Path, depth: int = 0, above: tuple[str, ...] = ()) -> list[Wanted]:
    try:
        entries = sorted(folder.iterdir(), key=lambda path: natural_key(path.name))
    except OSError:
        return [Wanted(folder, "", inside=True)]  # reading it reports the reason
    found = []
    for path in entries:
        if path.is_dir():
            if not path.is_symlink() and depth < _DEEPEST:
                found += _inside(path, depth + 1, (*above, path.name))
            else:
                found.append(Wanted(path, "这是指向别处的文件夹或层次过深，未展开", inside=True))
        else:
            found.append(Wanted(path, _why_skipped(path.name, above), inside=True))
    return found


def _why_skipped(name: str, above: tuple[str, ...]) -> str:
    if name.startswith(_LOCKS):
        return "这是表格软件打开文件时留下的临时文件，已略过"
    if "__MACOSX" in above:
        return "这是苹果系统压缩时附带的文件，已略过"
    if name.startswith(".") or any(folder.startswith(".") for folder in above) or name.lower() in _RUBBISH:
        return "这是隐藏文件，已略过"
    return ""


def labels(paths: Sequence[Path]) -> list[str]:
    """What each file is called: its name, with as many folders before it as make it unlike the others."""
    parts = [path.parts for path in paths]
    depth = [1] * len(paths)
    while True:
        names = ["/".join(one[-count:]) for one, count in zip(parts, depth, strict=True)]
        double = Counter(names)
        longer = [at for at, name in enumerate(names) if double[name] > 1 and depth[at] < len(parts[at])]
        if not longer:
            return names
        for at in longer:
            depth[at] += 1

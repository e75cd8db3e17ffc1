"""A text bomb without a far cell: one long shared string that very many cells refer to.

It is small on the disk and small unpacked; a reader that copies the text into every cell needs gigabytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from jiaoheng.sheets.guard import Archive, check_prologue
from jiaoheng.sheets.raw_sheets import RefusalError
from jiaoheng.sheets.xml_parts import Attributes, walk

_LONG = 1_000  # characters; shorter texts cannot add up to a bomb within the number of cells allowed
_LONG_TEXT = re.compile(rb"<(?:\w+:)?t\b[^>]*>[^<]{%d}" % _LONG)
_REFERENCE = re.compile(rb't="s"[^>]*>\s*<(?:\w+:)?v>(\d{1,9})</')
_SHARE = 4  # a quarter of the memory allowed may be text, at three bytes a character


def check_strings(archive: Archive, strings: str, sheets: Iterable[str], memory_bytes: int) -> None:
    """Refuse a workbook whose cells repeat its long shared strings beyond the memory allowed.

    `strings` and `sheets` are part names. Costs one pass over the strings where none is long, as in every usual file.
    """
    if not archive.has(strings):
        return
    suspect = False
    for number, piece in enumerate(archive.stream(strings)):
        if number == 0:
            check_prologue(piece)
        suspect = suspect or _LONG_TEXT.search(piece) is not None
    if not suspect:
        return
    long = _long_strings(archive, strings)
    most = memory_bytes // _SHARE
    total = 0
    for sheet in sheets:
        rest = b""
        for piece in archive.stream(sheet):
            body = rest + piece
            cut = body.rfind(b">") + 1
            for index in _REFERENCE.findall(body):
                total += long.get(int(index), 0)
            rest = body[cut:][-4096:]
            if total > most:
                told = f"单元格反复引用很长的文字，展开后超过 {most // 1_000_000} MB，是文字炸弹"
                raise RefusalError("archive-bomb", told, "请向报送人核实，请其用 Excel 或 WPS 另存后再交")


def _long_strings(archive: Archive, strings: str) -> dict[int, int]:
    """Index of each long shared string → its bytes."""
    found: dict[int, int] = {}
    index = -1
    size = 0

    def start(tag: str, _: Attributes) -> None:
        nonlocal index, size
        if tag == "si":
            index += 1
            size = 0

    def end(tag: str) -> None:
        if tag == "si" and size >= _LONG:
            found[index] = size

    def text(text: str) -> None:
        nonlocal size
        size += len(text.encode("utf-8", "replace"))

    walk(archive.stream(strings), start=start, end=end, text=text)
    return found

"""Bytes of a text file → text: byte-order marks, UTF-8, UTF-16 with or without a mark, GB18030."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field

from jiaoheng.sheets.raw_sheets import Finding

_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: it begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# GB18030-2022 gave eight rare characters (some in names) their own place; Python's codec is of the year 2000.
_PRIVATE = (0xE81E, 0xE826, 0xE82B, 0xE82C, 0xE832, 0xE843, 0xE854, 0xE864)
_GB18030_2022 = dict(zip(_PRIVATE, range(0x9FB4, 0x9FBC), strict=True))
_TEXT_CONTROLS = b"\t\n\x0b\x0c\r\x1a\x1b"
_CONTROLS = bytes(set(range(32)) - set(_TEXT_CONTROLS)) + b"\x7f"
_SAMPLE = 65_536
_BINARY_SHARE = 50  # one control byte in fifty: no text has so many


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded file: text without byte-order mark, the encoding it was in, what had to be mended."""

    text: str
    encoding: str
    findings: list[Finding] = field(default_factory=list)


def decode(data: bytes) -> Decoded | None:
    """The text of a file, or None where it is no text at all.

    The encoding is a byte-order mark's; else UTF-16 where zero bytes stand at every second place; else UTF-8 where
    that is valid; else GB18030. Bytes that fit neither are replaced and reported with their row.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _lenient(data[len(mark) :], encoding)
    bare = data.rstrip(b"\x00\x1a")  # old programs fill the last block
    head = data[:_SAMPLE]
    if b"\x00" in bare[:_SAMPLE]:
        wide = _utf16(data, head)
        return None if wide is None else _lenient(data, wide)
    data, head = bare, bare[:_SAMPLE]
    if len(head.translate(None, _CONTROLS)) < len(head) - len(head) // _BINARY_SHARE:
        return None
    try:
        return Decoded(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        pass
    try:
        return Decoded(data.decode("gb18030").translate(_GB18030_2022), "gb18030")
    except UnicodeDecodeError:
        pass
    as_utf8 = _lenient(data, "utf-8")
    valid = sum(1 for one in as_utf8.text if one > "\x7f" and one != "\ufffd")
    # Chinese in GB18030 read as UTF-8 is almost all errors; UTF-8 with a bad byte has few
    better = as_utf8 if valid > as_utf8.text.count("\ufffd") else _lenient(data, "gb18030")
    if better.text.count("\ufffd") * 4 > len(better.text):
        return None
    return better


def _utf16(data: bytes, head: bytes) -> str | None:
    """utf-16-le or utf-16-be for a text without a mark: the order in which more of its marks make sense."""
    scores = {}
    for encoding in ("utf-16-le", "utf-16-be"):
        text = head[: len(head) // 2 * 2].decode(encoding, "replace")
        likely = sum(map(text.count, "\n\r\t,;0123456789"))
        unlikely = text.count("\x00") + text.count("\ufffd")
        scores[encoding] = likely - 10 * unlikely
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] > 0 and scores["utf-16-le"] != scores["utf-16-be"] else None


def _lenient(data: bytes, encoding: str) -> Decoded:
    """Decode, replacing what does not fit and reporting where."""
    width = {"utf-16": 2, "utf-32": 4}.get(encoding[:6], 1)
    cut = len(data) // width * width
    try:
        text = data[:cut].decode(encoding)
        bad = -1 if cut == len(data) else len(text)
    except UnicodeDecodeError:
        text = data[:cut].decode(encoding, "replace")
        bad = text.find("\ufffd")
    text = text.lstrip("\ufeff").rstrip("\x00\x1a")
    if encoding == "gb18030":
        text = text.translate(_GB18030_2022)
    if bad < 0:
        return Decoded(text, encoding)
    row = text.count("\n", 0, bad) + 1
    told = f"有按 {encoding.upper()} 编码读不出的字符，已用“\ufffd”代替，这是第一处"
    remedy = "请核对这一行；或用 Excel 重新导出为 xlsx 后再交"
    return Decoded(text, encoding, [Finding("text-undecodable", "warning", told, remedy, row=row)])

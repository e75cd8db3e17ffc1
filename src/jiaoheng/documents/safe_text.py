"""Text of strangers made harmless for Word, Excel, CSV, HTML and file names.

Nothing here changes what a person reads: only what a program could misread is taken out or marked.
"""

from __future__ import annotations

import re
import unicodedata

# XML 1.0 allows tab, newline and return below U+0020; C1 controls, surrogates and the two non-characters are refused or
# shown as junk by Word.
_INVALID = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Marks that turn or hide text: bidirectional controls, zero-width spaces, soft hyphen, tag characters.
_HIDDEN = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]")
# Joiners mean something only inside scripts that join letters (Arabic for Uyghur names, Mongolian, Tibetan and Indic).
_LOOSE_JOINER = re.compile("(?<![\u0600-\u08ff\u0900-\u0fff\u1800-\u18af])[\u200c\u200d]")
_LINES = re.compile("\r\n?|[\x85\u2028\u2029]")

# Spreadsheets run a text that begins like this. Quotes before it are counted, so that reading back is exact.
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")

_BAD_IN_NAMES = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)")
_NAME_BYTES = 200  # of 255 that ext4 and NTFS allow: room for a folder's prefix, a counter and a temporary suffix


def clean(text: str) -> str:
    """Text that XML can hold and that shows in the order in which it is written.

    Control characters, hidden marks and lone surrogates go; line ends become `\\n`.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _LINES.sub("\n", text)
    text = _INVALID.sub("", text)
    text = _SURROGATE.sub("\ufffd", text)
    return _LOOSE_JOINER.sub("", _HIDDEN.sub("", text))


def without_hidden(text: str) -> str:
    """A whole page without marks that turn or hide text; its lines stay as they are."""
    return _LOOSE_JOINER.sub("", _HIDDEN.sub("", text))


def one_line(text: str) -> str:
    """Cleaned text with line ends and tabs as single spaces (for cells, heads and titles)."""
    # printable text holds no control, format or separator character but the plain space: most cells end here
    if text.isprintable() and "  " not in text:
        return text.strip()
    return re.sub(r"[\n\t ]+", " ", clean(text)).strip()


def neutralise(text: str) -> str:
    """A text cell for CSV: one leading apostrophe where a spreadsheet would run it. Undone by `unneutralise`."""
    return "'" + text if _FORMULA.match(text) else text


def unneutralise(text: str) -> str:
    """A text cell read back from our CSV: exactly one apostrophe goes where `neutralise` put it."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def file_name(text: str, extension: str = "", fallback: str = "未命名") -> str:
    """A file name that Windows, macOS and Linux take: no path, no reserved word, no trailing dot, at most 200 bytes.

    `extension` is added with its dot (".docx") and never cut.
    """
    name = unicodedata.normalize("NFC", one_line(text))
    name = _BAD_IN_NAMES.sub("_", name).strip(" .")
    name = _cut(name, _NAME_BYTES - len(extension.encode())).rstrip(" .")
    if not name.strip("_"):
        name = fallback
    if _RESERVED.match(name + extension):
        name = "_" + name
    return name + extension


def unique_name(name: str, taken: set[str]) -> str:
    """`name`, or `name(2).ext` and so on where `taken` has it (letter case ignored); the answer is added to `taken`."""
    stem, dot, extension = name.rpartition(".")
    if not dot:
        stem, extension = name, ""
    candidate, count = name, 1
    while candidate.casefold() in taken:
        count += 1
        candidate = f"{stem}({count}){dot}{extension}"
    taken.add(candidate.casefold())
    return candidate


def _cut(text: str, size: int) -> str:
    """The longest beginning of `text` of at most `size` bytes in UTF-8."""
    return text.encode()[:size].decode(errors="ignore")

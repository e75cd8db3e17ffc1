"""Fonts: what draws the text of charts, and which font family Word is told for a character.

Charts use our own fallback font, so that they look the same everywhere; what it lacks comes from the machine's fonts.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from itertools import groupby
from pathlib import Path

from jiaoheng.documents.font_files import font_files, holds

CHART_FAMILY = "Jiaoheng Sans"
CHART_FONT_DIRECTORY = Path(__file__).with_name("fonts")
_CHART_FONT = CHART_FONT_DIRECTORY / "JiaohengSans-Regular.ttf"

# The fonts of official documents hold only the 6,763 characters of GB 2312. Their siblings on every Chinese Windows
# hold U+4E00–9FA5 (ALTERNATES); 宋体 adds Extension A, SimSun-ExtB the further planes.
_RARE_FAMILY = "宋体"
_SUPPLEMENTARY_FAMILY = "SimSun-ExtB"
# Families that stand in where the first is not installed (written to the font table of the Word file).
ALTERNATES = {"方正小标宋简体": "宋体", "仿宋_GB2312": "仿宋", "楷体_GB2312": "楷体"}


def east_asian_runs(text: str, family: str) -> list[tuple[str, str]]:
    """Split `text` into (piece, East Asian font family): characters that `family` lacks get a sibling that has them."""
    kinds = ((_family_of(character, family), character) for character in text)
    return [
        ("".join(character for _, character in run), name) for name, run in groupby(kinds, key=lambda kind: kind[0])
    ]


def is_east_asian(character: str) -> bool:
    """Whether Word draws the character with the East Asian font."""
    return unicodedata.east_asian_width(character) in "WFA" and not character.isascii()


@cache
def uncovered(characters: frozenset[str]) -> frozenset[str]:
    """The characters that neither our font nor any font of this machine can draw (they would be empty boxes)."""
    left = {character for character in characters if not holds(_CHART_FONT, character) and character.isprintable()}
    for path in font_files() if left else ():
        left = {character for character in left if not holds(path, character)}
        if not left:
            break
    return frozenset(left)


def missing_glyph_message(characters: frozenset[str]) -> str:
    """What to tell the user where charts would show empty boxes; empty where nothing is missing."""
    if not characters:
        return ""
    shown = "、".join(sorted(characters)[:20])
    return (
        f"本机没有字体能画出这些字：{shown}。图中它们会显示为空框，Word 和网页中不受影响。"
        "请安装一种字数多的中文字体，例如 Debian、Ubuntu 的 fonts-noto-cjk 与 fonts-hanazono，再重新生成。"
    )


def _family_of(character: str, family: str) -> str:
    if not is_east_asian(character) or _in_gb2312(character):
        return family
    code = ord(character)
    if code > 0xFFFF:
        return _SUPPLEMENTARY_FAMILY
    if 0x4E00 <= code <= 0x9FA5:
        return ALTERNATES.get(family, family)
    return _RARE_FAMILY if 0x3400 <= code <= 0x9FFF else family


@cache
def _in_gb2312(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True

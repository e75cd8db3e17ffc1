"""Grams of a text for a search that finds two characters, alike on every database.

A text is folded to its Chinese characters and its runs of Latin letters and digits; punctuation and spaces go, a space
stays only between two runs. Grams of a name:

- every Chinese character and every pair of neighbours: 张, 张伟
- of every run its beginnings of 1, 2, 4, 8 and 16 characters: 2199000001 → 2, 21, 2199, 21990000, 2199000001
- of its pinyin initials every pair, and the first alone, behind ";": 张伟 → ;z, ;zw
- the name itself behind "=": =张伟

A word that is searched needs all its grams (`grams_of_word`), and then the text itself must hold it (`holds`): Chinese
anywhere, a run of letters and digits from its beginning.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from jiaoheng.methods.sort_keys import initials

LONGEST = 16
_STEPS = (1, 2, 4, 8, LONGEST)
_CHINESE = r"㐀-鿿\U00020000-\U0003FFFF"
_PARTS = re.compile(rf"[{_CHINESE}]|[^\W_{_CHINESE}]+")
_IS_CHINESE = re.compile(rf"[{_CHINESE}]")
_RUNS = re.compile(rf"[^\W_{_CHINESE}]+")
_STRETCHES = re.compile(rf"[{_CHINESE}]+")


def fold(text: str) -> str:
    """The searchable form of a text: 一（１）班 → 一1班, "Li  Ming" → "li ming"."""
    if text.isascii() and text.isalnum():  # most codes and names are one of these two, and there are many of them
        return text.lower()
    if _STRETCHES.fullmatch(text):
        return text
    made: list[str] = []
    last_run = False
    for part in _PARTS.findall(unicodedata.normalize("NFKC", text).casefold()):
        run = _IS_CHINESE.match(part) is None
        if run and last_run:
            made.append(" ")
        made.append(part)
        last_run = run
    return "".join(made)


def words_of(query: str) -> list[str]:
    """The words of a query, each folded; every kind of space parts them, a word of signs alone is none."""
    found: list[str] = []
    for piece in unicodedata.normalize("NFKC", query).split():
        found += fold(piece).split(" ")
    return list(dict.fromkeys(word for word in found if word))


def grams_of_text(names: Sequence[str], codes: Sequence[str] = ()) -> set[str]:
    """Every gram under which a thing is found: by its names (with their initials) and by its codes."""
    made: set[str] = set()
    for name in names:
        folded = fold(name)
        made |= _grams(folded)
        made |= _initial_grams(initials_of(name))
        if folded:
            made.add(exact_gram(folded))
    for code in codes:
        made |= _grams(fold(code))
    return made


def exact_gram(folded: str) -> str:
    """The gram of a name as a whole."""
    return ("=" + folded)[:LONGEST]


def initials_of(name: str) -> str:
    """Pinyin initials of a folded name without spaces, "" where it holds no Chinese."""
    return initials(name) if _IS_CHINESE.search(name) else ""


def grams_of_word(word: str) -> tuple[set[str], set[str]]:
    """The grams that a text with this word must have, and those that initials with it must have (empty: not asked).

    Initials are asked for words of Latin letters and digits only.
    """
    own = {gram for stretch in _STRETCHES.findall(word) for gram in _pairs(stretch)}
    own |= {_beginnings(run)[-1] for run in _RUNS.findall(word)}
    if _IS_CHINESE.search(word):
        return own, set()
    return own, {f";{word}"} if len(word) == 1 else {f";{pair}" for pair in _pairs(word)}


def holds(folded: str, word: str) -> bool:
    """Whether a folded text has a word: anywhere, but a run of letters and digits only from its beginning."""
    start = folded.find(word)
    while start >= 0:
        if start == 0 or _inside_run(word[0]) is False or not _inside_run(folded[start - 1]):
            return True
        start = folded.find(word, start + 1)
    return False


def initials_hold(initials_text: str, word: str) -> bool:
    """Whether pinyin initials have a word: anywhere, a single letter at the beginning only."""
    return initials_text.startswith(word) if len(word) == 1 else word in initials_text


def _inside_run(character: str) -> bool:
    return _RUNS.match(character) is not None


def _grams(folded: str) -> set[str]:
    if folded.isascii() and folded.isalnum():
        return set(_beginnings(folded))
    made: set[str] = set()
    for stretch in _STRETCHES.findall(folded):
        made.update(stretch)
        made.update(_pairs(stretch))
    for run in _RUNS.findall(folded):
        made.update(_beginnings(run))
    return made


def _pairs(text: str) -> set[str]:
    return {text[at : at + 2] for at in range(len(text) - 1)} if len(text) > 1 else {text}


def _beginnings(run: str) -> list[str]:
    """The indexed beginnings of a run, shortest first."""
    return [run[:size] for size in _STEPS if size <= len(run)]


def _initial_grams(text: str) -> set[str]:
    if not text:
        return set()
    return {f";{text[0]}", *(f";{pair}" for pair in _pairs(text))}

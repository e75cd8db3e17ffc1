"""The Chinese words of the settings: names of fields, words for their values, canonical subjects and grades."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from jiaoheng.packs import load

_JOIN = re.compile(r"[\s*＊]+")


def clean(text: str) -> str:
    """A key or word as it is compared: half width, no blanks or asterisks, no closing colon."""
    return _JOIN.sub("", unicodedata.normalize("NFKC", text)).rstrip(":")


@cache
def field_words(model: str) -> Mapping[str, str]:
    """Every way to write a field of a settings model → its English name."""
    words: dict[str, str] = {}
    for name, entry in load("settings_words")["fields"][model].items():
        for word in (name, entry["zh"], *entry.get("also", ())):
            words.setdefault(clean(word), name)
    return words


def field_name(model: str, name: str) -> str:
    """The Chinese name of a field."""
    return str(load("settings_words")["fields"][model][name]["zh"])


def field_help(model: str, name: str) -> str:
    """One line of explanation for the person who fills the field."""
    return str(load("settings_words")["fields"][model][name].get("help", ""))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most alike, or None where none is."""
    found = difflib.get_close_matches(clean(word).lower(), list(known), n=1, cutoff=0.5)
    return found[0] if found else None


@cache
def value_words(name: str) -> Mapping[str, str]:
    """Every way to write a value of a field → the value stored. Empty where the field has no word list."""
    words: dict[str, str] = {}
    entries: Mapping[str, Any] = load("settings_words")["values"].get(name, {})
    for value, others in entries.items():
        for word in (value, *others):
            words.setdefault(clean(str(word)).lower(), str(value))
    return words


@cache
def yes_no() -> Mapping[str, bool]:
    """Words for yes and no."""
    values = load("settings_words")["values"]
    return {clean(str(word)).lower(): flag for key, flag in (("yes", True), ("no", False)) for word in values[key]}


@cache
def subject_words() -> Mapping[str, str]:
    """Every known way to write a subject → its canonical name."""
    words: dict[str, str] = {}
    for name, entry in load("subjects")["subjects"].items():
        for word in (name, *entry["aliases"]):
            words.setdefault(clean(word).lower(), name)
    return words


def canonical_subject(text: str) -> str:
    """The canonical name of a subject; an unknown subject keeps the words it was given."""
    return subject_words().get(clean(text).lower(), text.strip())


@cache
def grade_words() -> Mapping[str, str]:
    """Words for a grade that may stand in the settings → canonical grade."""
    words: dict[str, str] = {}
    for name, entry in load("grades")["grades"].items():
        for word in (name, *entry["words"]):
            words.setdefault(clean(word), name)
    return words

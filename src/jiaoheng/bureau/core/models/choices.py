"""Choices with a Chinese label, as a real enumeration (Django's own is untyped here)."""

from __future__ import annotations

from enum import StrEnum


class Labelled(StrEnum):
    """Members are (value, label): text that is stored, and text that people read."""

    label: str

    def __new__(cls, value: str, label: str = "") -> Labelled:
        """A member that equals its stored text."""
        made = str.__new__(cls, value)
        made._value_ = value
        made.label = label
        return made

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        """Pairs for a model field."""
        return [(member.value, member.label) for member in cls]

"""A protected value as it lies in the database: text that reads as its mask, with the encrypted value inside.

Whoever forgets that a value is protected shows its mask, never the value. This floor knows no keys: the bureau sets
`opener` at start (`bureau/core/secrets.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

CIPHER, MASK, DIGEST = "c", "m", "h"
_text = str.__str__


def _no_opener(cipher: str) -> Any:
    raise LookupError("no keys here: this program part cannot open protected values")


_opener: list[Callable[[str], Any]] = [_no_opener]


def set_opener(opener: Callable[[str], Any]) -> None:
    """Say how a cipher text becomes its value: once, by the floor that has the keys."""
    _opener[0] = opener


class Sealed(str):
    """The mask as text; `cipher` the encrypted value, `digest` its keyed hash ("" for values that are not searched).

    Two of them are equal where their values are; comparing with a plain value opens it. Nothing keeps the opened value.
    """

    __slots__ = ("cipher", "digest")
    cipher: str
    digest: str

    def __new__(cls, mask: str, cipher: str, digest: str = "") -> Sealed:
        """`mask`: what it is shown as."""
        made = str.__new__(cls, mask)
        made.cipher = cipher
        made.digest = digest
        return made

    @classmethod
    def of(cls, stored: Mapping[str, str]) -> Sealed:
        """From its stored form."""
        return cls(stored.get(MASK, ""), stored[CIPHER], stored.get(DIGEST, ""))

    @property
    def stored(self) -> dict[str, str]:
        """The form that is stored as JSON."""
        if self.digest:
            return {CIPHER: self.cipher, MASK: _text(self), DIGEST: self.digest}
        return {CIPHER: self.cipher, MASK: _text(self)}

    @property
    def place(self) -> str:
        """register/field that it was sealed for."""
        return self.cipher.split(":", 2)[1]

    @property
    def key_id(self) -> str:
        """Id of the key that it was sealed with."""
        return self.cipher.split(":", 1)[0]

    def open(self) -> Any:
        """The value. The keys' own errors where they are not there or it was changed."""
        return _opener[0](self.cipher)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Sealed):
            if self.cipher == other.cipher:
                return True
            if self.digest and other.digest and self.place == other.place:
                return self.digest == other.digest
            return bool(self.open() == other.open())
        return other is not None and bool(self.open() == other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        value = self.open()
        return hash(tuple(value) if isinstance(value, list) else value)

    def __str__(self) -> str:
        return str.__str__(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return Sealed, (str(self), self.cipher, self.digest)

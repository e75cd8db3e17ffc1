"""One line of the doctor: state, sentence, what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How a thing stands; its words are what the terminal shows."""

    GOOD = "good"
    LOOK = "look"
    BAD = "bad"

    @property
    def words(self) -> str:
        """正常, 注意, 故障."""
        return {"good": "正常", "look": "注意", "bad": "故障"}[self.value]


@dataclass(frozen=True, slots=True)
class Finding:
    """`remedy` is empty only where the state is good."""

    key: str
    title: str
    state: Health
    sentence: str
    remedy: str = ""
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """Something that the doctor looks at. `thorough`: also reads all files and the whole base."""

    key: str
    title: str
    look: Callable[[bool], list[Finding]]


CHECKS: dict[str, Check] = {}


def check(key: str, title: str) -> Callable[[Callable[[Doctor], None]], Callable[[Doctor], None]]:
    """Register a check: a function that tells its findings to a `Doctor`."""

    def put(function: Callable[[Doctor], None]) -> Callable[[Doctor], None]:
        def look(thorough: bool) -> list[Finding]:
            doctor = Doctor(key, title, thorough)
            function(doctor)
            return doctor.found

        CHECKS[key] = Check(key, title, look)
        return function

    return put


class Doctor:
    """Collects the findings of one check."""

    def __init__(self, key: str, title: str, thorough: bool) -> None:
        self.key, self.title, self.thorough = key, title, thorough
        self.found: list[Finding] = []

    def good(self, sentence: str) -> None:
        """All is well."""
        self.found.append(Finding(self.key, self.title, Health.GOOD, sentence))

    def look(self, sentence: str, remedy: str, details: tuple[str, ...] = ()) -> None:
        """Works, but somebody should look."""
        self.found.append(Finding(self.key, self.title, Health.LOOK, sentence, remedy, details))

    def bad(self, sentence: str, remedy: str, details: tuple[str, ...] = ()) -> None:
        """Does not work, or data are not whole."""
        self.found.append(Finding(self.key, self.title, Health.BAD, sentence, remedy, details))

"""People made up by chance: names, identity numbers of a fictitious area with right check digits, telephone numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from jiaoheng.packs import load

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
AREA = "990000"  # of no place in GB/T 2260: no number can be a living person's
_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_CHECKS = np.array(list("10X98765432"))
_EPOCH = dt.date(1970, 1, 1)


def names(girl: Flags, rng: np.random.Generator) -> list[str]:
    """A name for each person."""
    people = load("sample")["people"]
    surnames = list(people["surnames"])
    weights = np.array([people["surnames"][one] for one in surnames], dtype=float)
    count = len(girl)
    family = rng.choice(len(surnames), size=count, p=weights / weights.sum())
    boys, girls, rare = (list(people[key]) for key in ("boys", "girls", "rare"))
    single = rng.random(count) < float(people["single_share"])
    rarely = rng.random(count) < float(people["rare_share"])
    first, second = rng.random(count), rng.random(count)
    found = []
    for at, (surname, is_girl) in enumerate(zip(family.tolist(), girl.tolist(), strict=True)):
        letters = girls if is_girl else boys
        one = letters[int(first[at] * len(letters))]
        other = "" if single[at] else letters[int(second[at] * len(letters))]
        if rarely[at]:
            one = rare[int(first[at] * len(rare))]
        found.append(surnames[surname] + one + (other if other != one else ""))
    return found


def days(first: dt.date, last: dt.date) -> tuple[int, int]:
    """Two days as numbers of days since 1970."""
    return (first - _EPOCH).days, (last - _EPOCH).days


def texts(numbers: Ints) -> list[str]:
    """Days since 1970 as ISO text."""
    return np.datetime_as_string(numbers.astype("datetime64[D]")).tolist()  # type: ignore[no-any-return]


def identity_numbers(births: Ints, girl: Flags, used: dict[tuple[int, bool], int]) -> list[str]:
    """18-digit numbers, each once: births in days since 1970. `used` counts the numbers given so far, by day and sex."""
    count = len(births)
    serial = np.zeros(count, dtype=np.int64)
    for at, (day, is_girl) in enumerate(zip(births.tolist(), girl.tolist(), strict=True)):
        given = used.get((day, is_girl), 0)
        used[day, is_girl] = given + 1
        serial[at] = given * 2 + (2 if is_girl else 1)
    if count and serial.max() > 999:
        raise ValueError("more than 499 people of one sex are born on one day")
    dates = [text.replace("-", "") for text in texts(births)]
    bodies = [f"{AREA}{day}{number:03d}" for day, number in zip(dates, serial.tolist(), strict=True)]
    digits = np.frombuffer("".join(bodies).encode(), dtype=np.uint8).reshape(count, 17).astype(np.int64) - 48
    checks = _CHECKS[(digits @ _WEIGHTS) % 11].tolist()
    return [body + check for body, check in zip(bodies, checks, strict=True)]


def phones(start: int, count: int) -> list[str]:
    """Mobile numbers of a block that this county alone uses, each once."""
    return [f"19900{number:06d}" for number in range(start, start + count)]


def picks(rng: np.random.Generator, codes: Sequence[str], shares: Sequence[float], count: int) -> list[str]:
    """Codes drawn by their shares."""
    weights = np.array(shares, dtype=float)
    chosen = rng.choice(len(codes), size=count, p=weights / weights.sum())
    return [codes[one] for one in chosen.tolist()]

"""Subject combinations 选科组合: one name and code each, read from any spelling or from the subjects that have scores.

Source: standards §2.2. Schemes and spellings are data (packs/combinations.yaml).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations as choose
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from jiaoheng import packs

_SEPARATORS = re.compile(r"[\s+,，、;；/|&·.\-—－~和与()（）\[\]【】:：]+")


class CombinationError(ValueError):
    """A text that is no combination of the scheme; the message is plain Chinese."""


@dataclass(frozen=True, slots=True)
class Combination:
    """A combination: its subjects in the scheme's order, its name (物化生) and its code (W化生)."""

    subjects: tuple[str, ...]
    name: str
    code: str


@dataclass(frozen=True, slots=True)
class Scheme:
    """A scheme of choice, such as 3+1+2, with all its combinations in the scheme's order."""

    key: str
    groups: tuple[tuple[int, tuple[str, ...]], ...]  # how many are chosen of which subjects
    combinations: tuple[Combination, ...]

    @property
    def subjects(self) -> tuple[str, ...]:
        """Every subject that can be chosen."""
        return tuple(subject for _, subjects in self.groups for subject in subjects)


@cache
def scheme(key: str) -> Scheme:
    """The scheme called `3+1+2`, `3+3` or `浙江`. Raises CombinationError naming the schemes there are."""
    pack = packs.load("combinations")
    for entry in pack["schemes"]:
        if entry["key"] == key:
            groups = tuple((int(group["pick"]), tuple(group["subjects"])) for group in entry["groups"])
            return Scheme(key, groups, _all(groups, pack["subjects"], entry["code"] == "first"))
    known = "、".join(entry["key"] for entry in pack["schemes"])
    raise CombinationError(f"没有名为“{key}”的选科方案。可用的方案有：{known}")


def _all(
    groups: tuple[tuple[int, tuple[str, ...]], ...], subjects: Mapping[str, Any], letter_first: bool
) -> tuple[Combination, ...]:
    out = []
    for parts in product(*(choose(names, pick) for pick, names in groups)):
        chosen = tuple(name for part in parts for name in part)
        shorts = [str(subjects[name]["short"]) for name in chosen]
        coded = [str(subjects[chosen[0]]["letter"]), *shorts[1:]] if letter_first else shorts
        out.append(Combination(chosen, "".join(shorts), "".join(coded)))
    return tuple(out)


def parse(text: str, of: Scheme) -> Combination:
    """The combination that a text means, in any order and spelling.

    物化生, 生+化+物, 物理/化学/生物, W化生 and 物理类（化学、生物） are the same one.
    Repeated words of one subject count once. Raises CombinationError where a part is not understood, or the subjects
    are not a combination of the scheme.
    """
    found = _subjects_in(text, of)
    chosen = frozenset(found)
    for combination in of.combinations:
        if chosen == frozenset(combination.subjects):
            return combination
    rule = "，".join(f"{'、'.join(names)}中选 {pick} 科" for pick, names in of.groups)
    seen = "、".join(found) or "没有科目"
    raise CombinationError(f"选科组合“{text}”认出的是{seen}，不符合 {of.key} 方案（{rule}）。请改正，例如“物化生”")


def _subjects_in(text: str, of: Scheme) -> list[str]:
    rest = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).lower()
    words = _words(of.subjects)
    found: list[str] = []
    while rest:
        for word, subject in words:
            if rest.startswith(word):
                if subject and subject not in found:
                    found.append(subject)
                rest = rest[len(word) :]
                break
        else:
            raise CombinationError(f"选科组合“{text}”里的“{rest[0]}”不认识。请写成科目简称，例如“物化生”“史政地”")
    return found


@cache
def _words(subjects: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Every spelling with its subject ("" for fillers), longest first."""
    pack = packs.load("combinations")
    words = [(str(word).lower(), subject) for subject in subjects for word in pack["subjects"][subject]["words"]]
    words += [(str(word), "") for word in pack["fillers"]]
    return tuple(sorted(words, key=lambda one: -len(one[0])))


def of_scores(chosen: Mapping[str, npt.ArrayLike], of: Scheme) -> npt.NDArray[np.int16]:
    """Each pupil's combination, as position in `of.combinations`, from the subjects that the pupil takes.

    chosen: subject → one truth value a pupil (has a score, or is absent in a subject that the pupil did choose);
    subjects that are not of the scheme are ignored, absent ones count as not chosen. −1 where the subjects are not
    a combination. Raises ValueError where no subject of the scheme is given or lengths differ.
    """
    columns = [np.asarray(chosen[name], dtype=np.bool_) for name in of.subjects if name in chosen]
    names = [name for name in of.subjects if name in chosen]
    if not columns:
        raise ValueError("no subject of the scheme is given")
    pattern = np.zeros(columns[0].shape, dtype=np.int64)
    for bit, column in enumerate(columns):
        pattern |= column.astype(np.int64) << bit
    table = np.full(1 << len(names), -1, dtype=np.int16)
    for place, combination in enumerate(of.combinations):
        if all(subject in names for subject in combination.subjects):
            table[sum(1 << names.index(subject) for subject in combination.subjects)] = place
    return table[pattern]


def counts(
    places: npt.ArrayLike, of: Scheme, units: npt.ArrayLike | None = None, n_units: int = 1
) -> npt.NDArray[np.int64]:
    """Pupils by unit (row) and combination (column); the last column counts those without a valid combination.

    places: position in `of.combinations` or −1; units: each pupil's unit (None: all in one). Counts of parts add.
    """
    width = len(of.combinations) + 1
    place = np.asarray(places, dtype=np.int64)
    place = np.where(place < 0, width - 1, place)
    unit = np.zeros(len(place), dtype=np.int64) if units is None else np.asarray(units, dtype=np.int64)
    return np.bincount(unit * width + place, minlength=n_units * width).reshape(n_units, width).astype(np.int64)


def subject_counts(by_combination: npt.ArrayLike, of: Scheme) -> dict[str, npt.NDArray[np.int64]]:
    """Pupils by unit who take each subject, from the counts by unit and combination."""
    table = np.asarray(by_combination, dtype=np.int64)
    return {
        subject: table[:, [place for place, one in enumerate(of.combinations) if subject in one.subjects]].sum(axis=1)
        for subject in of.subjects
    }


def names_of(places: Sequence[int] | npt.NDArray[np.int16], of: Scheme) -> list[str | None]:
    """The names of combinations; None for −1."""
    return [of.combinations[place].name if place >= 0 else None for place in places]

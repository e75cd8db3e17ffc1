"""The words of score sheets as data (packs/vocabulary.yaml, subjects.yaml), folded and ready to look up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from jiaoheng import packs
from jiaoheng.sheets.answers import Answers
from jiaoheng.sheets.reading_model import Role, ScoreState
from jiaoheng.sheets.text import fold

# StateWord of the settings → state of a score; 零分 is a score and not a state
STATE_WORDS: dict[str, ScoreState] = {
    "缺考": ScoreState.ABSENT,
    "缺失": ScoreState.MISSING,
    "免考": ScoreState.EXEMPT,
    "违纪": ScoreState.CHEATED,
    "未选": ScoreState.NOT_CHOSEN,
    "缓考": ScoreState.DEFERRED,
    "离校": ScoreState.LEFT,
}
ZERO_WORD = "零分"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Look-up tables; every key is folded (see text.fold)."""

    roles: Mapping[str, Role]
    subjects: Mapping[str, str]  # alias → canonical
    subject_aliases: tuple[str, ...]  # longest first
    ignored: frozenset[str]
    also_rank: Mapping[str, str]
    also_serial: frozenset[str]
    aggregate_words: frozenset[str]
    aggregate_endings: tuple[str, ...]
    aggregate_starts: tuple[str, ...]
    measures: Mapping[str, str]  # modifier → raw | scaled | make_up | ignored
    score_words: Mapping[str, str]  # own number of a long layout → raw | scaled
    prefixes: tuple[str, ...]
    total_words: frozenset[str]
    total_endings: tuple[str, ...]
    rank_words: tuple[str, ...]  # longest first
    rank_scopes: Mapping[str, str | None]
    full_mark: frozenset[str]
    weight: frozenset[str]
    sample_words: frozenset[str]
    sample_phrases: tuple[str, ...]
    footer_words: frozenset[str]
    footer_maybe_name: frozenset[str]
    footer_endings: tuple[str, ...]  # sure words of three letters and more: 九(1)班平均分 ends in one
    footer_mean: frozenset[str]
    footer_starts: tuple[str, ...]
    signature: re.Pattern[str]
    unit_words: frozenset[str]
    sheet_names: Mapping[str, str]
    item_groups: tuple[str, ...]
    item_subtotals: frozenset[str]
    pinyin: frozenset[str]
    states: Mapping[str, ScoreState]
    zero: frozenset[str]  # words for a score of 0
    marks: Mapping[str, Mapping[str, str]]
    same_marks: Mapping[str, str]
    levels: re.Pattern[str]
    electives: frozenset[str]
    usual_full_marks: frozenset[int]
    columns: Mapping[str, str] = field(default_factory=dict)  # header text → answer of the settings
    # cells already understood with these words; not taken over by `replace`, whose words may mean something else
    memo: dict[Any, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    def with_answers(self, answers: Answers) -> Vocabulary:
        """The same words with a bureau's own subjects and column answers added."""
        own = {fold(alias): subject for alias, subject in answers.aliases.items()}
        own |= {fold(subject): subject for subject in answers.full_marks if fold(subject) not in self.subjects}
        columns = {fold(key): value for key, value in answers.columns.items() if "|" not in key}
        if not own and not columns:
            return self
        subjects = {**self.subjects, **own}
        return replace(self, subjects=subjects, subject_aliases=_longest_first(subjects), columns=columns)

    def subject(self, text: str) -> str | None:
        """The canonical name of a subject written in any known way."""
        return self.subjects.get(fold(text))


@cache
def _shipped(key: int) -> Vocabulary:
    return _build(packs.load("vocabulary"), packs.load("subjects"))


def vocabulary() -> Vocabulary:
    """The shipped words, or a bureau's own where JIAOHENG_PACKS has them."""
    return _shipped(id(packs.load("vocabulary")))


def _longest_first(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({fold(word) for word in words}, key=lambda word: (-len(word), word)))


def _folded(words: Iterable[Any]) -> frozenset[str]:
    return frozenset(fold(str(word)) for word in words)


def _signature(words: Mapping[str, Any]) -> re.Pattern[str]:
    people = "|".join(re.escape(word) for word in _longest_first(words["words"]))
    marks = "|".join(re.escape(word) for word in _longest_first(words["marks"]))
    return re.compile(rf"(?:{people})(?:{marks})?[:：]|(?:{people})(?:{marks})|^(?:{marks})[:：]?$|(?:{marks})[:：]")


def _build(words: Mapping[str, Any], subjects: Mapping[str, Any]) -> Vocabulary:
    """Fold every word of the two packs. A KeyError names the part that a bureau's own pack lacks."""
    names = {
        fold(alias): name for name, entry in subjects["subjects"].items() for alias in (name, *entry.get("aliases", ()))
    }
    scopes = {fold(word): scope or None for scope, group in words["rank"]["scopes"].items() for word in group}
    scaled = _folded(words["measures"]["scaled"])
    return Vocabulary(
        roles={fold(word): Role(role) for role, group in words["roles"].items() for word in group},
        subjects=names,
        subject_aliases=_longest_first(names),
        ignored=_folded(words["ignored"]),
        also_rank={fold(word): scope for word, scope in words["also_rank"].items()},
        also_serial=_folded(words.get("also_serial", ())),
        aggregate_words=_folded(words["aggregate"]["words"]),
        aggregate_endings=_longest_first(words["aggregate"]["endings"]),
        aggregate_starts=tuple(words["aggregate"]["starts"]),
        measures={fold(word): kind for kind, group in words["measures"].items() for word in group},
        score_words={fold(word): "scaled" if fold(word) in scaled else "raw" for word in words["score_words"]},
        prefixes=_longest_first(words["prefixes"]),
        total_words=_folded(words["total"]["words"]),
        total_endings=_longest_first(words["total"]["endings"]),
        rank_words=_longest_first(words["rank"]["words"]),
        rank_scopes=scopes,
        full_mark=_folded(words["full_mark"]),
        weight=_folded(words["weight"]),
        sample_words=_folded(words["sample"]["words"]),
        sample_phrases=_longest_first(words["sample"]["phrases"]),
        footer_words=_folded(words["footer"]["words"]),
        footer_maybe_name=_folded(words["footer"]["maybe_name"]),
        footer_endings=tuple(word for word in _longest_first(words["footer"]["words"]) if len(word) >= 3),
        footer_mean=_folded(words["footer"]["mean"]),
        footer_starts=_longest_first(words["footer"]["starts"]),
        signature=_signature(words["signature"]),
        unit_words=_folded(words["unit_line"]),
        sheet_names={fold(word): kind for kind, group in words["sheet_names"].items() for word in group},
        item_groups=_longest_first(words["items"]["groups"]),
        item_subtotals=_folded(words["items"]["subtotals"]),
        pinyin=_folded(words["pinyin"]),
        states={fold(word): STATE_WORDS[state] for state, group in words["states"].items() for word in group},
        zero=_folded(words.get("zero", ())),
        marks={fold(str(mark)): defaults or {} for mark, defaults in words["marks"].items()},
        same_marks={str(mark): same for mark, same in words["same_marks"].items()},
        levels=re.compile(words["levels"]),
        electives=frozenset(words["electives"]),
        usual_full_marks=frozenset(words["usual_full_marks"]),
    )

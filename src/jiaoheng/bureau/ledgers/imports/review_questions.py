"""The questions of an import, as the second step asks them: open ones first, a page at a time, many alike at once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jiaoheng.bureau.core.refusals import NotFoundError
from jiaoheng.bureau.ledgers.imports.answers import Key
from jiaoheng.bureau.ledgers.imports.sheet_lines import Stored

SIZE = 50  # questions of one page
_CONFLICT = "cell-moved"
_ALL = {"theirs": "都留现在的", "mine": "都用文件中的"}  # a conflict's own words name its values
_WORDS = {
    _CONFLICT: "下载之后被他人改过",
    "file-refused": "不能导入的文件",
    "columns-by-head": "按表头对应的列",
    "column-unknown": "认不出的列",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One possible answer; `chosen`: said already, or the default."""

    value: str
    label: str
    default: bool
    chosen: bool


@dataclass(frozen=True, slots=True)
class Question:
    """One question; `name` of its form field; `text_value`: where it has no choices."""

    name: str
    text: str
    place: str
    choices: tuple[Answer, ...]
    value: str
    open: bool


@dataclass(frozen=True, slots=True)
class ForAll:
    """One press that answers every open question of a kind: what to send, its words with their number."""

    value: str
    words: str


@dataclass(frozen=True, slots=True)
class Pick:
    """One filter: what to send, its words, how many questions."""

    value: str
    words: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class QuestionPage:
    """One page of the questions."""

    questions: tuple[Question, ...]
    open: int
    total: int
    kinds: tuple[Pick, ...]
    at_once: tuple[ForAll, ...]
    kind: str
    number: int
    words: str
    before: int
    after: int

    def __bool__(self) -> bool:
        return bool(self.total)


def question_page(
    lines: Stored, waiting: frozenset[Key], said: Mapping[Key, str], kind: str, number: object
) -> QuestionPage:
    """A page of the questions of a kind ("" for all). `waiting`: keys of those without an answer."""
    asked = sorted(lines.asked, key=lambda one: tuple(one["key"]) not in waiting)
    chosen = [one for one in asked if not kind or one["code"] == kind]
    pages = max(1, -(-len(chosen) // SIZE))
    text = str(number)
    at = min(max(int(text), 1), pages) if text.isascii() and text.isdigit() and len(text) < 9 else 1
    first = (at - 1) * SIZE
    part = chosen[first : first + SIZE]
    counts = Counter(one["code"] for one in asked)
    return QuestionPage(
        questions=tuple(_question(one, waiting, said) for one in part),
        open=len(waiting),
        total=len(asked),
        kinds=tuple(Pick(code, _WORDS.get(code, "其他"), count, code == kind) for code, count in counts.most_common()),
        at_once=tuple(_at_once(asked, waiting)),
        kind=kind,
        number=at,
        words=f"第 {first + 1}—{first + len(part)} 个，共 {len(chosen):,} 个" if pages > 1 else "",
        before=at - 1,
        after=at + 1 if at < pages else 0,
    )


def answers_of_all(lines: Stored, waiting: frozenset[Key], value: str) -> dict[Key, str]:
    """What one press on `ForAll.value` answers: every open question of its kind. NotFoundError for anything else."""
    code, _, answer = value.partition("|")
    if value not in {one.value for one in _at_once(lines.asked, waiting)}:
        raise NotFoundError
    return {tuple(one["key"]): answer for one in lines.asked if one["code"] == code and tuple(one["key"]) in waiting}


def question_key(name: str) -> Key:
    """A question's key from its form field. NotFoundError for anything else."""
    try:
        found = json.loads(name)
    except ValueError:
        raise NotFoundError from None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise NotFoundError
    return tuple(found)


def _question(one: dict[str, Any], waiting: frozenset[Key], said: Mapping[Key, str]) -> Question:
    key = tuple(one["key"])
    value = said.get(key, one["default"] or "")
    choices = tuple(
        Answer(choice, label, choice == one["default"], choice == value) for choice, label in one["choices"]
    )
    return Question(
        json.dumps(one["key"], ensure_ascii=False), one["text"], one["place"], choices, value, key in waiting
    )


def _at_once(asked: Sequence[dict[str, Any]], waiting: frozenset[Key]) -> list[ForAll]:
    """For each kind with several open questions that have the same choices: one answer for all of them."""
    by_code: dict[str, list[dict[str, Any]]] = {}
    for one in asked:
        if tuple(one["key"]) in waiting:
            by_code.setdefault(one["code"], []).append(one)
    found = []
    for code, alike in by_code.items():
        choices = alike[0]["choices"]
        same = all(one["choices"] == choices for one in alike) or code == _CONFLICT
        for value, label in choices if same and len(alike) > 1 else ():
            words = _ALL.get(value, label) if code == _CONFLICT else f"都选“{label}”"
            found.append(ForAll(f"{code}|{value}", f"这 {len(alike):,} 个{words}"))
    return found

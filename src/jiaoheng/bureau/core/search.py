"""The search over units, people and records: two characters, codes from their beginning, pinyin initials.

Every word must be there (a short one too): in the thing itself, or in the name of a unit above it, so that 张伟 东镇 is
the one of 东镇. The rarest gram of a word is asked of the index, the rest is verified on the text of what comes back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q

from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, SearchEntry, SearchGram
from jiaoheng.bureau.core.scope import Scope, scope_of
from jiaoheng.bureau.core.search_index import Folded, drop, index_accounts, index_records, index_units, unfold
from jiaoheng.methods.grams import exact_gram, grams_of_word, holds, initials_hold, words_of

KINDS = {"unit": "单位", "account": "人员", "record": "台账记录"}
_COUNTED = 2_000  # a gram with more entries than this is simply frequent
_FIRST_PAGE, _PAGE = 120, 1_000  # entries looked at together: most words have their fill in the first page
Entry = tuple[Any, ...]  # a row of _COLUMNS
_LINE = ("county_id", "district_id", "school_id", "class_id", "unit_id")
_COLUMNS = (
    "entry_id",
    *(f"entry__{one}" for one in ("kind", "object_id", "register", "name", "where", "folded", *_LINE)),
)
_PLACES = {column: 7 + place for place, column in enumerate(_LINE)}  # column → its place in an Entry
_ENOUGH = 5  # times the limit are verified before the best are taken


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing found."""

    kind: str
    object_id: str
    register: str
    name: str
    where: str
    exact: bool


@dataclass(frozen=True, slots=True)
class Pass:
    """Looking through the things that have `word` themselves; `below`: under units that have the earlier words."""

    word: str
    grams: tuple[str, ...]
    above: dict[str, dict[str, set[int]]]
    below: Q


@dataclass(frozen=True, slots=True)
class Group:
    """The hits of one kind, exact ones first; `more` says that the limit left some out."""

    kind: str
    title: str
    hits: tuple[Hit, ...]
    more: bool


def search(account: Account, text: str, limit: int = 20) -> list[Group]:
    """What an account may read and that has every word of the text, in groups by kind; at most `limit` of each."""
    words = words_of(text)
    if not words:
        return []
    passes = _passes(words)
    groups = []
    for kind, title in KINDS.items():
        inside = _scope(account, kind)
        if inside is None:
            continue
        hits = _hits(inside & Q(entry__kind=kind), words, passes, limit)
        if hits:
            groups.append(Group(kind, title, tuple(hits[:limit]), len(hits) > limit))
    return groups


def _scope(account: Account, kind: str) -> Q | None:
    """The condition on entries that an account may open; narrow roles see their own registers only."""
    scope = scope_of(account, Can.ACCOUNTS if kind == "account" else Can.READ)
    if not scope:
        return None
    if kind != "record":  # the page of a unit opens for narrow roles too
        return Scope(tuple(replace(root, registers=()) for root in scope.roots)).rows(prefix="entry__")
    found = Q(pk__in=[])
    for root in scope.roots:
        here = Scope((replace(root, registers=()),)).rows(prefix="entry__")
        found |= here & Q(entry__register__in=root.registers) if root.registers else here
    return found


def _passes(words: Sequence[str]) -> list[Pass]:
    """One pass for each word, the rarest first: things that have this word themselves.

    What has an earlier word itself was found in that word's pass; here earlier words must stand in a unit above.
    """
    if len(words) == 1:
        return [Pass(words[0], _grams(words[0], count=False)[0], {}, Q())]
    grams = {word: _grams(word) for word in words}
    counts = {word: grams[word][1] for word in words}
    ordered = sorted(words, key=lambda word: (counts[word], -len(word), word))
    above = {word: _units_named(word, grams[word][0]) for word in words}
    made, below = [], Q()
    for word in ordered:
        made.append(Pass(word, grams[word][0], above, below))
        if not above[word]:
            break  # nothing can have this word in a unit above: later passes would find nothing
        below &= _below(above[word])
    return made


def _hits(inside: Q, words: Sequence[str], passes: Sequence[Pass], limit: int) -> list[Hit]:
    found: dict[int, tuple[tuple[object, ...], Hit]] = {}
    whole = "".join(words)
    for one in passes:
        for gram in (exact_gram(whole), *one.grams):
            for entry in _verified(gram, inside & one.below, one, words, limit * _ENOUGH):
                found.setdefault(entry[0], _hit(entry, whole))
    return [hit for _, hit in sorted(found.values(), key=lambda one: one[0])]


def _hit(entry: Entry, whole: str) -> tuple[tuple[object, ...], Hit]:
    """Sorting: the exact one, a code, what begins with the word, the shorter name, the name, the age."""
    pk, kind, object_id, register, name, where, folded = entry[:7]
    text = unfold(folded)
    exact = text.name == whole or whole in text.others
    order = (text.name != whole, not exact, not text.name.startswith(whole), len(text.name), text.name, pk)
    return order, Hit(kind, object_id, register, name, where, exact)


def _grams(word: str, *, count: bool = True) -> tuple[tuple[str, ...], int]:
    """The grams to ask the index for (of the text, of the initials) and how frequent they are, up to a bound."""
    chosen: list[str] = []
    total = 0
    for grams in grams_of_word(word):
        if len(grams) == 1 and not count:
            chosen += grams
        elif grams:
            gram, seen = _rarest(grams)
            chosen.append(gram)
            total += seen
    return tuple(chosen), total


def _rarest(grams: set[str]) -> tuple[str, int]:
    counted = [
        (SearchGram.objects.filter(gram=gram).values("pk")[: _COUNTED + 1].count(), -len(gram), gram)
        for gram in sorted(grams)
    ]
    seen, _, gram = min(counted)
    return gram, seen


def _verified(gram: str, inside: Q, one: Pass, words: Sequence[str], enough: int) -> Iterator[Entry]:
    """Entries in the order of their ids that really have the pass's word themselves and every other one, or above."""
    last, count = 0, 0
    size = _FIRST_PAGE
    rows = SearchGram.objects.filter(inside, gram=gram).order_by("entry_id").values_list(*_COLUMNS)
    while True:
        page = list(rows.filter(entry_id__gt=last)[:size])
        for entry in page:
            text = unfold(entry[6])
            if _has(text, one.word) and all(
                _has(text, word) or _stands_below(entry, one.above[word]) for word in words if word != one.word
            ):
                yield entry
                count += 1
                if count > enough:
                    return
        if len(page) < size:
            return
        last, size = page[-1][0], _PAGE


def _has(text: Folded, word: str) -> bool:
    if holds(text.name, word) or any(holds(one, word) for one in text.others):
        return True
    return word.isascii() and any(initials_hold(one, word) for one in text.initials)


def _units_named(word: str, grams: Sequence[str]) -> dict[str, set[int]]:
    """Columns of entries → ids of the units whose name or code has the word; those below another one are left out."""
    ids = SearchGram.objects.filter(gram__in=grams, entry__kind="unit").values("entry_id")
    rows = list(SearchEntry.objects.filter(pk__in=ids).order_by("pk"))
    named = {int(entry.object_id): entry for entry in rows if _has(unfold(entry.folded), word)}
    columns: dict[str, set[int]] = {}
    for unit_id, entry in named.items():
        line = {column: getattr(entry, column) for column in ("county_id", "district_id", "school_id", "class_id")}
        if any(one in named for one in line.values() if one != unit_id):
            continue
        own = next((column for column, one in line.items() if one == unit_id), "unit_id")
        columns.setdefault(own, set()).add(unit_id)
    return columns


def _below(columns: dict[str, set[int]]) -> Q:
    found = Q(pk__in=[])
    for column, ids in columns.items():
        found |= Q(**{f"entry__{column}__in": ids})
    return found


def _stands_below(entry: Entry, columns: dict[str, set[int]]) -> bool:
    return any(entry[_PLACES[column]] in ids for column, ids in columns.items())


__all__ = ["KINDS", "Group", "Hit", "drop", "index_accounts", "index_records", "index_units", "search"]

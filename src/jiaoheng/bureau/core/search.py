"""The search over units, people and records: two characters, codes from their beginning, pinyin initials.

Every word must be there (a short one too): in the thing itself, or in the name of a unit above it, so that 张伟 东镇 is
the one of 东镇. The rarest gram of a word is asked of the index, the rest is verified on the text of what comes back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from django.db.models import Q, QuerySet

from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, SearchEntry, SearchGram
from jiaoheng.bureau.core.scope import Root, Scope, scope_of
from jiaoheng.bureau.core.search_index import Folded, drop, index_accounts, index_records, index_units, unfold
from jiaoheng.methods.grams import grams_of_word, holds, initials_hold, words_of

KINDS = {"unit": "单位", "account": "人员", "record": "台账记录"}
_COUNTED = 2_000  # a gram with more entries than this is simply frequent
_PAGE = 400  # entries looked at together
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
    above = {word: _units_named(word) for word in words} if len(words) > 1 else {}
    groups = []
    for kind, title in KINDS.items():
        inside = _scope(account, kind)
        if inside is None:
            continue
        hits = _hits(SearchEntry.objects.filter(inside, kind=kind), words, above, limit)
        if hits:
            groups.append(Group(kind, title, tuple(hits[:limit]), len(hits) > limit))
    return groups


def _scope(account: Account, kind: str) -> Q | None:
    """The condition on entries that an account may open; narrow roles see their own registers only."""
    scope = scope_of(account, Can.ACCOUNTS if kind == "account" else Can.READ)
    if not scope:
        return None
    if kind != "record":  # the page of a unit opens for narrow roles too
        return Scope(tuple(_wide(root) for root in scope.roots)).rows()
    found = Scope(tuple(root for root in scope.roots if not root.registers)).rows()
    for root in scope.roots:
        if root.registers:
            found |= Scope((_wide(root),)).rows() & Q(register__in=root.registers)
    return found


def _wide(root: Root) -> Root:
    return replace(root, registers=())


def _hits(
    entries: QuerySet[SearchEntry], words: Sequence[str], above: dict[str, dict[str, set[int]]], limit: int
) -> list[Hit]:
    found: dict[int, tuple[tuple[object, ...], Hit]] = {}
    whole = "".join(words)
    for primary in _by_rarity(words):
        chosen = entries.filter(_asked(primary))
        for word in words:
            if word != primary:
                chosen = chosen.filter(_asked(word) | _below(above[word]))
        exact = chosen.filter(folded__startswith=whole + "\n")
        for entry in _verified(exact, primary, words, above, limit * _ENOUGH):
            found[entry.pk] = _hit(entry, whole)
        for entry in _verified(chosen, primary, words, above, limit * _ENOUGH):
            found.setdefault(entry.pk, _hit(entry, whole))
    return [hit for _, hit in sorted(found.values(), key=lambda one: one[0])]


def _hit(entry: SearchEntry, whole: str) -> tuple[tuple[object, ...], Hit]:
    """Sorting: the exact one, a code, what begins with the word, the shorter name, the name, the age."""
    text = unfold(entry.folded)
    exact = text.name == whole or whole in text.others
    order = (text.name != whole, not exact, not text.name.startswith(whole), len(text.name), text.name, entry.pk)
    return order, Hit(entry.kind, entry.object_id, entry.register, entry.name, entry.where, exact)


def _by_rarity(words: Sequence[str]) -> list[str]:
    return sorted(words, key=len, reverse=True)


def _asked(word: str) -> Q:
    """The condition that the index can answer: the rarest gram of the word, its text to be verified."""
    own, initials = grams_of_word(word)
    found = Q(pk__in=SearchGram.objects.filter(gram=_rarest(own)).values("entry_id")) if own else Q(pk__in=[])
    if initials:
        found |= Q(pk__in=SearchGram.objects.filter(gram=_rarest(initials)).values("entry_id"))
    return found


def _rarest(grams: set[str]) -> str:
    if len(grams) == 1:
        return next(iter(grams))
    counted = Counter(
        {gram: SearchGram.objects.filter(gram=gram).values("pk")[: _COUNTED + 1].count() for gram in sorted(grams)}
    )
    return min(counted, key=lambda gram: (counted[gram], -len(gram), gram))


def _verified(
    entries: QuerySet[SearchEntry],
    primary: str,
    words: Sequence[str],
    above: dict[str, dict[str, set[int]]],
    enough: int,
) -> Iterator[SearchEntry]:
    """Entries in the order of their ids that really have the primary word themselves and every other one, or above."""
    last, count = 0, 0
    while True:
        page = list(entries.filter(pk__gt=last).order_by("pk")[:_PAGE])
        for entry in page:
            text = unfold(entry.folded)
            if _has(text, primary) and all(
                _has(text, word) or _stands_below(entry, above[word]) for word in words if word != primary
            ):
                yield entry
                count += 1
                if count > enough:
                    return
        if len(page) < _PAGE:
            return
        last = page[-1].pk


def _has(text: Folded, word: str) -> bool:
    if holds(text.name, word) or any(holds(one, word) for one in text.others):
        return True
    return word.isascii() and any(initials_hold(one, word) for one in text.initials)


def _units_named(word: str) -> dict[str, set[int]]:
    """Columns of entries → ids of the units whose name or code has the word; those below another one are left out."""
    rows = list(SearchEntry.objects.filter(_asked(word), kind="unit").order_by("pk"))
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
        found |= Q(**{f"{column}__in": ids})
    return found


def _stands_below(entry: SearchEntry, columns: dict[str, set[int]]) -> bool:
    return any(getattr(entry, column) in ids for column, ids in columns.items())


__all__ = ["KINDS", "Group", "Hit", "drop", "index_accounts", "index_records", "index_units", "search"]

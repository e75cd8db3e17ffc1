"""The search box of a list: by the record's name and codes and by its unit; a protected number only as a whole (P06)."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django.db.models import BigIntegerField, Q
from django.db.models.functions import Cast

from jiaoheng.bureau.core.models import SearchEntry, SearchGram
from jiaoheng.bureau.ledgers import sealing
from jiaoheng.bureau.ledgers.listing_columns import Layout
from jiaoheng.bureau.ledgers.record_index import indexing_words, is_searched
from jiaoheng.bureau.ledgers.registry import newest_schema
from jiaoheng.methods.grams import grams_of_word, words_of
from jiaoheng.methods.sort_keys import text_key
from jiaoheng.registers.model import Field, Sensitive

_NUMBERLIKE = re.compile(r"[0-9A-Z*]{4,30}")
_SHORT = 2  # characters
_CODE = 10  # digits of a school's code
_MOST_UNITS = 900  # parameters of one statement that every database takes
_WHOLE = (Sensitive.ID_NUMBER, Sensitive.PHONE, Sensitive.BANK)


def text_condition(layout: Layout, text: str, *, current: bool = True) -> Q:
    """Records whose name, codes or unit have every word of a text, or whose protected number is the whole text.

    The search index knows current records; an earlier day (`current` False) is searched by the sortable name.
    """
    found = Q()
    for word in words_of(text):
        own = _word(layout, word) if current and is_searched(layout.schema) else _in_slots(layout, word)
        found &= own | _of_units(word)
    number = _as_number(text)
    for one in protected_numbers(layout):
        if number:
            found |= sealing.with_value(layout.schema, one, number, newest_schema(layout.row))
    return found


def text_notice(layout: Layout, text: str, *, empty: bool) -> str:
    """What the list says beside a search: that new records are not in the index yet, or, beside an empty result, that
    numbers are searched as a whole."""
    told = [indexing_words([layout.row.name])] if is_searched(layout.schema) else []
    if empty and _as_number(text):
        titles = "、".join(one.title for one in protected_numbers(layout))
        told += [f"{titles}只按完整号码查找，请输入完整号码"] if titles else []
    return "；".join(filter(None, told))


def protected_numbers(layout: Layout) -> list[Field]:
    """The columns whose values can be found by the whole number only."""
    return [one for one in layout.schema.fields if one.sensitive in _WHOLE]


def _as_number(text: str) -> str:
    found = unicodedata.normalize("NFKC", text).strip().replace(" ", "").upper()
    digits = sum(character.isdigit() for character in found)
    return found if _NUMBERLIKE.fullmatch(found) and digits * 2 > len(found) else ""


def _word(layout: Layout, word: str) -> Q:
    """One word in name or codes, by the search index."""
    entries = SearchEntry.objects.filter(kind="record", register=layout.row.name, folded__contains=word)
    return Q(record_id__in=_things(entries, word))


def _of_units(word: str) -> Q:
    """Records of the units that are called so: a part of a name from two characters on, the initials of a name from
    their beginning, a whole code. Less than that would bring in whole schools beside the one person who was meant."""
    entries = SearchEntry.objects.filter(kind="unit")
    if word.isdigit():
        found = Q(folded__contains=f"\n{word}\n") if len(word) == _CODE else None
    elif word.isascii():
        whole = Q(folded__contains=f"\n{word}\n") | Q(folded__endswith=f"\n{word}")
        found = whole if len(word) == _SHORT else Q(folded__contains=f"\n{word}") if len(word) > _SHORT else None
    else:
        found = Q(folded__contains=word) if len(word) >= _SHORT else None
    if found is None:
        return Q(pk__in=[])
    asked = _things(entries.filter(found), word)
    # asked first: mostly no unit is called so, and then the list keeps to the index of its own records
    ids = list(asked[: _MOST_UNITS + 1])
    return Q(unit_id__in=[one["found"] for one in ids] if len(ids) <= _MOST_UNITS else asked)


def _things(entries: Any, word: str) -> Any:
    """The ids of the things that entries stand for, reached through the rarest kind of gram of a word."""
    grams, initials = grams_of_word(word)
    longest = max(grams, key=len, default="")
    asked = Q(pk__in=SearchGram.objects.filter(gram=longest).values("entry_id")) if longest else Q()
    if initials:
        asked |= Q(pk__in=SearchGram.objects.filter(gram=max(initials, key=len)).values("entry_id"))
    return entries.filter(asked).annotate(found=Cast("object_id", BigIntegerField())).values("found")


def _in_slots(layout: Layout, word: str) -> Q:
    """By the index columns of the name: anywhere in it."""
    key = text_key(word)
    found = Q(pk__in=[])
    for one in layout.schema.identity_fields:
        slot = layout.slots.get(one.name)
        if slot is not None:
            found |= Q(**{f"s{slot}__contains": key})
    return found

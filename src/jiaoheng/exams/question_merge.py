"""Questions that one answer settles are asked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jiaoheng.sheets.places import Question


def merged_questions(questions: Sequence[Question]) -> tuple[Question, ...]:
    """One question for each settings key, in the order of first asking, with every place concerned.

    Choices are united; the default stays only where all agree on it.
    """
    groups: dict[tuple[str, ...], list[Question]] = {}
    for question in questions:
        groups.setdefault(question.key, []).append(question)
    return tuple(_merged(group) for group in groups.values())


def _merged(group: Sequence[Question]) -> Question:
    first = group[0]
    if len(group) == 1:
        return first
    places = tuple(dict.fromkeys(place for question in group for place in (question.places or (question.place,))))
    choices = tuple({choice.value: choice for question in group for choice in question.choices}.values())
    default = first.default if all(question.default == first.default for question in group) else None
    return replace(
        first,
        places=places,
        choices=choices,
        default=default,
        text=_text(group, len({place.sheet_key for place in places}), len(places)),
        blocking=any(question.blocking for question in group),
    )


def _text(group: Sequence[Question], sheets: int, places: int) -> str:
    """The first sheet's words and how many sheets ask the same; different questions are all told."""
    first = group[0]
    if all(question.code == first.code for question in group) and sheets > 1:
        return f"{first.text}（以上是第一张表；共 {sheets} 张表有同样的问题，合计 {places} 处，一并回答）"
    texts = dict.fromkeys(question.text for question in group)
    return "；".join(texts)

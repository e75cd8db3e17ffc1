"""Questions that one answer settles are asked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jiaoheng.sheets.places import Question


def merged_questions(questions: Sequence[Question]) -> tuple[Question, ...]:
    """One question for each settings key, in the order of first asking, with every place concerned.

    Choices are united; the default stays only where all agree on it.
    """
    merged: dict[tuple[str, ...], Question] = {}
    for question in questions:
        known = merged.get(question.key)
        if known is None:
            merged[question.key] = question
            continue
        places = tuple(dict.fromkeys((*(known.places or (known.place,)), *(question.places or (question.place,)))))
        choices = tuple({choice.value: choice for choice in (*known.choices, *question.choices)}.values())
        default = known.default if known.default == question.default else None
        text = known.text if question.text in known.text else f"{known.text}；{question.place}：{question.text}"
        blocking = known.blocking or question.blocking
        merged[question.key] = replace(
            known, places=places, choices=choices, default=default, text=text, blocking=blocking
        )
    return tuple(merged.values())

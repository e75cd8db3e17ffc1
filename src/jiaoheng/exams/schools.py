"""One name for each school: equal after cleaning is the same, likeness is asked, nothing is merged silently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from jiaoheng.exams.names import clean_school, likely_same_school
from jiaoheng.sheets.places import Choice, Place, Question
from jiaoheng.sheets.reading_model import Role, SheetReading


def canonical_schools(
    readings: Sequence[SheetReading], answers: Mapping[str, str]
) -> tuple[Mapping[str, str], tuple[Question, ...]]:
    """School name as written → canonical name, and a question for each name that may be a shorter form of others.

    `answers`: the settings' schools (as written → canonical). Unanswered names stay schools of their own.
    """
    first_place = _written(readings)
    cleaned_answers = {clean_school(written): clean_school(name) for written, name in answers.items()}
    canonical = {}
    counts: dict[str, Place] = {}
    for written, place in first_place.items():
        name = _follow(clean_school(written), cleaned_answers)
        canonical[written] = name
        counts.setdefault(name, place)
    alike: dict[str, list[str]] = {}
    for one, two in combinations(counts, 2):
        short, full = sorted((one, two), key=len)
        if short not in cleaned_answers and likely_same_school(one, two):
            alike.setdefault(short, []).append(full)
    return canonical, tuple(_question(short, names, counts) for short, names in alike.items())


def _follow(name: str, answers: Mapping[str, str]) -> str:
    """Follow answers to the end; a circle ends where it began."""
    seen = {name}
    while name in answers and answers[name] not in seen:
        name = answers[name]
        seen.add(name)
    return name


def _written(readings: Sequence[SheetReading]) -> dict[str, Place]:
    """Every school name as written with the first place that writes it."""
    found: dict[str, Place] = {}
    for reading in readings:
        block = reading.pupils
        if block is None:
            continue
        sheet = Place(reading.sheet.file, reading.sheet.name)
        texts = block.texts.get(Role.SCHOOL)
        if texts is not None:
            column = next((c.index + 1 for c in reading.columns if c.role is Role.SCHOOL), 0)
            for position, text in enumerate(texts):
                if text and text not in found:
                    found[text] = Place(sheet.file, sheet.sheet, int(block.rows[position]) + 1, column)
        if reading.declared.school:
            found.setdefault(reading.declared.school, sheet)
    return found


def _question(short: str, names: Sequence[str], places: Mapping[str, Place]) -> Question:
    others = "、".join(f"“{name}”（{places[name]}）" for name in names)
    same = tuple(Choice(name, f"与“{name}”是同一所，统一为“{name}”") for name in names)
    return Question(
        "school-names",
        ("schools", short),
        places[short],
        f"“{short}”（{places[short]}）与{others}是同一所学校吗",
        (*same, Choice(short, "是另一所学校")),
        short,
        True,
        (places[short], *(places[name] for name in names)),
    )

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
    """School name as written → canonical name, and a question for each pair of names that may be one school.

    `answers`: the settings' schools (as written → canonical). An unanswered pair stays two schools.
    """
    first_place = _written(readings)
    cleaned_answers = {clean_school(written): clean_school(name) for written, name in answers.items()}
    canonical = {}
    counts: dict[str, Place] = {}
    for written, place in first_place.items():
        name = _follow(clean_school(written), cleaned_answers)
        canonical[written] = name
        counts.setdefault(name, place)
    settled = set(cleaned_answers) | set(cleaned_answers.values())
    questions = [
        _question(one, two, counts)
        for one, two in combinations(counts, 2)
        if not (one in settled and two in settled) and likely_same_school(one, two)
    ]
    return canonical, tuple(questions)


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


def _question(one: str, two: str, places: Mapping[str, Place]) -> Question:
    short, full = sorted((one, two), key=len)
    return Question(
        "school-names",
        ("schools", short),
        places[short],
        f"“{short}”（{places[short]}）与“{full}”（{places[full]}）是同一所学校吗",
        (Choice(full, f"是同一所，统一为“{full}”"), Choice(short, "是两所学校")),
        short,
        True,
        (places[short], places[full]),
    )

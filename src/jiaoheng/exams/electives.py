"""Empty scores that have a reason: subjects not chosen, pupils who left or are exempt by their status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import polars as pl

from jiaoheng import packs
from jiaoheng.sheets.places import Choice, Place, Question
from jiaoheng.sheets.reading_model import ScoreState
from jiaoheng.sheets.vocabulary import STATE_WORDS

BLANK = "空白"  # settings marks › 空白: what an empty elective subject means
_STATES = {"离校": ScoreState.LEFT, "免考": ScoreState.EXEMPT}
States = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Explained:
    """States per subject after the reasons were applied, and what must be asked."""

    states: Mapping[str, States]
    questions: tuple[Question, ...]


def explain_blanks(
    pupils: pl.DataFrame, states: Mapping[str, States], marks: Mapping[str, str], place: Place
) -> Explained:
    """Turn MISSING into NOT_CHOSEN, LEFT or EXEMPT where the files say why.

    By the pupil's status, combination (物化生) or track; else, where most pupils have the same number of electives, an
    empty elective is taken as not chosen — asked under marks › 空白, because numbers depend on it.
    """
    result = {name: array.copy() for name, array in states.items()}
    _by_status(pupils, result)
    electives = [name for name in packs.load("joining")["electives"]["subjects"] if name in result]
    known = _by_combination(pupils, result, electives)
    _by_track(pupils, result)
    return Explained(result, _by_number(result, electives, known, marks, place))


def _by_status(pupils: pl.DataFrame, states: dict[str, States]) -> None:
    texts = pupils["status"].to_list()
    for word, words in packs.load("joining")["status"].items():
        mask = np.array([text is not None and any(w in text for w in words) for text in texts], np.bool_)
        if mask.any():
            for array in states.values():
                array[mask & (array == ScoreState.MISSING)] = _STATES[word]


def _by_combination(pupils: pl.DataFrame, states: dict[str, States], electives: Sequence[str]) -> Mask:
    """Returns whose combination is known."""
    short = packs.load("joining")["electives"]["short"]
    texts = pupils["combination"].to_list()
    known = np.zeros(pupils.height, np.bool_)
    for text in {text for text in texts if text}:
        chosen = {name for mark, name in short.items() if mark in text} | {name for name in electives if name in text}
        if len(chosen) < 2:
            continue
        mask = np.array([own == text for own in texts], np.bool_)
        known |= mask
        for name in electives:
            if name not in chosen:
                states[name][mask & (states[name] == ScoreState.MISSING)] = ScoreState.NOT_CHOSEN
    return known


def _by_track(pupils: pl.DataFrame, states: dict[str, States]) -> None:
    texts = pupils["track"].to_list()
    for track in packs.load("joining")["electives"]["tracks"].values():
        mask = np.array([text in track["words"] for text in texts], np.bool_)
        for name in track["not_chosen"]:
            if name in states:
                states[name][mask & (states[name] == ScoreState.MISSING)] = ScoreState.NOT_CHOSEN


def _by_number(
    states: dict[str, States], electives: Sequence[str], known: Mask, marks: Mapping[str, str], place: Place
) -> tuple[Question, ...]:
    """Where most pupils have the same number of electives, their other electives are not chosen."""
    if len(electives) < 2:
        return ()
    table = np.stack([states[name] for name in electives])
    taken = ~np.isin(table, (ScoreState.MISSING, ScoreState.NOT_CHOSEN))
    numbers = taken.sum(axis=0)
    some = numbers[numbers > 0]
    if not some.size:
        return ()
    counts = np.bincount(some)
    usual = int(counts.argmax())
    share = Fraction(int(counts[usual]), int(some.size))
    blank = (table == ScoreState.MISSING) & (numbers == usual) & ~known
    if (
        usual == len(electives)
        or share < Fraction(packs.load("joining")["electives"]["same_number"])
        or not blank.any()
    ):
        return ()
    combinations = np.unique(taken[:, numbers == usual], axis=1).shape[1]
    if combinations < 2 and not (table == ScoreState.NOT_CHOSEN).any():
        return ()  # the same subjects are empty for all: no choice was made
    answer = marks.get(BLANK)
    meant = STATE_WORDS.get(answer or "未选", ScoreState.MISSING)
    for index, name in enumerate(electives):
        states[name][blank[index]] = meant
    if answer is not None:
        return ()
    return (
        Question(
            "blank-electives",
            ("marks", BLANK),
            place,
            f"{int(counts[usual])} 名学生都在{'、'.join(electives)}中有 {usual} 科成绩，其余为空白，"
            f"共 {int(blank.sum())} 处。选考科目的空白是什么意思",
            (Choice("未选", "没有选考该科"), Choice("缺考", "应考而缺考"), Choice("缺失", "成绩缺失，不知原因")),
            "未选",
            True,
            (place,),
        ),
    )

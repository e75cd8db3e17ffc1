"""What / and - and other marks mean: one question a mark, with a default only where the sheet gives a reason."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jiaoheng.sheets.answers import Answers
from jiaoheng.sheets.cells import Oddity
from jiaoheng.sheets.findings import Findings
from jiaoheng.sheets.reading_model import ScoreColumn, ScoreState
from jiaoheng.sheets.score_columns import CORE, ROUND_DECIMALS, WRONG_DECIMALS, MarkPlaces
from jiaoheng.sheets.vocabulary import STATE_WORDS, ZERO_WORD, Vocabulary

_MEANINGS = {
    "缺考": "应考而没有参加", "缺失": "成绩没有录入", "免考": "经批准不参加", "违纪": "违纪或作弊",
    "未选": "没有选考这一科", "缓考": "以后补考", "离校": "休学、转出", ZERO_WORD: "到考，得 0 分",
}  # fmt: skip
# how uniform the number of chosen subjects must be among pupils with the mark to call it a pattern of electives
_PATTERN_SHARE = 0.6
_MIN_ELECTIVES = 5


def chosen_pattern(scores: Sequence[ScoreColumn], mark: str, words: Vocabulary) -> bool:
    """Whether the cells with this mark look like subjects that were not chosen.

    Of at least five elective subjects, most pupils with the mark have the same number (one to four) without it.
    """
    electives = [column for column in scores if column.column.subject in words.electives]
    if len({column.column.subject for column in electives}) < _MIN_ELECTIVES:
        return False
    marked = np.array([[column.marks.get(at) is not None for at in range(len(column.values))] for column in electives])
    unresolved = np.array([column.states == ScoreState.UNRESOLVED for column in electives])
    hits = marked & unresolved
    pupils = hits.any(axis=0)
    if not pupils.any():
        return False
    free = (~hits[:, pupils]).sum(axis=0)
    counts = np.bincount(free, minlength=len(electives) + 1)
    most = int(counts[1:5].max(initial=0))
    return most >= _PATTERN_SHARE * int(pupils.sum())


def ask_marks(
    findings: Findings, marks: MarkPlaces, scores: Sequence[ScoreColumn], words: Vocabulary, answers: Answers
) -> None:
    """One question for each mark; two where it stands both in chosen and in common subjects of a pattern."""
    choices = [(word, _MEANINGS[word]) for word in (*STATE_WORDS, ZERO_WORD)]
    for mark, cells in marks.marks.items():
        defaults = words.marks.get(mark, {})
        pattern = chosen_pattern(scores, mark, words)
        groups: list[tuple[str, str | None, list[tuple[int, int, str | None]]]] = []
        chosen = [cell for cell in cells if cell[2] in words.electives]
        common = [cell for cell in cells if cell[2] not in words.electives]
        if pattern and chosen:
            groups.append((mark, defaults.get("elective"), chosen))
            if common:
                groups.append((f"{CORE}|{mark}", defaults.get("core"), common))
        else:
            groups.append((mark, defaults.get("other"), cells))
        for key, default, group in groups:
            places = [findings.grid.place(row, column) for row, column, _ in group]
            subjects = "、".join(dict.fromkeys(subject or "成绩" for _, _, subject in group))
            reason = "这些学生未填此标记的选考科目数基本相同，像是未选科目。" if default == "未选" else ""
            text = f"{subjects}中有 {len(places)} 格是“{mark}”，它表示什么？{reason}"
            findings.ask("unknown-mark", ("marks", key), text, places=places, choices=choices, default=default)


def ask_pairs(findings: Findings, marks: MarkPlaces) -> None:
    """3/5 could be a date, a fraction, "3 of 5", or original and make-up: each cell is asked."""
    for row, column, text in marks.pairs:
        place = findings.grid.place(row, column)
        first, _, second = text.replace("／", "/").partition("/")
        choices = [
            (f"原{first.strip()}补{second.strip()}", f"原始 {first.strip()} 分，补考 {second.strip()} 分"),
            (first.strip(), f"{first.strip()} 分"),
            (second.strip(), f"{second.strip()} 分"),
            ("缺考", "没有成绩，按缺考"),
        ]
        told = f"成绩“{text}”可以是原始分/补考分、得分/满分，也可以是日期，无法确定。这一格的成绩是什么？"
        findings.ask("ambiguous-pair", ("cells", place.key), told, places=[place], choices=choices)


def ask_decimals(findings: Findings, marks: MarkPlaces) -> None:
    """Scores with more than three decimals: reading them changes a number, so it is asked, once for all sheets."""
    if not marks.rounded:
        return
    places = [findings.grid.place(row, column) for row, column, _ in marks.rounded]
    text = (
        f"有 {len(places)} 格成绩超过三位小数（如“{marks.rounded[0][2]}”），成绩最多保留三位小数。"
        "怎样处理？不回答时四舍五入"
    )
    choices = ((ROUND_DECIMALS, "四舍五入到三位小数"), (WRONG_DECIMALS, "当作错误，逐格改正"))
    findings.ask(
        Oddity.ROUNDED.value, ("accept", Oddity.ROUNDED.value), text,
        places=places, choices=choices, default=ROUND_DECIMALS,
    )  # fmt: skip

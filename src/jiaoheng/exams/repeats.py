"""What is said of scores that stand in the files more than once: the same, a contradiction, or another exam."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import polars as pl

from jiaoheng import packs
from jiaoheng.exams.gathering import Gathered, all_places, place_words, sheet_words
from jiaoheng.exams.joining import Joined
from jiaoheng.exams.names import exam_words, other_exam
from jiaoheng.exams.selection import IGNORE, PRIOR, USE, exam_names, sheet_answer
from jiaoheng.exams.steps import plain
from jiaoheng.sheets.places import Choice, Place, Problem, Question, Severity
from jiaoheng.sheets.reading_model import Measure, ScoreState

STATE_WORDS = {
    ScoreState.MISSING: "空白",
    ScoreState.ABSENT: "缺考",
    ScoreState.EXEMPT: "免考",
    ScoreState.CHEATED: "违纪",
    ScoreState.NOT_CHOSEN: "未选考",
    ScoreState.DEFERRED: "缓考",
    ScoreState.LEFT: "离校",
    ScoreState.UNRESOLVED: "待说明",
    ScoreState.INVALID: "无效",
}


def score_words(value: int, state: int) -> str:
    """A score in thousandths, or the word of its state."""
    return plain(value) if state == ScoreState.SCORED else STATE_WORDS[ScoreState(state)]


def listed(problems: list[Problem], what: str) -> list[Problem]:
    """At most so many single entries (packs/joining.yaml); the rest becomes one entry that counts them."""
    most = int(packs.load("joining")["listing"]["most"])
    if len(problems) <= most:
        return problems
    last = problems[most]
    rest = Problem(
        last.code,
        last.severity,
        Place(last.place.file, last.place.sheet),
        f"另有 {len(problems) - most} 处{what}",
        last.remedy,
    )
    return [*problems[:most], rest]


@dataclass(frozen=True, slots=True)
class _Pair:
    first: int
    second: int
    pupils: int
    same: int  # numbers on both sides
    different: int
    contradictions: int  # differing cells of any state


def _pairs(gathered: Gathered, joined: Joined) -> list[_Pair]:
    """For each two sheets that give scores of the same pupils: how many pupils, same and differing scores."""
    cells, repeats = gathered.cells, joined.repeats
    sheets = gathered.rows["sheet"].to_numpy()
    table = pl.DataFrame(
        {
            "first": sheets[cells.row[repeats.kept]],
            "second": sheets[cells.row[repeats.other]],
            "pupil": joined.position[cells.row[repeats.other]],
            "differs": repeats.differs,
            "numbers": (cells.state[repeats.kept] == ScoreState.SCORED)
            & (cells.state[repeats.other] == ScoreState.SCORED),
        }
    ).filter(pl.col("first") != pl.col("second"))
    groups = (
        table.with_columns(
            pl.min_horizontal("first", "second").alias("first"), pl.max_horizontal("first", "second").alias("second")
        )
        .group_by("first", "second")
        .agg(
            pl.col("pupil").n_unique(),
            (~pl.col("differs") & pl.col("numbers")).sum().alias("same"),
            (pl.col("differs") & pl.col("numbers")).sum().alias("different"),
            pl.col("differs").sum().alias("contradictions"),
        )
        .sort("first", "second")
    )
    columns = ("first", "second", "pupil", "same", "different", "contradictions")
    return [_Pair(*row) for row in groups.select(columns).iter_rows()]


def different_exams(gathered: Gathered, joined: Joined, answers: Mapping[str, str]) -> tuple[Question, ...]:
    """Ask for each sheet which exam it is, where sheets give the same pupils mostly other scores, or contradict each
    other and their exam column, names (12月月考, 11月期中考) or dates tell different exams.

    Sheets that the settings call 采用 are not asked; then what still contradicts is an error.
    """
    rules = packs.load("joining")["exams"]
    counts = _pupils_per_sheet(gathered, joined)
    names = [exam_names(reading) for reading in gathered.readings]
    pairs: list[_Pair] = []
    for pair in _pairs(gathered, joined):
        other_label = pair.contradictions > 0 and _other_label(gathered, names, pair)
        smaller = min(counts[pair.first], counts[pair.second])
        enough = pair.pupils >= int(rules["least_pupils"]) and pair.pupils >= Fraction(rules["shared_pupils"]) * smaller
        share = Fraction(pair.different, max(pair.same + pair.different, 1))
        if other_label or (enough and share > Fraction(rules["different_scores"])):
            pairs.append(pair)
    return _ask_exams(gathered, pairs, answers)


def _other_label(gathered: Gathered, names: list[tuple[str, ...]], pair: _Pair) -> bool:
    """Whether two sheets say of themselves that they are different exams."""
    if names[pair.first] and names[pair.second]:
        return names[pair.first] != names[pair.second]
    one, two = (gathered.readings[sheet] for sheet in (pair.first, pair.second))
    dates = (one.declared.exam_date, two.declared.exam_date)
    if all(dates) and dates[0] != dates[1]:
        return True
    for words in (
        [exam_words(reading.sheet.name) for reading in (one, two)],
        [exam_words(reading.declared.exam_name or "") for reading in (one, two)],
        [exam_words(reading.sheet.file) for reading in (one, two)],
    ):
        if all(words):
            return other_exam(words[0], words[1])
    return False


def _pupils_per_sheet(gathered: Gathered, joined: Joined) -> dict[int, int]:
    table = pl.DataFrame({"sheet": gathered.rows["sheet"], "pupil": joined.position}).filter(pl.col("pupil") >= 0)
    return dict(table.group_by("sheet").agg(pl.col("pupil").n_unique()).iter_rows())


def _ask_exams(gathered: Gathered, pairs: list[_Pair], answers: Mapping[str, str]) -> tuple[Question, ...]:
    partner: dict[int, _Pair] = {}
    for pair in pairs:
        for sheet in (pair.first, pair.second):
            if sheet not in partner or pair.pupils > partner[sheet].pupils:
                partner[sheet] = pair
    files = [reading.sheet.file for reading in gathered.readings]
    whole_files = not any(files[pair.first] == files[pair.second] for pair in pairs)
    asked: dict[str, tuple[Place, _Pair]] = {}
    for sheet, pair in sorted(partner.items()):
        place = gathered.sheet_place(sheet)
        if sheet_answer(place, answers) in (USE, IGNORE, PRIOR):
            continue
        several = sum(files[other] == place.file for other in partner) > 1
        place = Place(place.file) if whole_files and several else place
        asked.setdefault(place.sheet_key, (place, pair))
    return tuple(
        Question(
            "which-exam",
            ("sheets", key),
            place,
            _exam_text(gathered, place, pair),
            (
                Choice(USE, "是本次考试"),
                Choice(PRIOR, "是前次考试，用于进退步"),
                Choice(IGNORE, "不采用"),
            ),
            None,
            True,
            (gathered.sheet_place(pair.first), gathered.sheet_place(pair.second)),
        )
        for key, (place, pair) in asked.items()
    )


def _exam_text(gathered: Gathered, place: Place, pair: _Pair) -> str:
    sheets = [gathered.sheet_place(sheet) for sheet in (pair.first, pair.second)]
    inside = [sheet for sheet in sheets if sheet.file == place.file and place.sheet in ("", sheet.sheet)]
    other = next(sheet for sheet in sheets if sheet not in inside[:1])
    this = "这张表" if place.sheet or not inside[0].sheet else "这个文件"
    total = pair.same + pair.different
    return (
        f"{this}与{sheet_words(other, place)}有 {pair.pupils} 名相同的学生，"
        f"双方都有的 {total} 个分数中 {pair.different} 个不同，像是两次考试。"
        f"{this}是哪一次考试"
    )


def report_repeats(gathered: Gathered, joined: Joined) -> list[Problem]:
    """Contradictions (errors, both cells named), repeated rows of one sheet and sheets that repeat others (notes)."""
    repeats = joined.repeats
    told = repeats.differs
    errors = [
        _contradiction(gathered, joined, int(kept), int(other), bool(settled))
        for kept, other, settled in zip(repeats.kept[told], repeats.other[told], repeats.settled[told], strict=True)
    ]
    notes = _repeated_rows(gathered, joined) + _repeated_sheets(gathered, joined)
    return [*listed(errors, "同一学生的成绩前后不同"), *notes]


def _contradiction(gathered: Gathered, joined: Joined, kept: int, other: int, settled: bool) -> Problem:
    cells = gathered.cells
    first, second = (gathered.place(int(cells.row[i]), int(cells.column[i])) for i in (kept, other))
    key = joined.pupils["key"][int(joined.position[cells.row[other]])]
    values = [score_words(int(cells.value[i]), int(cells.state[i])) for i in (kept, other)]
    subject = gathered.subjects[int(cells.subject[other])]
    message = f"同一学生 {key.replace('|', ' ')} 的{subject}成绩在 {place_words(first, second)} 是 {values[0]}，在 {second.cell} 是 {values[1]}"
    if settled:
        return Problem("scores-differ-settled", Severity.WARNING, second, f"{message}，按设置采用 {values[0]}")
    return Problem(
        "scores-differ",
        Severity.ERROR,
        second,
        message,
        f"请在文件中改成一个值，或在设置“people › {key}”中写“保留第一行”",
    )


def double_columns(gathered: Gathered, answers: Mapping[str, str]) -> tuple[list[Question], list[Problem]]:
    """Two columns of one subject in a sheet: asked, unless its reading asks; an error where the answers call both the
    same.
    """
    questions: list[Question] = []
    problems: list[Problem] = []
    for sheet, kept, other in gathered.doubled:
        place = gathered.sheet_place(sheet)
        one, two = (Place(place.file, place.sheet, 0, column.index + 1) for column in (kept, other))
        if any(question.key == ("columns", two.key) for question in gathered.readings[sheet].questions):
            continue
        if two.key in answers:
            what = "赋分" if other.measure is Measure.SCALED else "原始分"
            message = f"{one.cell}与 {two.cell}都作为{kept.subject}的{what}，而成绩不同"
            remedy = f"请在“columns › {one.key}”或“columns › {two.key}”中改一个答复，例如写“忽略”"
            problems.append(Problem("double-column", Severity.ERROR, two, message, remedy))
            continue
        text = f"{one.cell}与 {two.cell}都是{kept.subject}而成绩不同，{two.cell}是什么"
        choices = (Choice(IGNORE, f"不采用 {two.cell}"), Choice("赋分", f"{kept.subject}的赋分"))
        questions.append(Question("double-column", ("columns", two.key), two, text, choices, None, True, (one, two)))
    return questions, problems


def _repeated_rows(gathered: Gathered, joined: Joined) -> list[Problem]:
    """Rows of one wide sheet for a pupil who has a row there already, without a contradiction."""
    cells, repeats = gathered.cells, joined.repeats
    bad = set(cells.row[repeats.other[repeats.differs]].tolist()) | set(
        cells.row[repeats.kept[repeats.differs]].tolist()
    )
    again = (
        pl.DataFrame({"sheet": gathered.rows["sheet"], "subject": gathered.rows["subject"], "pupil": joined.position})
        .with_row_index("row")
        .filter(pl.col("pupil") >= 0)
        .group_by("sheet", "subject", "pupil", maintain_order=True)
        .agg(pl.col("row"))
        .filter(pl.col("row").list.len() > 1)
    )
    scored = {int(row) for row in cells.row[cells.state != ScoreState.MISSING]} if again.height else set()
    problems = []
    for _, _, _, rows in again.iter_rows():
        first, *others = rows
        for row in others:
            if row in bad:
                continue
            what = "完全相同，只计一次" if row in scored and first in scored else "是同一名学生，合并为一行"
            place = gathered.place(row)
            problems.append(
                Problem("repeated-row", Severity.NOTE, place, f"这一行与第{gathered.place(first).row}行{what}")
            )
    return listed(problems, "重复的行")


def _repeated_sheets(gathered: Gathered, joined: Joined) -> list[Problem]:
    """A summary beside its parts: how many pupils of a sheet stand with the same scores in other sheets."""
    by_sheet: dict[int, list[_Pair]] = {}
    for pair in _pairs(gathered, joined):
        by_sheet.setdefault(pair.second, []).append(pair)
    problems = []
    for sheet, pairs in by_sheet.items():
        if any(pair.contradictions for pair in pairs):
            continue
        place = gathered.sheet_place(sheet)
        others = "、".join(sheet_words(gathered.sheet_place(pair.first), place) for pair in pairs[:3])
        more = f"等 {len(pairs)} 张表" if len(pairs) > 3 else ""
        pupils = sum(pair.pupils for pair in pairs)
        problems.append(
            Problem(
                "repeated-sheet",
                Severity.NOTE,
                place,
                f"这张表中 {pupils} 名学生的成绩与{others}{more}相同，只计一次",
            )
        )
    return problems


def places_asked(gathered: Gathered, joined: Joined, people: Mapping[str, str], held: frozenset[str]) -> list[Question]:
    """Ask for pupils (by number) who stand in two schools or classes. `held`: schools whose names are in question."""
    table = pl.DataFrame(
        {
            "pupil": joined.position,
            "row": np.arange(joined.position.size),
            "school": gathered.rows["school"],
            "class": gathered.rows["class"],
        }
    ).filter(pl.col("pupil") >= 0)
    questions: list[Question] = []
    for column, word in (("school", "学校"), ("class", "班级")):
        odd = (
            table.filter(pl.col(column).is_not_null())
            .unique(["pupil", column], keep="first", maintain_order=True)
            .group_by("pupil", maintain_order=True)
            .agg(pl.col("row"), pl.col(column), pl.col("school").n_unique().alias("schools"))
            .filter(pl.col(column).list.len() > 1)
        )
        if column == "class":
            odd = odd.filter(pl.col("schools") == 1)
        cases = [
            (joined.pupils["key"][pupil], joined.pupils["name"][pupil], rows, names)
            for pupil, rows, names, _ in odd.iter_rows()
            if not (set(names) <= held) and people.get(joined.pupils["key"][pupil]) not in names
        ]
        questions += _ask_places(gathered, cases, word)
    return questions


def _ask_places(
    gathered: Gathered, cases: list[tuple[str, str | None, list[int], list[str]]], word: str
) -> list[Question]:
    most = int(packs.load("joining")["identity"]["homonym_questions"])
    questions = []
    for key, name, rows, names in cases[:most]:
        places = tuple(gathered.place(row) for row in rows)
        where = "；".join(f"{place} 为“{text}”" for place, text in zip(all_places(places), names, strict=True))
        more = f"（另有 {len(cases) - most} 名学生同样如此）" if len(cases) > most else ""
        questions.append(
            Question(
                "two-places",
                ("people", key),
                places[0],
                f"学生 {key}{f'（{name}）' if name else ''}出现在两个{word}：{where}。计入哪一个{more}",
                tuple(Choice(text, f"计入{text}") for text in names),
                None,
                True,
                places,
            )
        )
    return questions

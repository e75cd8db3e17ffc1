"""Which rows of all sheets are the same pupil: by number, else by school, class and name; homonyms are asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from jiaoheng import packs
from jiaoheng.exams.gathering import Gathered, Index, all_places
from jiaoheng.exams.identity_numbers import NUMBER_WORDS, Identifier, choose_identifiers, restore_zeros, same_numbers
from jiaoheng.exams.identity_sheets import chance_meetings
from jiaoheng.sheets.places import Choice, Place, Problem, Question, Severity
from jiaoheng.sheets.reading_model import Role, ScoreState

SAME, OTHER, FIRST, LAST = "同一人", "不同人", "保留第一行", "保留最后一行"
ALL_PEOPLE = "*"  # one answer for all homonyms
BY_ROW = "row"  # kind of an anonymous pupil


@dataclass(frozen=True, slots=True)
class Identified:
    """`person[i]` is the pupil of row i (−1: nobody); per pupil how it was identified and under which key."""

    person: Index
    kinds: tuple[str, ...]  # Role value or "row"
    keys: tuple[str, ...]  # what identifies the pupil in questions and settings: number, or school|class|name
    numbers: tuple[str | None, ...]  # the number, None where identified by name or row
    problems: tuple[Problem, ...]
    questions: tuple[Question, ...]


@dataclass(slots=True)
class _Work:
    gathered: Gathered
    people: Mapping[str, str]
    rows: pl.DataFrame
    person: Index
    kinds: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    numbers: list[str | None] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def new(self, kind: str, key: str, number: str | None) -> int:
        self.kinds.append(kind)
        self.keys.append(key)
        self.numbers.append(number)
        return len(self.keys) - 1


def identify(gathered: Gathered, people: Mapping[str, str], accepted: Mapping[str, str]) -> Identified:
    """Give every row its pupil. `people`, `accepted`: answers of the settings under the keys of the questions."""
    rows = gathered.rows.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    rows = same_numbers(rows)
    rows, problems, questions = restore_zeros(gathered, rows, accepted)
    work = _Work(gathered, people, rows, np.full(rows.height, -1, np.int64), problems=problems, questions=questions)
    identifiers, useless = choose_identifiers(rows)
    for role in useless:
        _report_useless(work, role)
    for identifier in identifiers:
        _by_number(work, identifier)
    _names_under_one_number(work)
    _by_name(work)
    _chance_meetings(work)
    _nameless(work)
    return Identified(
        work.person,
        tuple(work.kinds),
        tuple(work.keys),
        tuple(work.numbers),
        tuple(work.problems),
        tuple(work.questions),
    )


def person_key(school: str | None, class_name: str | None, name: str) -> str:
    """The key of a pupil without a number in questions and settings: school|class|name, unknown parts left out."""
    return "|".join(part for part in (school, class_name, name) if part)


def _report_useless(work: _Work, role: Role) -> None:
    first = int(work.rows.filter(pl.col(role.value).is_not_null())["row"][0])
    word = NUMBER_WORDS[role]
    work.problems.append(
        Problem(
            "number-not-identifying",
            Severity.WARNING,
            work.gathered.sheet_place(int(work.rows["sheet"][first])),
            f"{word}列中不同姓名的学生用了同一个号码（如 {work.rows[role.value][first]}），不能用它识别学生，"
            "改按学校、班级、姓名识别",
            f"如果这一列确是{word}，请改正重复的号码",
        )
    )


def _composite(rows: pl.DataFrame, identifier: Identifier, people: Mapping[str, str]) -> pl.Series:
    """One text a row that identifies; null where the number is empty. A number answered 不同人 is split by name."""
    number = pl.col(identifier.role.value)
    split = [key for key, answer in people.items() if answer == OTHER]
    name = pl.when(number.is_in(split)).then(pl.col("name_key").fill_null("")).otherwise(pl.lit(""))
    parts = [number, name, *(pl.col(column).fill_null("") for column in identifier.scope)]
    return rows.select(pl.when(number.is_not_null()).then(pl.concat_str(parts, separator="\x1f")).alias("key"))["key"]


def _by_number(work: _Work, identifier: Identifier) -> None:
    keys = _composite(work.rows, identifier, work.people)
    table = pl.DataFrame({"row": work.rows["row"], "key": keys, "person": work.person}).filter(
        pl.col("key").is_not_null()
    )
    known = (
        table.filter(pl.col("person") >= 0)
        .group_by("key")
        .agg(pl.col("person").n_unique().alias("n"), pl.col("person").first().alias("known"))
    )
    pending = table.filter(pl.col("person") < 0).join(known, on="key", how="left", maintain_order="left")
    linked = pending.filter(pl.col("n") == 1)
    work.person[linked["row"].to_numpy()] = linked["known"].to_numpy()
    fresh = pending.filter(pl.col("n").is_null())
    numbers = work.rows[identifier.role.value].to_list()
    codes: dict[str, int] = {}
    new: list[int] = []
    for row, key in zip(fresh["row"].to_list(), fresh["key"].to_list(), strict=True):
        if key not in codes:
            codes[key] = work.new(identifier.role.value, numbers[row], numbers[row])
        new.append(codes[key])
    work.person[fresh["row"].to_numpy()] = np.array(new, np.int64)


def _names_under_one_number(work: _Work) -> None:
    """Ask where one number carries different names."""
    table = work.rows.select("row", "name_key", "name").with_columns(pl.Series("person", work.person))
    odd = (
        table.filter((pl.col("person") >= 0) & pl.col("name_key").is_not_null())
        .unique(["person", "name_key"], keep="first", maintain_order=True)
        .group_by("person", maintain_order=True)
        .agg(pl.col("row"), pl.col("name"))
        .filter(pl.col("row").list.len() > 1)
    )
    for person, rows, names in odd.iter_rows():
        key = work.keys[person]
        if key in work.people:
            continue
        places = tuple(work.gathered.place(row) for row in rows)
        word = NUMBER_WORDS.get(Role(work.kinds[person]), "号码")
        work.questions.append(
            Question(
                "number-with-names",
                ("people", key),
                places[0],
                f"{word} {key} 有不同的姓名：{'、'.join(names)}（{'；'.join(all_places(places))}）。是同一名学生吗",
                (Choice(SAME, f"是同一名学生，用姓名“{names[0]}”"), Choice(OTHER, "是不同的学生，号码填错了")),
                None,
                True,
                places,
            )
        )


def _by_name(work: _Work) -> None:
    pending = work.rows.filter(pl.Series(work.person < 0) & pl.col("name_key").is_not_null())
    if pending.is_empty():
        return
    _homonyms(work)
    columns = ("school", "class")
    for given in (("school", "class"), ("class",), ("school",), ()):
        here = [pl.col(c).is_not_null() if c in given else pl.col(c).is_null() for c in columns]
        rows = work.rows.filter(pl.Series(work.person < 0) & pl.col("name_key").is_not_null(), *here)
        if rows.is_empty():
            continue
        _link(work, rows, given, ())
        rows = rows.filter(pl.Series(work.person[rows["row"].to_numpy()] < 0))
        if "class" in given and not rows.is_empty():  # the other sheet may not say the class
            _link(work, rows, tuple(c for c in given if c != "class"), ("class",))
            rows = rows.filter(pl.Series(work.person[rows["row"].to_numpy()] < 0))
        codes: dict[tuple[object, ...], int] = {}
        for row, school, class_name, name_key, name in rows.select(
            "row", "school", "class", "name_key", "name"
        ).iter_rows():
            key = (school, class_name, name_key)
            if key not in codes:
                codes[key] = work.new(Role.NAME.value, person_key(school, class_name, name), None)
            work.person[row] = codes[key]


def _link(work: _Work, rows: pl.DataFrame, by: tuple[str, ...], unknown: tuple[str, ...]) -> None:
    """Link rows to the one known pupil with the same name (and school, class); several known ones are asked."""
    known_rows = work.rows.with_columns(pl.Series("person", work.person)).filter(
        pl.col("person") >= 0, pl.col("name_key").is_not_null(), *(pl.col(c).is_null() for c in unknown)
    )
    if known_rows.is_empty():
        return
    known = known_rows.group_by(*by, "name_key").agg(
        pl.col("person").n_unique().alias("n"),
        pl.col("person").first().alias("known"),
        pl.col("row").unique_counts().len(),
    )
    found = rows.join(known, on=[*by, "name_key"], how="inner", maintain_order="left", suffix="_known")
    linked = found.filter(pl.col("n") == 1)
    work.person[linked["row"].to_numpy()] = linked["known"].to_numpy()
    for row in found.filter(pl.col("n") > 1).iter_rows(named=True):
        key = person_key(row["school"], row["class"], row["name"])
        if key in work.people or ALL_PEOPLE in work.people:
            continue
        place = work.gathered.place(row["row"])
        work.questions.append(
            Question(
                "homonym-ambiguous",
                ("people", key),
                place,
                f"“{row['name']}”没有号码，而同名的学生有 {row['n']} 名，不能确定是哪一名。"
                "请在文件中补上学号或班级，或回答",
                (Choice(OTHER, "是另一名学生"),),
                None,
                True,
                (place,),
            )
        )


def _homonyms(work: _Work) -> None:
    """Rows of one sheet with the same school, class and name of which at least one has no number."""
    table = work.rows.select("row", "sheet", "subject", "school", "class", "name_key", "name").with_columns(
        pl.Series("person", work.person)
    )
    groups = (
        table.filter(pl.col("name_key").is_not_null())
        .group_by("sheet", "subject", "school", "class", "name_key", maintain_order=True)
        .agg(pl.col("row"), pl.col("name").first(), (pl.col("person") < 0).any().alias("open"))
        .filter((pl.col("row").list.len() > 1) & pl.col("open"))
    )
    cases: dict[str, list[int]] = {}
    for _, _, school, class_name, _, rows, name, _ in groups.iter_rows():
        cases.setdefault(person_key(school, class_name, name), []).extend(rows)
    content = _contents(work.gathered, {row for rows in cases.values() for row in rows})
    open_cases: list[tuple[str, list[int], bool]] = []
    for key, rows in cases.items():
        identical = len({content.get(row, ()) for row in rows}) == 1
        answer = work.people.get(key, work.people.get(ALL_PEOPLE))
        if answer is None:
            open_cases.append((key, rows, identical))
        if (answer or (SAME if identical else OTHER)) == OTHER:
            for row in rows:
                if work.person[row] < 0:
                    work.person[row] = work.new(Role.NAME.value, key, None)
    _ask_homonyms(work, open_cases)


def _chance_meetings(work: _Work) -> None:
    """Ask whether a name in two sheets that share few pupils is one pupil; unanswered or 不同人 they stay two."""
    open_cases: list[tuple[str, list[int], bool]] = []
    apart: dict[tuple[int, int], int] = {}
    for case in chance_meetings(work.gathered, work.person, [kind == Role.NAME.value for kind in work.kinds]):
        key = work.keys[case.person]
        answer = work.people.get(key, work.people.get(ALL_PEOPLE))
        if answer not in (None, OTHER):
            continue
        if answer is None:
            open_cases.append((key, [*case.first, *case.second], False))
        sheet = int(work.rows["sheet"][case.second[0]])
        if (case.person, sheet) not in apart:
            apart[case.person, sheet] = work.new(Role.NAME.value, key, None)
        for row in case.second:
            work.person[row] = apart[case.person, sheet]
    _ask_homonyms(work, open_cases)


def _contents(gathered: Gathered, rows: set[int]) -> dict[int, tuple[tuple[int, int, int, int], ...]]:
    """The scores of some rows in a comparable form."""
    if not rows:
        return {}
    cells = gathered.cells.take(np.isin(gathered.cells.row, np.fromiter(rows, np.int64)))
    found: dict[int, list[tuple[int, int, int, int]]] = {}
    for i in np.flatnonzero(cells.state != ScoreState.MISSING):
        entry = (int(cells.subject[i]), int(cells.measure[i]), int(cells.value[i]), int(cells.state[i]))
        found.setdefault(int(cells.row[i]), []).append(entry)
    return {row: tuple(sorted(entries)) for row, entries in found.items()}


def _ask_homonyms(work: _Work, cases: list[tuple[str, list[int], bool]]) -> None:
    choices = (Choice(OTHER, "是同名的不同学生"), Choice(SAME, "是同一名学生"))
    if len(cases) > int(packs.load("joining")["identity"]["homonym_questions"]):
        places = tuple(work.gathered.place(row) for _, rows, _ in cases for row in rows)
        work.questions.append(
            Question(
                "homonyms",
                ("people", ALL_PEOPLE),
                places[0],
                f"{len(cases)} 组学生同校同班同名而没有可识别的号码（如 {cases[0][0]}），是不同的学生吗。"
                "最好在文件中补上学号",
                choices,
                None,
                True,
                places,
            )
        )
        return
    for key, rows, identical in cases:
        if any(question.key == ("people", key) for question in work.questions):
            continue
        places = tuple(work.gathered.place(row) for row in rows)
        where = "、".join(all_places(places))
        same = "，且成绩完全相同" if identical else "，成绩不同"
        work.questions.append(
            Question(
                "homonym",
                ("people", key),
                places[0],
                f"{where}都是“{key.replace('|', ' ')}”，没有可区分的号码{same}，是同一名学生吗",
                choices,
                SAME if identical else None,
                True,
                places,
            )
        )


def _nameless(work: _Work) -> None:
    """Rows with neither number nor name: a sheet of nothing else is anonymous, a single one is an error."""
    table = work.rows.with_columns(pl.Series("person", work.person))
    scored: npt.NDArray[np.bool_] = np.zeros(table.height, np.bool_)
    cells = work.gathered.cells
    scored[cells.row[cells.state != ScoreState.MISSING]] = True
    for sheet, rows, persons, long in (
        table.group_by("sheet", maintain_order=True)
        .agg(pl.col("row"), pl.col("person"), pl.col("subject").is_not_null().any())
        .iter_rows()
    ):
        lost = [row for row, person in zip(rows, persons, strict=True) if person < 0 and scored[row]]
        if not lost:
            continue
        if len(lost) == sum(bool(scored[row]) for row in rows) and not long:
            _anonymous(work, sheet, lost)
        else:
            work.problems += [_lost_row(work.gathered.place(row)) for row in lost]


def _anonymous(work: _Work, sheet: int, rows: list[int]) -> None:
    for row in rows:
        work.person[row] = work.new(BY_ROW, str(work.gathered.place(row)), None)
    place = work.gathered.sheet_place(sheet)
    work.problems.append(
        Problem(
            "anonymous-sheet",
            Severity.WARNING,
            place,
            f"这张表没有姓名，也没有可识别的号码，{len(rows)} 行各算一名学生，无法查出重复的学生",
            "如需核对重复、进退步或与其他表合并，请加上学号或姓名列",
        )
    )


def _lost_row(place: Place) -> Problem:
    return Problem(
        "row-without-name", Severity.ERROR, place, "这一行有成绩，但没有姓名和号码", "请补上姓名或学号，或删除这一行"
    )

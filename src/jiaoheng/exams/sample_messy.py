"""The sample's files as schools really send them: every school has its own way, and its own slips.

Nine ways are dealt out in turn, so that sixty schools show each of them several times. All of them are readable
without loss; slips that need an answer or give a warning are recorded in the fault book. Hard errors come only with
`errors`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

from jiaoheng.exams.sample_clean import usual_class
from jiaoheng.exams.sample_county import chinese_number
from jiaoheng.exams.sample_faults import FaultBook
from jiaoheng.exams.sample_grid import Cell, Grid, shown, write_text, write_web_page, write_workbook
from jiaoheng.exams.sample_rows import PupilRow, SchoolRows
from jiaoheng.methods.numbers import half_up
from jiaoheng.sheets.reading_model import ScoreState

Way = Callable[[Path, SchoolRows, "Habits", FaultBook], list[Path]]
# subjects whose full mark no messy file states: the question that the demonstration answers
NOT_STATED = frozenset({"生物", "地理"})
_WIDE = str.maketrans("0123456789.", "０１２３４５６７８９．")
_OLD_NAMES = {"道德与法治": "道法", "政治": "思想政治", "英语": "外语", "语文": "语 文", "数学": "数 学"}


class Habits:
    """How a school writes absences, by subject position; 高中 keeps `/` for subjects that were not chosen."""

    def __init__(self, index: int, senior: bool, book: FaultBook) -> None:
        self.senior = senior
        self.book = book
        self.absent = ("缺考", "缺", "/", "")[(index // 9 + index) % 4]
        if senior and self.absent in ("/", ""):
            self.absent = "缺考"
        self.cheated = ("违纪", "作弊")[index % 2]
        self.not_chosen = ("/", "")[index % 2]

    def cell(self, subject: str, row: PupilRow, value: int | float | ScoreState) -> Cell:
        """The cell of a mark. An absence written as a blank is noted, because it reads as missing."""
        if not isinstance(value, ScoreState):
            return value
        if value == ScoreState.CHEATED:
            return self.cheated
        if value == ScoreState.NOT_CHOSEN:
            return self.not_chosen or None
        if not self.absent:
            self.book.blanks.setdefault(subject, set()).add(row.pupil)
            return None
        return self.absent


def write_school(folder: Path, school: SchoolRows, book: FaultBook) -> list[Path]:
    """The files of one school in its own way."""
    ways: Sequence[Way] = (_titled, _two_level, _gb18030, _web_page, _merged, _as_texts, _long, _with_summary, _plain)
    habits = Habits(school.index, bool(school.pupils[0].track), book)
    return ways[school.index % len(ways)](folder, school, habits, book)


def _marks(school: SchoolRows, habits: Habits, row: PupilRow) -> list[Cell]:
    return [habits.cell(name, row, row.marks[name]) for name in school.full]


def _tracks(row: PupilRow) -> list[Cell]:
    return [row.track, row.combination] if row.track else []


def _track_heads(school: SchoolRows) -> list[Cell]:
    return ["科类", "选科组合"] if school.pupils[0].track else []


def _stated(school: SchoolRows) -> list[Cell]:
    return [None if name in NOT_STATED else full for name, full in school.full.items()]


def _titled(folder: Path, school: SchoolRows, habits: Habits, book: FaultBook) -> list[Path]:
    """One sheet: title, unit line, header, full-mark row, pupils, footers, signatures; one row stands twice."""
    path = folder / f"{school.name}.xlsx"
    grid = Grid("Sheet1")
    heads: list[Cell] = ["序号", "学号", "考号", "姓名", "班级", *_track_heads(school), *school.full, "总分"]
    last = len(heads) - 1
    grid.add(f"{school.name}{school.grade}成绩统计表", *[None] * last)
    grid.merge(0, 0, 0, last)
    grid.add(f"单位：{school.name}    日期：2026年4月21日", *[None] * last)
    grid.merge(1, 0, 1, last)
    grid.add(*heads)
    start: list[Cell] = ["满分", *[None] * (4 + len(_track_heads(school)))]
    grid.add(*start, *_stated(school), None)
    for number, row in enumerate(school.pupils, 1):
        klass = usual_class(school.grade, row.klass)
        marks = _marks(school, habits, row)
        tail = (*_tracks(row), *marks, row.total)
        grid.add(number, row.student_number, row.exam_number, row.name, klass, *tail)
        if number == 3:
            twice = grid.add(number, row.student_number, row.exam_number, row.name, klass, *tail)
            book.note("duplicate-row", path.name, grid.name, row.name, "与上一行完全相同，只计一次", "note", row=twice)
    _wrong_total(path, grid, school, book)
    _footers(grid, school, 5 + len(_track_heads(school)))
    write_workbook(path, [grid])
    return [path]


def _wrong_total(path: Path, grid: Grid, school: SchoolRows, book: FaultBook) -> None:
    """The last pupil with all marks has a total that is 5 too high."""
    for number in range(len(grid.rows) - 1, 3, -1):
        total = grid.rows[number][-1]
        marks = grid.rows[number][-1 - len(school.full) : -1]
        if isinstance(total, (int, float)) and all(isinstance(cell, (int, float)) for cell in marks):
            grid.rows[number][-1] = total + 5
            column = len(grid.rows[number]) - 1
            now, right = shown(total + 5), shown(total)
            book.note("wrong-total", path.name, grid.name, now, right, "warning", row=number, column=column)
            return


def _footers(grid: Grid, school: SchoolRows, before: int) -> None:
    """Mean and pass rate of every column as the sheet shows it: the row that stands twice counts twice here."""
    means: list[Cell] = []
    rates: list[Cell] = []
    for column, full in enumerate(school.full.values(), before):
        numbers = [row[column] for row in grid.rows[4:]]
        marks = [Fraction(str(value)) for value in numbers if isinstance(value, (int, float))]
        means.append(float(half_up(sum(marks) / len(marks), 2)) if marks else None)
        passed = sum(1 for value in marks if value * 10 >= 6 * full)
        rates.append(f"{half_up(Fraction(100 * passed, len(marks)), 1)}%" if marks else None)
    blank: list[Cell] = [None] * (before - 1)
    grid.add("平均分", *blank, *means)
    grid.add("及格率", *blank, *rates)
    grid.add(f"制表人：{school.pupils[0].name[0]}老师", None, None, "审核人：", None, None, "校长（签字）：")


def _two_level(folder: Path, school: SchoolRows, habits: Habits, book: FaultBook) -> list[Path]:
    """A sheet per class; a two-level header with each subject over its score and its place in the class."""
    path = folder / f"{school.name}{school.grade}成绩.xlsx"
    grids = []
    for number, pupils in school.classes.items():
        grid = Grid(usual_class(school.grade, number).replace("(", "（").replace(")", "）"))
        upper: list[Cell] = ["学号", "考号", "姓名", *_track_heads(school)]
        lead = len(upper)
        lower: list[Cell] = [None] * lead
        for name in school.full:
            upper += [name, None]
            lower += ["得分", "班名次"]
        grid.add(f"{school.name} {grid.name} 成绩", *[None] * (len(upper) - 1))
        grid.merge(0, 0, 0, len(upper) - 1)
        grid.add(*upper)
        grid.add(*lower)
        for column in range(lead):
            grid.merge(1, column, 2, column)
        for at in range(len(school.full)):
            grid.merge(1, lead + 2 * at, 1, lead + 2 * at + 1)
        ranks = {name: _ranks([row.marks[name] for row in pupils]) for name in school.full}
        for at, row in enumerate(pupils):
            cells: list[Cell] = [row.student_number, row.exam_number, row.name, *_tracks(row)]
            for name in school.full:
                cells += [habits.cell(name, row, row.marks[name]), ranks[name][at]]
            grid.add(*cells)
        grids.append(grid)
    write_workbook(path, grids)
    return [path]


def _ranks(marks: Sequence[int | float | ScoreState]) -> list[int | None]:
    """Competition ranks 1 2 2 4 within the class; nothing for who has no mark."""
    numbers = sorted((value for value in marks if not isinstance(value, ScoreState)), reverse=True)
    return [None if isinstance(value, ScoreState) else numbers.index(value) + 1 for value in marks]


def _gb18030(folder: Path, school: SchoolRows, habits: Habits, book: FaultBook) -> list[Path]:
    """A text file from an old system: GB18030, class as 901."""
    path = folder / f"{school.name}.csv"
    grid = Grid("")
    grid.add("学籍号", "准考证号", "姓名", "学校名称", "班级", *_track_heads(school), *school.full, "总分")
    for row in school.pupils:
        klass = _short_class(school, row.klass)
        marks = _marks(school, habits, row)
        lead = (row.student_number, row.exam_number, row.name, school.name, klass)
        grid.add(*lead, *_tracks(row), *marks, row.total)
    write_text(path, grid, "gb18030")
    book.note("encoding", path.name, "", "GB18030", "GB18030", "read")
    return [path]


def _short_class(school: SchoolRows, number: int) -> str:
    digits = {"九年级": "9", "高三": "3"}[school.grade]
    return f"{digits}{number:02d}"


def _web_page(folder: Path, school: SchoolRows, habits: Habits, book: FaultBook) -> list[Path]:
    """A web page that calls itself .xls; classes as 初三1班."""
    path = folder / f"{school.name}.xls"
    grid = Grid(f"{school.name}成绩")
    grid.add(
        "学号", "考号", "学生姓名", "性别", "学校", "班级", *_track_heads(school), *school.full, "总分", "年级名次"
    )
    ranks = _ranks([ScoreState.MISSING if not _whole(row) else row.total or 0 for row in school.pupils])
    prefix = {"九年级": "初三", "高三": "高三"}[school.grade]
    for row, rank in zip(school.pupils, ranks, strict=True):
        lead = (row.student_number, row.exam_number, row.name, row.sex, school.name, f"{prefix}{row.klass}班")
        grid.add(*lead, *_tracks(row), *_marks(school, habits, row), row.total, rank)
    write_web_page(path, grid)
    book.note("lying-extension", path.name, "", ".xls", "网页", "read")
    return [path]


def _whole(row: PupilRow) -> bool:
    """Whether the school ranks the pupil: nothing missing; cheating counts as zero marks."""
    counted = (ScoreState.NOT_CHOSEN, ScoreState.CHEATED)
    return all(not isinstance(value, ScoreState) or value in counted for value in row.marks.values())


def _merged(folder: Path, school: SchoolRows, habits: Habits, book: FaultBook) -> list[Path]:
    """One sheet; the class stands once in a merged cell; exam numbers are numbers shown with leading zeros."""
    path = folder / f"{school.name}.xlsx"
    grid = Grid("成绩表")
    heads: list[Cell] = ["班级", "考号", "学号", "姓  名", *_track_heads(school)]
    lead = len(heads)
    grid.add(f"{school.name}成绩汇总", *[None] * (lead + len(school.full) - 1))
    grid.merge(0, 0, 0, lead + len(school.full) - 1)
    grid.add(*heads, *(_OLD_NAMES.get(name, f"{name}成绩") for name in school.full))
    digits = len(school.pupils[0].exam_number)
    grid.formats[1] = "0" * digits
    for number, pupils in school.classes.items():
        first = len(grid.rows)
        for at, row in enumerate(pupils):
            klass = f"{chinese_number(number)}班" if at == 0 else None
            cells = (klass, int(row.exam_number), row.student_number, row.name, *_tracks(row))
            grid.add(*cells, *_marks(school, habits, row))
        grid.merge(first, 0, len(grid.rows) - 1, 0)
    right = school.pupils[0].exam_number
    book.note("lost-zeros", path.name, grid.name, str(int(right)), right, "read", row=2, column=1)
    write_workbook(path, [grid])
    return [path]


def _as_texts(folder: Path, school: SchoolRows, habits: Habits, book: FaultBook) -> list[Path]:
    """A sheet per class; every mark is a text: plain, in full-width digits, with 分, with odd blanks."""
    path = folder / f"{school.name}.xlsx"
    grids = []
    for number, pupils in school.classes.items():
        grid = Grid(f"{number}班")
        grid.add("学号", "考号", "姓名", "班级", *_track_heads(school), *(f"{name}分数" for name in school.full))
        for at, row in enumerate(pupils):
            dotted = f"9.{number}" if school.grade == "九年级" else f"高三{number}班"
            lead: list[Cell] = [row.student_number, row.exam_number, row.name, dotted, *_tracks(row)]
            marks = [_as_text(cell, at + column) for column, cell in enumerate(_marks(school, habits, row))]
            grid.add(*lead, *marks)
        grids.append(grid)
    book.note("numbers-as-text", path.name, grids[0].name, "文字", "数字", "note")
    write_workbook(path, grids)
    return [path]


def _as_text(cell: Cell, turn: int) -> Cell:
    if cell is None or isinstance(cell, str):
        return cell
    text = shown(cell)
    return (text, text.translate(_WIDE), f"{text}分", f"\u00a0{text} ", text)[turn % 5]


def _long(folder: Path, school: SchoolRows, habits: Habits, book: FaultBook) -> list[Path]:
    """One row per pupil and subject, as exported from a database. Subjects not taken have no row."""
    path = folder / f"{school.name}_导出.csv"
    grid = Grid("")
    tracks = _track_heads(school)
    grid.add("学号", "考号", "姓名", "学校", "班级", *tracks, "科目", "成绩")
    for row in school.pupils:
        klass = usual_class(school.grade, row.klass)
        for name in school.full:
            if row.marks[name] is ScoreState.NOT_CHOSEN:  # a score of 5 equals the state as a number
                continue
            cell = habits.cell(name, row, row.marks[name])
            grid.add(row.student_number, row.exam_number, row.name, school.name, klass, *_tracks(row), name, cell)
    write_text(path, grid, "utf-8-sig")
    return [path]


def _with_summary(folder: Path, school: SchoolRows, habits: Habits, book: FaultBook) -> list[Path]:
    """A summary sheet beside the sheets of the classes: every pupil stands twice and counts once."""
    path = folder / f"{school.name}.xlsx"
    heads: list[Cell] = ["学号", "考号", "姓名", "班级", *_track_heads(school), *school.full, "总分"]
    summary = Grid("全校汇总")
    summary.add(*heads)
    grids = [summary]
    for number, pupils in school.classes.items():
        grid = Grid(usual_class(school.grade, number))
        grid.add(*heads)
        for row in pupils:
            lead = (row.student_number, row.exam_number, row.name, grid.name, *_tracks(row))
            cells = (*lead, *_marks(school, habits, row), row.total)
            summary.add(*cells)
            grid.add(*cells)
        grids.append(grid)
    book.note("summary-beside-parts", path.name, summary.name, "每名学生出现两次", "只计一次", "read")
    write_workbook(path, grids)
    return [path]


def _plain(folder: Path, school: SchoolRows, habits: Habits, book: FaultBook) -> list[Path]:
    """A plain sheet with one hidden row and an old subject name; its pupil counts all the same."""
    path = folder / f"{school.name}.xlsx"
    grid = Grid("成绩", freeze=1)
    names = [{"道德与法治": "政治", "英语": "外语"}.get(name, name) for name in school.full]
    grid.add("学号", "考号", "姓名", "班级", *_track_heads(school), *names, "合计")
    for row in school.pupils:
        klass = f"{school.grade}{row.klass}班"
        lead = (row.student_number, row.exam_number, row.name, klass, *_tracks(row))
        grid.add(*lead, *_marks(school, habits, row), row.total)
    hidden = min(6, len(grid.rows) - 1)
    grid.hidden_rows.add(hidden)
    name = shown(grid.rows[hidden][2])
    book.note("hidden-row", path.name, grid.name, f"{name}（隐藏行）", "计入", "question", row=hidden)
    write_workbook(path, [grid])
    return [path]


def write_errors(folder: Path, school: SchoolRows, book: FaultBook) -> list[Path]:
    """One more workbook of a school with hard errors: each stops the report until it is put right."""
    path = folder / f"{school.name}（有错）.xlsx"
    grid = Grid("成绩")
    grid.add("学号", "考号", "姓名", "班级", *school.full)
    first = 4
    wrong: Mapping[int, tuple[str, Callable[[int], Cell], str]] = {
        0: ("score-above-full", lambda full: full + 35, "不超过满分"),
        1: ("negative-score", lambda full: -1, "不小于 0"),
        2: ("not-a-number", lambda full: "八十", "数字"),
    }
    for at, row in enumerate(school.pupils[:6]):
        marks: list[Cell] = [value if not isinstance(value, ScoreState) else "缺考" for value in row.marks.values()]
        number = len(grid.rows)
        if at in wrong:
            kind, make, right = wrong[at]
            column = first + at % len(marks)
            marks[at % len(marks)] = make(list(school.full.values())[at % len(marks)])
            now = shown(marks[at % len(marks)])
            book.note(kind, path.name, grid.name, now, right, "error", row=number, column=column)
        grid.add(row.student_number, row.exam_number, row.name, usual_class(school.grade, row.klass), *marks)
    write_workbook(path, [grid])
    return [path]

"""One exam's way from files to a roster that may be reported: read, answer, understand, resolve, join, permit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jiaoheng.engine.helper import Helper
from jiaoheng.exams.copies import without_originals
from jiaoheng.exams.defaults import ExamHints, resolve
from jiaoheng.exams.gate import GateDecision, check_permission
from jiaoheng.exams.observations import observe
from jiaoheng.exams.own_results import without_results
from jiaoheng.exams.resolved import Resolution
from jiaoheng.exams.roster import assemble
from jiaoheng.exams.roster_model import Roster
from jiaoheng.exams.selection import select
from jiaoheng.exams.settings import ExamSettings
from jiaoheng.exams.settings_file import (
    SETTINGS_SHEETS,
    SettingsError,
    apply_answers,
    load_settings,
    merge,
    settings_from_sheet,
    settings_from_text,
)
from jiaoheng.exams.settings_names import check_names
from jiaoheng.exams.understanding import understand_files
from jiaoheng.sheets.answers import Answers
from jiaoheng.sheets.limits import Limits
from jiaoheng.sheets.places import Place, Problem, Question, Severity
from jiaoheng.sheets.question_answers import restore
from jiaoheng.sheets.reading import read_files
from jiaoheng.sheets.reading_model import MILLI, Role, SheetReading
from jiaoheng.sheets.workbook import SourceFile

Key = tuple[str, ...]
Progress = Callable[[str, int, int], None]
SETTINGS_FILE = "exam.yaml"  # taken from a given folder where --settings is not given
NOT_TABLES = frozenset({".yaml", ".yml", ".json", ".md"})  # lie beside score files and are none
MOST_ROUNDS = 6  # answering one question may uncover another (which sheet → what its marks mean)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything known before a number is reported.

    `open` questions wait for a person; `taken` ones were answered by their default (`--yes`). `problems` are in the
    order in which they were found. `declared` is what people wrote in settings, without answers and defaults. `roster`
    holds pupils only where no error was found and no question is open.
    """

    files: tuple[SourceFile, ...]
    readings: tuple[SheetReading, ...]
    settings: ExamSettings
    resolution: Resolution
    roster: Roster
    gate: GateDecision
    problems: tuple[Problem, ...]
    open: tuple[Question, ...]
    taken: tuple[tuple[Question, str], ...]
    answered: Mapping[tuple[str, ...], str]
    declared: ExamSettings

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What stops the report."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)

    @property
    def blocking(self) -> tuple[Question, ...]:
        """Open questions that stop the report."""
        return tuple(question for question in self.open if question.blocking)

    @property
    def ready(self) -> bool:
        """Whether the numbers may be reported."""
        return not self.errors and not self.blocking and self.gate.allowed and self.roster.pupils.height > 0


def prepare(
    paths: Sequence[Path],
    *,
    settings_path: Path | None = None,
    prior_paths: Sequence[Path] = (),
    yes: bool = False,
    today: dt.date | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
    helper: Helper | None = None,
) -> Prepared:
    """Read and check files; nothing is written and nothing raised for bad content.

    `settings_path`: exam.yaml or a workbook with a 设置 sheet (overrides a 设置 sheet among `paths`); `prior_paths`: the
    same pupils' earlier exam; `yes`: take the documented default of every question that has one; `helper`: a process
    that takes its share of many sheets.
    """
    tell = progress or (lambda _stage, _done, _total: None)
    everything = [*paths, *(path for path in prior_paths if path not in paths)]
    settings_path = settings_path or _settings_beside(paths)
    read, results = without_results(
        read_files(everything, limits=limits, progress=lambda done, total, _label: tell("读取文件", done, total))
    )
    read = _tables_only(read, everything)
    sources, declared, found, answers, places = _declared(read, settings_path)
    found += results
    declared = _with_prior(declared, sources, prior_paths)
    try:
        settings = apply_answers(declared, answers, places)
    except SettingsError as error:
        found += error.problems
        settings = declared
    day, given_settings = today or dt.date.today(), settings
    round_ = _round(sources, settings, given_settings, None, day, tell, helper)
    taken: dict[tuple[str, ...], tuple[Question, str]] = {}
    rounds = 1
    while yes and rounds < MOST_ROUNDS:
        new = [q for q in round_.questions if q.default is not None and q.key not in taken]
        if not new:
            break
        given = {question.key: str(question.default) for question in new}
        try:
            settings = apply_answers(settings, given)
        except SettingsError as error:
            found += error.problems
            break
        taken |= {question.key: (question, str(question.default)) for question in new}
        round_ = _round(sources, settings, given_settings, round_, day, tell, helper)
        rounds += 1
    problems = _unique([*found, *round_.problems])
    refusal = round_.gate.problem()
    if refusal is not None:
        problems.append(refusal)
    still_open = tuple(question for question in round_.questions if question.key not in taken)
    return Prepared(
        tuple(sources),
        round_.readings,
        settings,
        round_.resolution,
        round_.roster,
        round_.gate,
        tuple(problems),
        still_open,
        tuple(taken.values()),
        answers,
        declared,
    )


def _settings_beside(paths: Sequence[Path]) -> Path | None:
    """The one exam.yaml in the folders given, if there is one."""
    found = [path / SETTINGS_FILE for path in paths if (path / SETTINGS_FILE).is_file()]
    return found[0] if len(found) == 1 else None


def _tables_only(read: Sequence[SourceFile], given: Sequence[Path]) -> list[SourceFile]:
    """Without the settings and notes that a folder also holds; a file named by the user is kept whatever it is."""
    named = {path.resolve() for path in given}
    return [
        source
        for source in read
        if Path(source.path).suffix.lower() not in NOT_TABLES or Path(source.path).resolve() in named
    ]


@dataclass(frozen=True, slots=True)
class _Round:
    answers: Answers
    readings: tuple[SheetReading, ...]
    resolution: Resolution
    roster: Roster
    gate: GateDecision
    problems: tuple[Problem, ...]
    questions: tuple[Question, ...]


def _declared(
    read: Sequence[SourceFile], settings_path: Path | None
) -> tuple[list[SourceFile], ExamSettings, list[Problem], dict[Key, str], dict[Key, Place]]:
    """Sheets under their original names, what 设置 sheets and the settings file declare, and answers given in Excel
    with their cells.
    """
    sources: list[SourceFile] = []
    problems: list[Problem] = []
    settings = ExamSettings()
    answers: dict[Key, str] = {}
    places: dict[Key, Place] = {}
    for source in read:
        sheets, answered = restore(source.sheets)
        problems += answered.problems
        answers |= answered.answers
        for file, text in answered.settings.items():  # what was declared beside the files when the copy was made
            own, wrong = settings_from_text(text, file)
            problems += wrong
            settings = merge(settings, own)
        places |= answered.places
        for sheet in sheets:
            if sheet.name.strip() in SETTINGS_SHEETS:
                own, wrong = settings_from_sheet(sheet)
                problems += wrong
                settings = merge(settings, own)
        kept = tuple(sheet for sheet in sheets if sheet.name.strip() not in SETTINGS_SHEETS)
        sources.append(replace(source, sheets=kept))
    sources, copied = without_originals(sources)
    problems += copied
    if settings_path is not None:
        own, wrong = load_settings(settings_path)
        problems += wrong
        settings = merge(settings, own)
    return sources, settings, problems, answers, places


def _with_prior(settings: ExamSettings, sources: Sequence[SourceFile], prior: Sequence[Path]) -> ExamSettings:
    """The settings with the labels of the files that were given as the prior exam."""
    if not prior:
        return settings
    roots = [path.resolve() for path in prior]
    labels = [
        source.label
        for source in sources
        if any(Path(source.path).resolve() == root or root in Path(source.path).resolve().parents for root in roots)
    ]
    files = tuple(dict.fromkeys((*settings.prior.files, *labels)))
    return settings.model_copy(update={"prior": settings.prior.model_copy(update={"files": files})})


def sheet_answers(settings: ExamSettings, declared: ExamSettings) -> Answers:
    """The part of the settings that the understanding of sheets needs.

    Full marks are those that people `declared`: a default one is checked by the roster and needs no second reading.
    """
    fulls = {name: int(one.full * MILLI) for name, one in declared.subjects.items() if one.full is not None}
    return Answers(
        marks=settings.marks,
        columns=settings.columns,
        sheets=settings.sheets,
        rows=settings.rows,
        cells=settings.cells,
        accept=settings.accept,
        full_marks=fulls,
        scaled=frozenset(name for name, subject in settings.subjects.items() if subject.scaled),
        grade=settings.grade,
    )


def _understand(
    sources: Sequence[SourceFile],
    answers: Answers,
    before: tuple[Answers, tuple[SheetReading, ...]] | None,
    tell: Progress,
    helper: Helper | None,
) -> tuple[SheetReading, ...]:
    """All sheets; those of the round before where no answer that concerns sheets has changed."""
    if before is not None and before[0] == answers:
        return before[1]
    return understand_files(sources, answers, lambda done, total: tell("识别表格", done, total), helper)


def _round(
    sources: Sequence[SourceFile],
    settings: ExamSettings,
    declared: ExamSettings,
    before: _Round | None,
    today: dt.date,
    tell: Progress,
    helper: Helper | None,
) -> _Round:
    answers = sheet_answers(settings, declared)
    readings = _understand(sources, answers, (before.answers, before.readings) if before else None, tell, helper)
    selection = select(readings, sources, settings)
    resolution = resolve(settings, observe(selection.main), _hints(selection.main), today=today)
    roster = assemble(readings, sources, settings, resolved=resolution.settings)
    tell("核对名册", 1, 1)
    schools = roster.pupils["school"].drop_nulls().n_unique() if roster.pupils.height else _schools(selection.main)
    gate = check_permission(resolution.settings, schools, today)
    problems = (*roster.problems, *resolution.problems, *check_names(resolution.settings, roster))
    questions: dict[tuple[str, ...], Question] = {}
    for question in (*roster.questions, *resolution.questions):
        questions.setdefault(question.key, question)  # the roster's know their places
    return _Round(answers, readings, resolution, roster, gate, problems, tuple(questions.values()))


def _hints(readings: Sequence[SheetReading]) -> ExamHints:
    names: list[str] = list(dict.fromkeys(reading.sheet.file for reading in readings))  # also of an annotated copy
    classes: list[str] = []
    grades: list[str] = []
    pupils = 0
    for reading in readings:
        names += [text for text in (reading.declared.exam_name, reading.sheet.name) if text]
        classes += [text for text in (reading.declared.class_name,) if text]
        grades += [text for text in (reading.declared.grade,) if text]
        if reading.pupils is not None:
            classes += _distinct(reading, Role.CLASS)
            grades += _distinct(reading, Role.GRADE)
            pupils += len(reading.pupils.rows)
    dates = [reading.declared.exam_date for reading in readings if reading.declared.exam_date]
    return ExamHints(names, classes, grades, dates, _schools(readings) or None, pupils or None)


def _distinct(reading: SheetReading, role: Role) -> list[str]:
    texts = reading.pupils.texts.get(role, ()) if reading.pupils is not None else ()
    return list(dict.fromkeys(text for text in texts if text))


def _schools(readings: Sequence[SheetReading]) -> int:
    found: set[str] = set()
    for reading in readings:
        found |= set(_distinct(reading, Role.SCHOOL))
        if reading.declared.school:
            found.add(reading.declared.school)
    return len(found)


def _unique(problems: Sequence[Problem]) -> list[Problem]:
    return list(dict.fromkeys(problems))

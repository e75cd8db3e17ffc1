"""A sheet after it was understood: what each row and column is, and its pupils' typed scores in columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

import numpy as np
import numpy.typing as npt

from jiaoheng.methods.states import ScoreState as ScoreState
from jiaoheng.sheets.places import Problem, Question
from jiaoheng.sheets.workbook import Sheet

MILLI = 1000  # scores are read as exact integers in thousandths of a mark; the roster moves them to the subject's step


class SheetKind(StrEnum):
    """What a sheet holds."""

    SCORES = "scores"  # subjects in columns (wide) or pupil × subject in rows (long)
    ITEMS = "items"  # one subject's item scores 小题分
    BLUEPRINT = "blueprint"  # 双向细目表
    PUPILS = "pupils"  # a list of pupils without scores (学籍名单)
    SETTINGS = "settings"  # 设置
    ANSWERS = "answers"  # 待确认
    AGGREGATE = "aggregate"  # figures of schools or classes, not of pupils
    EMPTY = "empty"
    OTHER = "other"


class RowClass(IntEnum):
    """What a row is; the order is stable (stored as uint8)."""

    BLANK = 0
    PUPIL = 1
    TITLE = 2
    UNIT_LINE = 3  # 单位：… 日期：…
    HEADER = 4
    REPEATED_HEADER = 5
    FULL_MARK = 6
    WEIGHT = 7  # 折分、权重
    SAMPLE = 8  # 例、此行不录
    FOOTER = 9  # 平均分、及格率、合计 …
    SIGNATURE = 10
    CODE_LINE = 11  # subject codes or pinyin above the header
    SKIPPED = 12  # hidden or left out by an answer
    EMPTY_PUPIL = 13  # only a serial number: a prepared line nobody filled


class Role(StrEnum):
    """What a column is."""

    SERIAL = "serial"
    PUPIL_ID = "pupil_id"  # 学号、学籍号、考生号: one per pupil
    EXAM_NO = "exam_no"  # 考号、准考证号
    ID_CARD = "id_card"
    NAME = "name"
    SEX = "sex"
    DISTRICT = "district"
    SCHOOL = "school"
    GRADE = "grade"
    CLASS = "class"
    TRACK = "track"  # 物理类/历史类、文/理
    COMBINATION = "combination"  # 选科组合 物化生
    STATUS = "status"  # pupil's status 借读、休学、往届 …
    SUBJECT = "subject"  # long layout
    SCORE = "score"
    TOTAL = "total"
    RANK = "rank"
    EXAM = "exam"  # the exam's own number or name, the same on all rows
    ITEM_NO = "item_no"  # blueprint columns from here
    ITEM_FULL = "item_full"
    ITEM_TYPE = "item_type"
    KNOWLEDGE = "knowledge"
    ABILITY = "ability"
    REMARK = "remark"
    IGNORED = "ignored"
    UNKNOWN = "unknown"


class Measure(StrEnum):
    """Which number of a subject a score column holds."""

    RAW = "raw"  # 原始分、得分、卷面
    SCALED = "scaled"  # 赋分、等级分
    MAKE_UP = "make_up"
    ITEM = "item"


@dataclass(frozen=True, slots=True)
class Column:
    """A recognised column: 0-based index, its header words from top to bottom, role, and subject where it has one."""

    index: int
    header: tuple[str, ...]
    role: Role
    subject: str | None = None  # canonical subject name
    measure: Measure | None = None
    item: str | None = None  # item number as printed, for Measure.ITEM
    rank_scope: str | None = None  # "class" | "school" | "grade" | "all", for Role.RANK (subject None: of the total)
    total_of: str | None = None  # header words of a total that is not the grand total, e.g. 主三门总分


@dataclass(frozen=True, slots=True)
class ScoreColumn:
    """Scores of one column for the sheet's pupil rows (same length and order as PupilBlock.rows)."""

    column: Column
    values: npt.NDArray[np.int64]  # thousandths of a mark; 0 unless SCORED
    states: npt.NDArray[np.uint8]  # ScoreState
    make_up: Mapping[int, int] = field(default_factory=dict)  # position in the block → make-up score (thousandths)
    marks: Mapping[int, str] = field(default_factory=dict)  # position → original text where it was not a plain number


@dataclass(frozen=True, slots=True)
class PupilBlock:
    """The pupils of a sheet, columnar. `rows` are 0-based sheet rows; texts are cleaned, None where blank."""

    rows: npt.NDArray[np.int64]
    texts: Mapping[Role, Sequence[str | None]]
    scores: Sequence[ScoreColumn]
    declared: Sequence[ScoreColumn] = ()  # TOTAL and RANK columns as the file states them
    long: bool = False  # rows are pupil × subject; texts[Role.SUBJECT] names the subject (canonical)


@dataclass(frozen=True, slots=True)
class BlueprintItem:
    """One line of an item blueprint; `full` in thousandths."""

    subject: str
    item: str
    full: int
    type: str | None
    knowledge: tuple[str, ...]
    ability: str | None
    row: int  # 0-based


@dataclass(frozen=True, slots=True)
class Declared:
    """What the sheet says about itself outside its pupil rows."""

    exam_name: str | None = None
    exam_date: str | None = None  # ISO
    school: str | None = None  # from unit line, title, sheet or file name
    grade: str | None = None
    class_name: str | None = None
    subject: str | None = None  # of a sheet with one subject
    full_marks: Mapping[str, int] = field(default_factory=dict)  # subject → thousandths
    weights: Mapping[str, str] = field(default_factory=dict)  # subject → decimal text (折分)
    item_full_marks: Mapping[str, int] = field(default_factory=dict)  # item → thousandths
    means: Mapping[str, str] = field(default_factory=dict)  # subject → declared mean as printed in a footer row


@dataclass(frozen=True, slots=True)
class SheetReading:
    """Everything that was understood of one sheet."""

    sheet: Sheet
    kind: SheetKind
    header_rows: tuple[int, ...]  # 0-based
    columns: tuple[Column, ...]
    row_classes: npt.NDArray[np.uint8]  # RowClass per sheet row
    declared: Declared
    pupils: PupilBlock | None
    blueprint: tuple[BlueprintItem, ...] = ()
    problems: tuple[Problem, ...] = ()
    questions: tuple[Question, ...] = ()

"""What a sheet says about itself: title, unit line, names of sheet and file, full marks, weights, declared means."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache

from jiaoheng import packs
from jiaoheng.sheets.class_names import parse_class
from jiaoheng.sheets.columns import ColumnPlan
from jiaoheng.sheets.reading_model import MILLI, Column, Declared, Measure, Role, RowClass
from jiaoheng.sheets.row_model import RowClasses
from jiaoheng.sheets.sheet_grid import Grid
from jiaoheng.sheets.text import cell_text, fold, number_text
from jiaoheng.sheets.vocabulary import Vocabulary
from jiaoheng.sheets.workbook import Cell

_DATE = re.compile(r"(?<!\d)((?:19|20)\d{2})(?:[-/.年])(\d{1,2})(?:[-/.月])(\d{1,2})日?(?!\d)")
_DATE_8 = re.compile(r"(?<!\d)((?:19|20)\d{2})(0[1-9]|1[0-2])([0-2]\d|3[01])(?!\d)")
_SCHOOL = re.compile(
    r"([\u4e00-\u9fff]{2,20}?(?:中学|小学|学校|[一二三四五六七八九十]中(?!学)|附中|附小|中心校|职高|职中)"
    r"(?:[\u4e00-\u9fff]{1,4}校区|[\u4e00-\u9fff]{1,3}分校)?)"
)
_SHORT_SCHOOL = re.compile(r"(?:[\u4e00-\u9fff]{0,4}[^初高小期])?第?[一二三四五六七八九十]{1,2}[中小]")
_TERM = re.compile(
    r"^(?:[\d\s\-—~()（）.]+|学年度?|年度?|届|级|第[一二12]学期|[上下](?:学?期|半年)|[春秋]季?(?:学期|期(?!末|中))?|期[末中]|月考|联考|度)+"
)
_CLASS = re.compile(
    r"((?:[初高小][一二三123]|[一二三四五六七八九十]{1,2}|[7-9])(?:年级)?[(（]?(?:\d{1,2}|[一二三四五六七八九十]{1,3})[)）]?班"
    r"|(?<!\d)\d{3,4}班|(?:20\d{2})级\d{1,2}班)"
)
_PAIR = re.compile(r"([^:：\s]{1,8})[:：]\s*([^:：]*?)(?=(?:[\s　,，;；]+[^:：\s]{1,8}[:：])|$)")
_FOLDED = ("折分", "折合分", "折算分")
_NOT_SCHOOL = re.compile(r"全[县区市省]|普通高中|各学校|中小学|[县市区](?:小学|中学)$|[初高小][一二三]中$")
_TITLE_TAIL = re.compile(
    r"(?:成绩(?:登记|统计|汇总|采集|分析|花名|报送|上报|明细|单|册|总)*表?|(?:登分|统计|汇总|报送)表|小题分表?|得分表)$"
)


@lru_cache(maxsize=1)
def _grade_words() -> tuple[tuple[str, str], ...]:
    pairs = [
        (fold(str(word)), name)
        for name, entry in packs.load("grades")["grades"].items()
        for word in (name, *entry.get("words", ()))
        if len(str(word)) > 1 and fold(str(word)) not in {"一年", "中考", "高考"}
    ]
    return tuple(sorted(pairs, key=lambda pair: -len(pair[0])))


def find_grade(text: str) -> str | None:
    """The canonical grade named anywhere in a text: 九年级质量检测 → 九年级."""
    folded = fold(text)
    return next((name for word, name in _grade_words() if _names(word, folded)), None)


def _names(word: str, folded: str) -> bool:
    """Whether the word stands in the text as a whole: 高2023届 is a cohort and no 高2."""
    at = folded.find(word)
    while at >= 0:
        after = folded[at + len(word) : at + len(word) + 1]
        if not (word[-1].isdigit() and after.isdigit()):
            return True
        at = folded.find(word, at + 1)
    return False


def find_date(text: str) -> str | None:
    """An ISO date in a text, or None; an impossible date is none."""
    match = _DATE.search(text) or _DATE_8.search(text)
    if not match:
        return None
    year, month, day = (int(part) for part in match.groups())
    return f"{year:04d}-{month:02d}-{day:02d}" if 1 <= month <= 12 and 1 <= day <= 31 else None


def find_class(text: str) -> str | None:
    """A class name in a title, sheet or file name."""
    match = _CLASS.search(text)
    return match[1] if match else None


def find_school(text: str) -> str | None:
    """A school's name at the beginning of a title, or a sheet or file that is called 一中."""
    bare = _TERM.sub("", text.strip())
    if _SHORT_SCHOOL.fullmatch(bare):
        return bare
    match = _SCHOOL.match(bare)
    return match[1] if match and not _NOT_SCHOOL.search(match[1]) else None


def find_subject(text: str, words: Vocabulary) -> str | None:
    """The one subject of at least two characters that a text names; None where it names none or several."""
    folded = fold(text)
    found: list[str] = []
    for alias in words.subject_aliases:
        if len(alias) >= 2 and not alias.isascii() and alias in folded:
            found.append(words.subjects[alias])
            folded = folded.replace(alias, "|")
    names = set(found)
    if not names and folded in words.subjects:
        return words.subjects[folded]
    return names.pop() if len(names) == 1 else None


def declared_of(grid: Grid, plan: ColumnPlan, rows: RowClasses, words: Vocabulary) -> Declared:
    """Everything the sheet declares outside its pupil rows. The nearest source wins: lines, title, sheet, file."""
    sheet = grid.sheet
    head = _head_texts(grid, rows)
    said = _unit_values(grid, rows, words)
    title = next((text for text, kind in head if kind is RowClass.TITLE), "")
    *folders, file_name = sheet.file.replace("\\", "/").split("/")
    stem = re.sub(r"\.[A-Za-z]{2,5}$", "", file_name)
    names = (sheet.name, stem)
    lines = [text for text, _ in head]
    fulls, item_fulls = _full_marks(grid, plan, rows)
    return Declared(
        exam_name=said.get("exam") or _TITLE_TAIL.sub("", title).strip() or title or None,
        exam_date=_first(find_date, [said.get("date", ""), *lines, *names]),
        school=said.get("school") or _first(find_school, [title, *names, *reversed(folders)]),
        grade=_first(find_grade, [said.get("grade", ""), said.get("exam", ""), *lines, *names, *reversed(folders)]),
        class_name=said.get("class") or _first(_class, [title, *names]),
        subject=said.get("subject") or _first(lambda text: find_subject(text, words), [sheet.name, title, stem]),
        full_marks=fulls,
        weights=_weights(grid, plan, rows),
        item_full_marks=item_fulls,
        means=_means(grid, plan, rows, words),
    )


def _first(find: Callable[[str], str | None], texts: Sequence[str]) -> str | None:
    return next((found for text in texts if text and (found := find(text))), None)


def _class(text: str) -> str | None:
    found = find_class(text)
    if found:
        return found
    bare = text.strip()
    if not re.search(r"班|[初高小七八九]", bare) and not re.fullmatch(r"[7-9](?:0[1-9]|[1-4]\d)|[1-9]\.\d{1,2}", bare):
        return None
    return bare if parse_class(bare).number is not None else None


def _head_texts(grid: Grid, rows: RowClasses) -> list[tuple[str, RowClass]]:
    out: list[tuple[str, RowClass]] = []
    limit = int(rows.pupils[0]) if len(rows.pupils) else len(rows.classes)
    for row in range(min(limit, len(rows.classes))):
        kind = RowClass(int(rows.classes[row]))
        if kind in (RowClass.TITLE, RowClass.UNIT_LINE):
            texts = [text for cell in grid.rows[row] if (text := cell_text(cell))]
            if texts:
                out.append(("　".join(texts), kind))
    return out


_UNIT_KEYS = {
    "单位": "school", "学校": "school", "学校名称": "school", "填报单位": "school", "单位名称": "school",
    "考试日期": "date", "日期": "date", "考试时间": "date", "时间": "date", "年级": "grade", "班级": "class",
    "科目": "subject", "学科": "subject", "考试科目": "subject", "考试名称": "exam",
}  # fmt: skip


def _unit_values(grid: Grid, rows: RowClasses, words: Vocabulary) -> dict[str, str]:
    """单位：某校 → school; a key alone in its cell takes the next cell."""
    out: dict[str, str] = {}
    for row in (int(index) for index in (rows.classes == RowClass.UNIT_LINE).nonzero()[0]):
        texts = [text for cell in grid.rows[row] if (text := cell_text(cell))]
        for at, text in enumerate(texts):
            for key, value in _PAIR.findall(text):
                name = _UNIT_KEYS.get(fold(key))
                told = value.strip() or (texts[at + 1] if at + 1 < len(texts) and ":" not in texts[at + 1] else "")
                told = told.strip("　 ,，;；_")
                if name and told and name not in out and "：" not in told:
                    out[name] = told
    if "subject" in out:
        out["subject"] = words.subject(out["subject"]) or out["subject"]
    return out


def _number(cell: Cell) -> Decimal | None:
    text = cell_text(cell)
    match = re.fullmatch(r"[(（]?(?:满分)?[:：]?(\d{1,5}(?:\.\d{1,4})?)分?[)）]?", text) if text else None
    return Decimal(match[1]) if match else None


def full_mark_columns(grid: Grid, plan: ColumnPlan, rows: RowClasses) -> dict[int, int]:
    """Column → full mark in thousandths, from the header's brackets and the rows of full marks."""
    out = dict(plan.full_marks)
    for row in (int(index) for index in (rows.classes == RowClass.FULL_MARK).nonzero()[0]):
        for column in plan.columns:
            value = _number(grid.rows[row][column.index]) if column.role in (Role.SCORE, Role.TOTAL) else None
            if value is not None:
                out[column.index] = int(value * MILLI)
    return out


def _full_marks(grid: Grid, plan: ColumnPlan, rows: RowClasses) -> tuple[dict[str, int], dict[str, int]]:
    subjects: dict[str, int] = {}
    items: dict[str, int] = {}
    found = full_mark_columns(grid, plan, rows)
    for column in plan.columns:
        value = found.get(column.index)
        if value is None or column.role is not Role.SCORE:
            continue
        if column.measure is Measure.ITEM and column.item is not None:
            items.setdefault(column.item, value)
        elif column.subject is not None and column.measure in (None, Measure.RAW):
            subjects.setdefault(column.subject, value)
    return subjects, items


def _weights(grid: Grid, plan: ColumnPlan, rows: RowClasses) -> dict[str, str]:
    out: dict[str, str] = {}
    for row in (int(index) for index in (rows.classes == RowClass.WEIGHT).nonzero()[0]):
        for column in plan.columns:
            cell = grid.rows[row][column.index]
            text = cell_text(cell) if column.role is Role.SCORE and column.subject else None
            if text is None or column.subject is None:
                continue
            match = re.fullmatch(r"(\d{1,4}(?:\.\d{1,6})?)(%?)", fold(text))
            if match:
                share = Decimal(match[1]) / 100 if match[2] else Decimal(match[1])
                out.setdefault(column.subject, format(share.normalize(), "f"))
    for row in (int(index) for index in (rows.classes == RowClass.FULL_MARK).nonzero()[0]):
        for column in plan.columns:
            value = _number(grid.rows[row][column.index]) if _folded_column(column) else None
            if value is not None and column.subject is not None:
                out.setdefault(column.subject, format(value.normalize(), "f"))
    return out


def _folded_column(column: Column) -> bool:
    """语文 over 折分 beside 语文 over 卷面: its full mark is that of the folded score."""
    return column.role is Role.IGNORED and bool(column.subject) and fold(column.header[-1]).endswith(_FOLDED)


def _means(grid: Grid, plan: ColumnPlan, rows: RowClasses, words: Vocabulary) -> dict[str, str]:
    """Declared means, only where the sheet has one row of means: several are of parts nobody named."""
    labelled = [
        row for row, label in rows.labels.items()
        if rows.classes[row] == RowClass.FOOTER and fold(label).strip(":") in words.footer_mean
    ]  # fmt: skip
    if len(labelled) != 1:
        return {}
    cells = grid.rows[labelled[0]]
    out: dict[str, str] = {}
    for column in plan.columns:
        if column.role is Role.SCORE and column.subject and (text := _mean_text(column, cells[column.index])):
            out.setdefault(column.subject, text)
    return out


def _mean_text(column: Column, cell: Cell) -> str | None:
    if column.measure is Measure.ITEM:
        return None
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        return number_text(cell)
    text = cell_text(cell)
    return text if text and re.fullmatch(r"\d{1,4}(?:\.\d+)?", text) else None


def section_classes(rows: RowClasses) -> dict[int, str]:
    """Title lines between pupils that name a class: row → class, for sheets of one table a class."""
    return {row: found for row, text in rows.sections.items() if (found := _class(text))}

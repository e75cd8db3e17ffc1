"""The second step of an import as its page shows it: every count worked out, every sentence ready."""

from __future__ import annotations

import json
from dataclasses import dataclass

from jiaoheng.bureau.core.refusals import NotFoundError
from jiaoheng.bureau.ledgers.imports.answers import Key, Said
from jiaoheng.bureau.ledgers.imports.preview import FileLine, Preview
from jiaoheng.bureau.ledgers.imports.review_sheet import SheetPage, sheet_page
from jiaoheng.bureau.ledgers.imports.sheet_lines import ASK, BAD, CHANGED, NEW, Stored, load_lines
from jiaoheng.bureau.ledgers.imports.starting import preview_of
from jiaoheng.bureau.ledgers.models import ImportBatch
from jiaoheng.sheets.places import Problem, Severity

MOST_FIXES = 50  # wrong cells beside an input on one page
MOST_QUESTIONS = 50
_MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class Fix:
    """One wrong cell: where (`key` for the form, `anchor` in the table), the sentence, what stands there."""

    key: str
    where: str  # 工作表“班额”
    cell: str  # F9
    title: str  # head of the column
    sentence: str
    value: str
    unit: str
    numeric: bool
    can: bool  # whether it can be put right on the page
    anchor: str  # of its cell in the table below; "" where this page of the table does not have it


@dataclass(frozen=True, slots=True)
class Answer:
    """One possible answer; `chosen`: said already, or the default."""

    value: str
    label: str
    default: bool
    chosen: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """One question; `name` of its form field; `text_value`: where it has no choices."""

    name: str
    text: str
    place: str
    choices: tuple[Answer, ...]
    value: str
    open: bool


@dataclass(frozen=True, slots=True)
class Tab:
    """One filter of the table."""

    kind: str
    words: str
    mark: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Review:
    """Step two. `state`: refused (the file cannot be taken), wrong, asking, same (nothing to write), ready."""

    state: str
    summary: str
    told: str
    step_words: str
    fixes: tuple[Fix, ...]
    fixes_left: int
    questions: tuple[Asked, ...]
    open_questions: int
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    not_taken: tuple[str, ...]
    missing: tuple[str, ...]
    missing_left: int
    refusals: tuple[tuple[str, str], ...]
    files: tuple[FileLine, ...]
    tabs: tuple[Tab, ...]
    sheet: SheetPage
    blocked: str
    bar: str
    rows: int  # that would be written
    corrected: int


def review_of(batch: ImportBatch, kind: str = "", number: object = 1) -> Review:
    """The second step. `kind`: filter of the table; `number`: its page. RefusedError as `preview_of`."""
    shown, lines = preview_of(batch), load_lines(batch.preview)
    counts = lines.counts or {"total": 0, BAD: 0, CHANGED: 0, NEW: 0, ASK: 0, "same": 0}
    errors = [one for one in shown.problems if one.severity is Severity.ERROR]
    whole = [one for one in errors if not one.place.row]
    cells = sorted((one for one in errors if one.place.row), key=_where)
    questions = _questions(batch, shown, lines)
    still_open = sum(one.open for one in questions)
    sheet = sheet_page(lines, kind, number)
    state = _state(shown, bool(whole), len(cells), still_open)
    will = shown.counts.get("new", 0) + shown.counts.get("changed", 0) + shown.counts.get("drafts", 0)
    return Review(
        state=state,
        summary=_summary(batch, shown, counts),
        told=shown.sentence,
        step_words=_step_words(state, len(cells), still_open),
        fixes=tuple(_fix(one, lines, sheet.anchors) for one in cells[:MOST_FIXES]),
        fixes_left=max(0, len(cells) - MOST_FIXES),
        questions=tuple(questions[:MOST_QUESTIONS]),
        open_questions=still_open,
        warnings=tuple(str(one) for one in shown.problems if one.severity is not Severity.ERROR)[:_MOST_LISTED],
        notes=shown.notes,
        not_taken=shown.not_taken,
        missing=shown.missing[:_MOST_LISTED],
        missing_left=max(0, shown.counts.get("missing", 0) - _MOST_LISTED),
        refusals=tuple((_told(one), _closed(one.remedy)) for one in whole),
        files=shown.files,
        tabs=_tabs(counts, kind),
        sheet=sheet,
        blocked=shown.blocked,
        bar=_bar(state, shown, len(cells), still_open),
        rows=will,
        corrected=len(Said.of(batch.answers).cells),
    )


def question_key(name: str) -> Key:
    """A question's key from its form field. NotFoundError for anything else."""
    try:
        found = json.loads(name)
    except ValueError:
        raise NotFoundError from None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise NotFoundError
    return tuple(found)


def _state(shown: Preview, refused: bool, wrong: int, waiting: int) -> str:
    if refused and not shown.counts.get("rows") and not shown.files:
        return "refused"
    if wrong or refused:
        return "wrong"
    if waiting and shown.blocked:
        return "asking"
    return "same" if shown.blocked else "ready"


def _summary(batch: ImportBatch, shown: Preview, counts: dict[str, int]) -> str:
    rows = f"{shown.counts.get('rows', 0):,} 行 {counts['total']:,} 格"
    parts = [("有误", counts[BAD]), ("改动", counts[CHANGED]), ("新增", counts[NEW]), ("不变", counts["same"])]
    parts.append(("待答", counts[ASK]))
    told = "，".join(f"{word} {number:,}" for word, number in parts)
    several = f"（{shown.counts['files']} 个文件）" if shown.counts.get("files", 1) > 1 else ""
    return f"{batch.attachment.name}{several}，{rows}：{told}。"


def _step_words(state: str, wrong: int, waiting: int) -> str:
    parts = [f"改 {wrong:,} 处"] if wrong else []
    parts += [f"答 {waiting} 个问题"] if waiting else []
    if parts:
        return "，".join(parts)
    return {"refused": "文件不能用", "same": "没有要写入的内容"}.get(state, "核对完了")


def _bar(state: str, shown: Preview, wrong: int, waiting: int) -> str:
    if state == "wrong":
        return f"还有 {wrong:,} 处有误，台账一格未动。" if wrong else "有文件不能导入，台账一格未动。"
    if state == "asking":
        return f"还有 {waiting} 个问题，台账一格未动。"
    if state == "same":
        return "没有要写入的内容，台账一格未动。"
    return f"核对无误：{shown.sentence}"


def _where(one: Problem) -> tuple[str, str, int, int]:
    return one.place.file, one.place.sheet, one.place.row, one.place.column


def _told(one: Problem) -> str:
    place = str(one.place)
    return _closed(f"{place}：{one.message}" if place else one.message)


def _closed(text: str) -> str:
    return text if not text or text.endswith(("。", "？")) else f"{text}。"


def _fix(one: Problem, lines: Stored, anchors: frozenset[str]) -> Fix:
    place = one.place
    value, unit, numeric, title = lines.raw.get(place.key, ("", "", False, ""))
    several = len({sheet[0] for sheet in lines.sheets}) > 1
    where = " ".join(part for part in (place.file if several else "", f"工作表“{place.sheet}”") if part)
    sentence = "".join(_closed(part) for part in (one.message, one.remedy))
    number = next((at for at, sheet in enumerate(lines.sheets) if sheet[:2] == [place.file, place.sheet]), 0)
    anchor = f"c{number}-{place.cell}"
    anchor = anchor if anchor in anchors else ""
    return Fix(place.key, where, place.cell, title, sentence, value, unit, numeric, place.key in lines.raw, anchor)


def _questions(batch: ImportBatch, shown: Preview, lines: Stored) -> list[Asked]:
    said = Said.of(batch.answers).answers
    known = {one.key for one in shown.questions}
    made = []
    for one in lines.asked:
        key = tuple(one["key"])
        value = said.get(key, one["default"] or "")
        choices = tuple(
            Answer(choice, label, choice == one["default"], choice == value) for choice, label in one["choices"]
        )
        name = json.dumps(one["key"], ensure_ascii=False)
        made.append(Asked(name, one["text"], one["place"], choices, value, key in known))
    return sorted(made, key=lambda one: not one.open)


def _tabs(counts: dict[str, int], kind: str) -> tuple[Tab, ...]:
    rows = (
        ("", "全部", "", counts["total"]),
        (BAD, "有误", "错", counts[BAD]),
        (CHANGED, "改动", "改", counts[CHANGED]),
        (NEW, "新增", "新", counts[NEW]),
        (ASK, "待答", "问", counts[ASK]),
        ("same", "不变", "", counts["same"]),
    )
    return tuple(Tab(name, words, mark, count, name == kind) for name, words, mark, count in rows)

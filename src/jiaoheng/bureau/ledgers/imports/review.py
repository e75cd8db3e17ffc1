"""The second step of an import as its page shows it: every count worked out, every sentence ready."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jiaoheng.bureau.ledgers.imports.answers import Key, Said
from jiaoheng.bureau.ledgers.imports.preview import FileLine, Preview
from jiaoheng.bureau.ledgers.imports.review_fixes import Asked, FixPage, fix_page, spread
from jiaoheng.bureau.ledgers.imports.review_questions import QuestionPage, answers_of_all, question_page
from jiaoheng.bureau.ledgers.imports.review_sheet import SheetPage, sheet_page
from jiaoheng.bureau.ledgers.imports.sheet_lines import ASK, BAD, CHANGED, NEW, load_lines
from jiaoheng.bureau.ledgers.imports.starting import preview_of
from jiaoheng.bureau.ledgers.models import ImportBatch
from jiaoheng.sheets.places import Problem, Severity

_MOST_LISTED = 100


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
    fixes: FixPage
    questions: QuestionPage
    open_questions: int
    kept: bool  # something was said since the file was judged
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


def review_of(
    batch: ImportBatch,
    kind: str = "",
    number: object = 1,
    *,
    fixes: Asked | None = None,
    asks: str = "",
    asks_number: object = 1,
) -> Review:
    """The second step. `kind`, `number`: filter and page of the table; `fixes`: of the wrong cells; `asks`, `asks_number`:
    of the questions. RefusedError as `preview_of`."""
    shown, lines, said = preview_of(batch), load_lines(batch.preview), Said.of(batch.answers)
    counts = lines.counts or {"total": 0, BAD: 0, CHANGED: 0, NEW: 0, ASK: 0, "same": 0}
    errors = [one for one in shown.problems if one.severity is Severity.ERROR]
    whole = [one for one in errors if not one.place.row]
    cells = [one for one in errors if one.place.row]
    waiting = frozenset(one.key for one in shown.questions)
    questions = question_page(lines, waiting, said.answers, asks, asks_number)
    still_open = questions.open
    sheet = sheet_page(lines, kind, number)
    state = _state(shown, bool(whole), len(cells), still_open)
    will = shown.counts.get("new", 0) + shown.counts.get("changed", 0) + shown.counts.get("drafts", 0)
    return Review(
        state=state,
        summary=_summary(batch, shown, counts),
        told=shown.sentence,
        step_words=_step_words(state, len(cells), still_open),
        fixes=fix_page(cells, lines, said.cells, sheet.anchors, fixes or Asked()),
        questions=questions,
        open_questions=still_open,
        kept=said.kept,
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
        corrected=len(said.cells),
    )


def said_for_all(batch: ImportBatch, same: Mapping[str, str], at_once: str) -> tuple[dict[Key, str], dict[str, str]]:
    """What one choice for many means: answers of the open questions (`at_once`), cells of groups of equal mistakes.

    same: place key of a group's first cell → text. RefusedError, NotFoundError for what the page does not offer.
    """
    shown, lines = preview_of(batch), load_lines(batch.preview)
    answers = answers_of_all(lines, frozenset(one.key for one in shown.questions), at_once) if at_once else {}
    errors = (one for one in shown.problems if one.severity is Severity.ERROR and one.place.row)
    return answers, spread(errors, lines, same) if same else {}


def has_unjudged(batch: ImportBatch) -> bool:
    """Whether something was said since the file was judged, so that the preview does not hold it."""
    return Said.of(batch.answers).kept


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


def _told(one: Problem) -> str:
    place = str(one.place)
    return _closed(f"{place}：{one.message}" if place else one.message)


def _closed(text: str) -> str:
    return text if not text or text.endswith(("。", "？")) else f"{text}。"


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

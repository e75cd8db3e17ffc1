"""The sheet 待确认: one row a question with a drop-down, then the list of errors with links to their cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jiaoheng.sheets.annotate_memory import ANSWER_COLUMN, HEADER, MEMORY_SHEET, Key, encode_key, spelled
from jiaoheng.sheets.ooxml_styles import Styles
from jiaoheng.sheets.ooxml_xml import MAIN_STRICT, RELS_STRICT, RELS_TRANSITIONAL, escape_attribute, escape_cell
from jiaoheng.sheets.places import Choice, Severity, column_letters

INLINE_LIST_LIMIT = 255  # characters; a longer list in the cell rule is dropped silently by the programs
MAX_LISTED = 5_000  # problems listed; the rest is counted
_WIDTHS = (7, 34, 46, 32, 18, 26, 10)
_LIST_HEADER = ("编号", "位置", "问题", "怎样改", "程度")
_WORDS = {Severity.ERROR: "■ 错误", Severity.WARNING: "▲ 提醒", Severity.NOTE: "○ 说明"}
_SHOWN_CHOICES = 12


@dataclass(frozen=True, slots=True)
class NextStep:
    """What a person does with the marked workbook afterwards: the words that differ between an exam and a register."""

    title: str = "填完后保存，再次运行"
    clean: str = "没有必须处理的事项，可以直接生成报告"
    hint: str = "保存后运行 jiaoheng exam report 加本文件名"


EXAM = NextStep()


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A question as it stands in the sheet; `link` is a place in this workbook (`'九1班'!E17`)."""

    number: int
    key: Key
    place: str
    link: str | None
    text: str
    choices: Sequence[Choice]  # with labels as shown
    default: str | None
    blocking: bool
    answer: str  # "" where open


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """A problem as it stands in the list."""

    place: str
    link: str | None
    message: str
    remedy: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class _Formats:
    title: int
    hint: int
    head: int
    text: int
    link: int
    answer: int
    error: int
    warning: int


def build_sheet(
    questions: Sequence[QuestionRow],
    problems: Sequence[ProblemRow],
    remarks: Sequence[str],
    spans: Mapping[Key, tuple[int, int]],
    styles: Styles,
    main_namespace: str,
    step: NextStep = EXAM,
) -> bytes:
    """XML of the sheet. `spans` are the rows of each question's choices in the hidden sheet (values in column D)."""
    return _Builder(spans, _formats(styles), main_namespace, step).build(questions, problems, remarks)


def title_sentence(questions: Sequence[QuestionRow], problems: Sequence[ProblemRow], step: NextStep = EXAM) -> str:
    """Row 1: how much is open."""
    open_rows = [row for row in questions if not row.answer]
    done = len(questions) - len(open_rows)
    errors = sum(row.severity is Severity.ERROR for row in problems)
    warnings = sum(row.severity is Severity.WARNING for row in problems)
    parts = []
    if open_rows:
        parts.append(f"{len(open_rows)} 个问题等您答复")
    if done:
        parts.append(f"{done} 个问题已经答复")
    if errors:
        parts.append(f"{errors} 处错误要改")
    if warnings:
        parts.append(f"{warnings} 处提醒请核对")
    if not open_rows and not errors:
        return "，".join([*parts, step.clean]) + "。"
    return f"{'，'.join(parts)}。{step.title}。"


def _hint(problems: Sequence[ProblemRow], step: NextStep) -> str:
    hint = "问题：在“您的答复”栏（淡黄色）从下拉列表中选择，或直接填写；写“默认”表示采用默认。"
    if problems:
        hint += "错误：点“位置”跳到单元格，红色底纹是错误，黄色是提醒，蓝色是问题所在，批注写明原因，就地改正。"
    return f"{hint}{step.hint}；请不要删除本表的行和列。"


def _formats(styles: Styles) -> _Formats:
    face = '<name val="微软雅黑"/><family val="2"/><charset val="134"/>'
    plain = styles.font(f'<sz val="10"/>{face}')
    grey = styles.font(f'<sz val="10"/><color rgb="FF595959"/>{face}')
    bold = styles.font(f'<b/><sz val="14"/><color rgb="FF1F3864"/>{face}')
    white = styles.font(f'<b/><sz val="10"/><color rgb="FFFFFFFF"/>{face}')
    blue = styles.font(f'<u/><sz val="10"/><color rgb="FF0B57A4"/>{face}')
    line = styles.border("FFBFBFBF")
    top = '<alignment vertical="top" wrapText="1"/>'
    middle = '<alignment vertical="center" wrapText="1"/>'

    def form(font: int, fill: int = 0, border: int = 0, number: int = 0, children: str = top) -> int:
        return styles.format(
            f'numFmtId="{number}" fontId="{font}" fillId="{fill}" borderId="{border}" xfId="0" '
            'applyNumberFormat="1" applyFont="1" applyFill="1" applyBorder="1" applyAlignment="1"',
            children,
        )

    return _Formats(
        title=form(bold, children=middle),
        hint=form(grey, children=middle),
        head=form(white, styles.solid("FF2F5D8A"), line, children=middle),
        text=form(plain, 0, line),
        link=form(blue, 0, line),
        answer=form(plain, styles.solid("FFFFF9E3"), line, number=49),  # 49: text, so that 1/2 stays 1/2
        error=form(plain, styles.solid("FFFBDCD8"), line),
        warning=form(plain, styles.solid("FFFDF0C8"), line),
    )


class _Builder:
    """Rows collected from the top, then the parts that must follow them."""

    def __init__(
        self, spans: Mapping[Key, tuple[int, int]], formats: _Formats, main_namespace: str, step: NextStep
    ) -> None:
        self.spans = spans
        self.formats = formats
        self.namespace = main_namespace
        self.step = step
        self.rows: list[str] = []
        self.merges: list[str] = []
        self.lists: list[str] = []
        self.links: list[str] = []

    def build(self, questions: Sequence[QuestionRow], problems: Sequence[ProblemRow], remarks: Sequence[str]) -> bytes:
        self.wide(title_sentence(questions, problems, self.step), self.formats.title, 30)
        self.wide(_hint(problems, self.step), self.formats.hint)
        self.row([(word, self.formats.head) for word in HEADER], 22)
        for question in questions:
            self.question(question)
        if not questions:
            self.wide("没有需要答复的问题。", self.formats.text)
        last_answer = len(self.rows)
        if problems or remarks:
            self.wide("", self.formats.hint)
            listed = f"，下面列出前 {MAX_LISTED:,} 处" if len(problems) > MAX_LISTED else ""
            self.wide(f"错误、提醒和说明共 {len(problems):,} 处{listed}", self.formats.title, 26)
            for remark in remarks:
                self.wide(remark, self.formats.hint)
        if problems:
            self.row([(word, self.formats.head) for word in _LIST_HEADER], 22)
            for number, problem in enumerate(problems[:MAX_LISTED], 1):
                self.problem(number, problem)
        return self.xml(last_answer)

    def question(self, row: QuestionRow) -> None:
        number = len(self.rows) + 1
        text = self.formats.text
        self.link(number, row.link, row.place)
        default = row.default or ("无，须答复" if row.blocking else "可不答")
        cells = [
            (str(row.number), text),
            (row.place, self.formats.link if row.link else text),
            (row.text, text),
            (_shown(row), text),
            (default, text),
            (row.answer, self.formats.answer),
            (encode_key(row.key), text),
        ]
        self.row(cells)
        self.lists.append(self.rule(row, number))

    def problem(self, count: int, row: ProblemRow) -> None:
        number = len(self.rows) + 1
        text = self.formats.text
        severity = {Severity.ERROR: self.formats.error, Severity.WARNING: self.formats.warning}.get(row.severity, text)
        self.link(number, row.link, row.place)
        place = self.formats.link if row.link else text
        cells = [(str(count), text), (row.place, place), (row.message, text), (row.remedy, text)]
        self.row([*cells, (_WORDS[row.severity], severity)])

    def link(self, row: int, target: str | None, shown: str) -> None:
        if target:
            location, display = escape_attribute(target), escape_attribute(shown[:200])
            self.links.append(f'<hyperlink ref="B{row}" location="{location}" display="{display}"/>')

    def rule(self, row: QuestionRow, number: int) -> str:
        where = f"{column_letters(ANSWER_COLUMN)}{number}"
        if not row.choices:
            prompt = "没有固定选项，请填写数字或文字。"
            return (
                f'<dataValidation allowBlank="1" showInputMessage="1" promptTitle="您的答复" '
                f'prompt="{prompt}" sqref="{where}"/>'
            )
        words = [choice.value for choice in row.choices]
        inline = ",".join(words)
        if len(inline) <= INLINE_LIST_LIMIT and not any("," in x or '"' in x or x.startswith("=") for x in words):
            formula = f'"{inline}"'
        else:
            first, last = self.spans[row.key]
            formula = f"'{MEMORY_SHEET}'!$D${first}:$D${last}"
        return (
            '<dataValidation type="list" errorStyle="warning" allowBlank="1" showInputMessage="1" showErrorMessage="1" '
            'errorTitle="不在可选范围" error="请从下拉列表中选择；也可以填写“可选”栏里的序号。" '
            f'promptTitle="您的答复" prompt="点右侧箭头选择一项。" sqref="{where}">'
            f"<formula1>{escape_cell(formula)}</formula1></dataValidation>"
        )

    def wide(self, text: str, style: int, height: int | None = None) -> None:
        number = len(self.rows) + 1
        self.merges.append(f'<mergeCell ref="A{number}:{column_letters(ANSWER_COLUMN)}{number}"/>')
        total = sum(_WIDTHS[:ANSWER_COLUMN])
        self.row([(text, style)] + [("", style)] * (ANSWER_COLUMN - 1), height or _height([(text, total)]), fixed=True)

    def row(self, cells: Sequence[tuple[str, int]], height: float | None = None, fixed: bool = False) -> None:
        number = len(self.rows) + 1
        made = []
        for column, (text, style) in enumerate(cells, 1):
            place = f"{column_letters(column)}{number}"
            if text:
                content = f'<is><t xml:space="preserve">{escape_cell(text)}</t></is>'
                made.append(f'<c r="{place}" s="{style}" t="inlineStr">{content}</c>')
            else:
                made.append(f'<c r="{place}" s="{style}"/>')
        if height is None:
            height = _height([(text, width) for (text, _), width in zip(cells[:6], _WIDTHS, strict=False)])
        custom = ' customHeight="1"' if fixed else ""  # merged rows do not grow by themselves
        self.rows.append(f'<row r="{number}" ht="{height:g}"{custom}>{"".join(made)}</row>')

    def xml(self, last_answer: int) -> bytes:
        links = RELS_STRICT if self.namespace == MAIN_STRICT else RELS_TRANSITIONAL
        hidden = ' hidden="1"'
        columns = "".join(
            f'<col min="{i}" max="{i}" width="{width}" customWidth="1"{hidden if i > ANSWER_COLUMN else ""}/>'
            for i, width in enumerate(_WIDTHS, 1)
        )
        pieces = [
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n',
            f'<worksheet xmlns="{self.namespace}" xmlns:r="{links}">',
            '<sheetPr><tabColor rgb="FFC0504D"/><pageSetUpPr fitToPage="1"/></sheetPr>',
            '<sheetViews><sheetView showGridLines="0" tabSelected="1" workbookViewId="0">',
            '<pane ySplit="3" topLeftCell="A4" activePane="bottomLeft" state="frozen"/>',
            '<selection pane="bottomLeft" activeCell="F4" sqref="F4"/></sheetView></sheetViews>',
            f'<sheetFormatPr defaultRowHeight="15"/><cols>{columns}</cols>',
            f"<sheetData>{''.join(self.rows)}</sheetData>",
            f'<mergeCells count="{len(self.merges)}">{"".join(self.merges)}</mergeCells>',
        ]
        if self.lists:
            pieces.append(f'<dataValidations count="{len(self.lists)}">{"".join(self.lists)}</dataValidations>')
        if self.links:
            pieces.append(f"<hyperlinks>{''.join(self.links)}</hyperlinks>")
        pieces += [
            '<pageMargins left="0.4" right="0.4" top="0.6" bottom="0.6" header="0.3" footer="0.3"/>',
            '<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/>',
            "<headerFooter><oddFooter>&amp;C第 &amp;P 页，共 &amp;N 页</oddFooter></headerFooter>",
            f'<ignoredErrors><ignoredError sqref="A1:F{max(4, last_answer)}" numberStoredAsText="1"/></ignoredErrors>',
            "</worksheet>",
        ]
        return "".join(pieces).encode()


def _shown(row: QuestionRow) -> str:
    if not row.choices:
        return "自行填写"
    lines = [f"{number}. {spelled(choice)}" for number, choice in enumerate(row.choices[:_SHOWN_CHOICES], 1)]
    if len(row.choices) > _SHOWN_CHOICES:
        lines.append(f"……共 {len(row.choices)} 项，见下拉列表")
    return "\n".join(lines)


def _height(cells: Sequence[tuple[str, int]]) -> float:
    """Points for the tallest cell: a Chinese character is two units of column width."""
    most = 1
    for text, width in cells:
        lines = 0
        for line in text.split("\n"):
            units = sum(2 if ord(character) > 0x2E7F else 1 for character in line)
            lines += max(1, -(-units // max(1, width - 2)))
        most = max(most, lines)
    return min(409.0, most * 14.5 + 5)

"""What `exam check` and `exam report` say about prepared files, in lines for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from jiaoheng.cli.console import tell
from jiaoheng.exams.pipeline import Prepared
from jiaoheng.sheets.places import Problem, Question, Severity
from jiaoheng.sheets.reading_model import Role, RowClass, SheetKind, SheetReading

KINDS = {
    SheetKind.SCORES: "成绩表",
    SheetKind.ITEMS: "小题分",
    SheetKind.BLUEPRINT: "双向细目表",
    SheetKind.PUPILS: "学生名单",
    SheetKind.SETTINGS: "考试设置",
    SheetKind.ANSWERS: "待确认",
    SheetKind.AGGREGATE: "汇总数据（不是学生成绩）",
    SheetKind.EMPTY: "空表",
    SheetKind.OTHER: "看不懂的表",
}
ROWS = {
    RowClass.PUPIL: "学生",
    RowClass.TITLE: "标题",
    RowClass.UNIT_LINE: "单位行",
    RowClass.HEADER: "表头",
    RowClass.REPEATED_HEADER: "重复表头",
    RowClass.FULL_MARK: "满分行",
    RowClass.WEIGHT: "折分行",
    RowClass.SAMPLE: "示例行",
    RowClass.FOOTER: "统计行",
    RowClass.SIGNATURE: "签字行",
    RowClass.CODE_LINE: "代码行",
    RowClass.SKIPPED: "跳过",
    RowClass.EMPTY_PUPIL: "空白行（只有序号）",
    RowClass.BLANK: "空行",
}
SEVERITIES = {Severity.ERROR: "错误", Severity.WARNING: "提醒", Severity.NOTE: "说明"}
MOST_LINES = 40


def row_counts(reading: SheetReading) -> dict[RowClass, int]:
    """How many rows of each class a sheet has."""
    counts = Counter(int(code) for code in reading.row_classes)
    return {kind: counts[kind] for kind in ROWS if counts.get(kind)}


def column_words(reading: SheetReading) -> list[str]:
    """`B 姓名`, `D 语文`: what each recognised column is."""
    from jiaoheng.sheets.places import column_letters

    words = []
    for column in reading.columns:
        if column.role in (Role.IGNORED, Role.UNKNOWN):
            continue
        head = "／".join(part for part in column.header if part) or "（无表头）"
        words.append(f"{column_letters(column.index + 1)} {head}" + (f"→{column.subject}" if column.subject else ""))
    return words


def sheet_lines(readings: Sequence[SheetReading]) -> Iterator[str]:
    """One paragraph a sheet: kind, header row, rows by class, columns."""
    for reading in readings:
        words = ROWS | {RowClass.PUPIL: "题目"} if reading.kind is SheetKind.BLUEPRINT else ROWS
        rows = "，".join(f"{words[kind]} {n}" for kind, n in row_counts(reading).items() if kind is not RowClass.BLANK)
        header = f"表头第 {'、'.join(str(r + 1) for r in reading.header_rows)} 行；" if reading.header_rows else ""
        hidden = "（隐藏的工作表）" if reading.sheet.hidden else ""
        name = f"{reading.sheet.file} {f'“{reading.sheet.name}”' if reading.sheet.name else ''}"
        yield f"{name}{hidden}：{KINDS[reading.kind]}；{header}{rows}"
        if reading.columns and reading.kind not in (SheetKind.EMPTY, SheetKind.OTHER):
            yield f"    列：{'，'.join(column_words(reading))}"


def problem_lines(problems: Sequence[Problem], severity: Severity, most: int = MOST_LINES) -> Iterator[str]:
    """Problems of one severity, each with its place; the rest counted."""
    chosen = [problem for problem in problems if problem.severity is severity]
    if not chosen:
        return
    yield f"{SEVERITIES[severity]} {len(chosen)} 条："
    for problem in chosen[:most]:
        yield f"  {problem}"
    if len(chosen) > most:
        yield f"  另有 {len(chosen) - most} 条，见 --json 或标注后的工作簿。"


def question_lines(questions: Sequence[Question]) -> Iterator[str]:
    """Open questions with their choices, default and the settings key that answers each."""
    for number, question in enumerate(questions, start=1):
        yield f"  {number}. {question.text}"
        where = str(question.place)
        more = len(question.places) - 1
        if where:
            yield f"     位置：{where}{f' 等 {more + 1} 处' if more > 0 else ''}"
        if question.choices:
            yield "     可选：" + "；".join(
                choice.value if choice.value == choice.label else f"{choice.value}（{choice.label}）"
                for choice in question.choices
            )
        default = question.default if question.default is not None else "无，必须回答"
        yield f"     默认：{default}；设置项：{question.settings_key}"


def tell_what_stops(prepared: Prepared) -> None:
    """Say on standard error why no report can be made, and what to do."""
    if not any(reading.kind in (SheetKind.SCORES, SheetKind.ITEMS) for reading in prepared.readings):
        for line in sheet_lines(prepared.readings):
            tell(line)
    for line in problem_lines(prepared.problems, Severity.ERROR):
        tell(line)
    if prepared.blocking:
        tell(f"还有 {len(prepared.blocking)} 个问题要先回答：")
        for line in question_lines(prepared.blocking):
            tell(line)
    if prepared.errors:
        tell("请改正上面的错误后再运行；可用 jiaoheng exam check 文件 --annotate 待确认.xlsx 得到标好错处的工作簿。")
    elif prepared.blocking:
        unanswerable = [question for question in prepared.blocking if question.default is None]
        tell(
            "回答的办法：在 exam.yaml 的上述设置项写明（--settings），或用 exam check --annotate 得到工作簿后在“待确认”表里选。"
        )
        if not unanswerable:
            tell("也可以加 --yes 全部采用默认，报告中会逐条列出。")
    elif prepared.roster.pupils.height == 0:
        tell("没有读到任何学生的成绩。")

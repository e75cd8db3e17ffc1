"""The last chapters: what was assumed, what the files showed, which files and rules were used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from jiaoheng.documents.model import Block, Bullets, Note, Paragraph, Section, Table, Tone, Value
from jiaoheng.exams.analysis import cells
from jiaoheng.exams.analysis.measure import Exam
from jiaoheng.exams.resolved import Assumption
from jiaoheng.sheets.places import Problem, Question, Severity

MOST_NOTES = 30  # in the document; the workbook has all
WORDS = {Severity.ERROR: "错误", Severity.WARNING: "提醒", Severity.NOTE: "说明"}


def data_section(
    exam: Exam, assumptions: Sequence[Assumption], taken: Sequence[tuple[Question, str]], problems: Sequence[Problem]
) -> Section:
    """Rules in force, assumptions, answers taken by default, problems of the data, files."""
    children = [
        Section("data.gate", "考试性质与适用规定", (_gate_sentence(exam), Bullets(exam.gate.reasons))),
        Section("data.assumed", "采用的默认值", _assumed(assumptions, taken)),
        Section("data.problems", "数据问题", _problems(problems)),
        Section("data.files", "所用文件", (_files(exam),)),
    ]
    return Section("data", "数据说明", (), tuple(children))


def _gate_sentence(exam: Exam) -> Paragraph:
    chosen = exam.settings
    number = f"，批准文号：{chosen.approval_document}" if chosen.approval_document else ""
    return Paragraph(f"考试性质：{chosen.nature or '校内考试'}；范围：{chosen.scope}{number}。")


def _assumed(assumptions: Sequence[Assumption], taken: Sequence[tuple[Question, str]]) -> tuple[Block, ...]:
    blocks: list[Block] = []
    if taken:
        rows: list[tuple[Value, ...]] = [
            (question.settings_key, str(question.place), question.text, answer) for question, answer in taken
        ]
        columns = (
            cells.word("key", "设置项", width=16),
            cells.word("place", "位置", width=20),
            cells.word("question", "问题", width=36),
            cells.word("answer", "采用", width=12),
        )
        blocks += [
            Note(
                f"有 {len(taken)} 个问题没有人回答，按默认处理。任何一条不对，请在考试设置中写明后重新生成报告。",
                Tone.WARN,
            ),
            Table("data.taken", "未回答、按默认处理的问题", columns, tuple(rows), sheet="默认处理"),
        ]
    if assumptions:
        heads = (cells.word("text", "采用的默认值", width=44), cells.word("source", "依据", width=30))
        listed: list[tuple[Value, ...]] = [(one.text, one.source) for one in assumptions]
        blocks.append(Table("data.assumptions", "未声明而采用的默认值", heads, tuple(listed), sheet="默认值"))
    return tuple(blocks) or (Paragraph("没有采用默认值，全部由考试设置声明。"),)


def _problems(problems: Sequence[Problem]) -> tuple[Block, ...]:
    if not problems:
        return (Paragraph("没有发现问题。"),)
    counts = Counter(problem.severity for problem in problems)
    blocks: list[Block] = [
        Paragraph(
            "，".join(f"{WORDS[s]} {counts[s]} 条" for s in WORDS if counts[s])
            + "。全部条目见 tables.xlsx 的“数据问题”。"
        )
    ]
    table = grouped_table(problems)
    left = len(table.rows) - MOST_NOTES
    note = f"另有 {left} 类，见 tables.xlsx" if left > 0 else ""
    blocks.append(replace(table, rows=table.rows[:MOST_NOTES], note=note))
    return tuple(blocks)


def grouped_table(problems: Sequence[Problem]) -> Table:
    """Problems of one kind together: how many, the first of them in words, where the first ones are."""
    groups: dict[tuple[Severity, str], list[Problem]] = {}
    for problem in sorted(problems, key=lambda p: list(WORDS).index(p.severity)):
        groups.setdefault((problem.severity, problem.code), []).append(problem)
    columns = (
        cells.word("severity", "类别", width=4),
        cells.count("n", "条数", unit=""),
        cells.word("message", "内容（首条）", width=36),
        cells.word("place", "位置", width=24),
    )
    rows: list[tuple[Value, ...]] = []
    for (severity, _), same in groups.items():
        places = list(dict.fromkeys(str(p.place) for p in same if str(p.place)))
        where = "；".join(places[:2]) + (f" 等 {len(places)} 处" if len(places) > 2 else "")
        rows.append((WORDS[severity], len(same), same[0].message, where))
    return Table("data.problems", "数据问题分类", columns, tuple(rows), sheet="数据问题")


def problem_table(problems: Sequence[Problem]) -> Table:
    """Every problem, errors first."""
    ordered = sorted(problems, key=lambda p: list(WORDS).index(p.severity))
    columns = (
        cells.word("severity", "类别", width=6),
        cells.word("place", "位置", width=24),
        cells.word("message", "内容", width=44),
        cells.word("remedy", "处理", width=26),
    )
    rows: list[tuple[Value, ...]] = [(WORDS[p.severity], str(p.place), p.message, p.remedy) for p in ordered]
    return Table("data.problems.all", "数据问题", columns, tuple(rows), sheet="数据问题")


def _files(exam: Exam) -> Table:
    columns = (
        cells.word("label", "文件", width=28),
        cells.word("format", "实际格式", width=10),
        cells.word("size", "字节", width=10),
        cells.word("sha256", "SHA-256（前 16 位）", width=18),
    )
    rows: list[tuple[Value, ...]] = [
        (one.get("label", ""), one.get("format", ""), one.get("size", ""), one.get("sha256", "")[:16])
        for one in exam.roster.files
    ]
    return Table("data.files", "所用文件", columns, tuple(rows), sheet="文件")

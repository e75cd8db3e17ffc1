"""What was read, what was left out, and what people were told about it."""

from __future__ import annotations

from jiaoheng.documents.model import Block, Bullets, Kind, Paragraph, Section, Table, TableColumn, Value
from jiaoheng.growth.results import GrowthResult
from jiaoheng.sheets.places import Severity

_WORDS = {Severity.ERROR: "错误", Severity.WARNING: "提醒", Severity.NOTE: "说明"}


def data_section(result: GrowthResult) -> Section:
    """The chapter."""
    counts = result.prepared.counts
    lines = [
        f"共读入 {counts.get('rows', 0):,} 行，用到 {result.fit.n:,} 名学生",
        f"没有终点成绩 {counts.get('no_outcome', 0)} 名，没有任何起点成绩 {counts.get('no_prior', 0)} 名，"
        f"有起点成绩但不全 {max(counts.get('some_prior_missing', 0) - counts.get('no_prior', 0), 0)} 名",
    ]
    blocks: list[Block] = [Bullets(tuple(lines)), files_table(result)]
    if result.problems:
        blocks.append(problem_table(result))
    else:
        blocks.append(Paragraph("没有需要说明的数据问题。"))
    return Section("data", "数据", tuple(blocks))


def files_table(result: GrowthResult) -> Table:
    """The files with their rows and hashes."""
    columns = (
        TableColumn("name", "文件"),
        TableColumn("rows", "行", Kind.COUNT),
        TableColumn("hash", "校验值（SHA-256 前 16 位）"),
    )
    rows = tuple((str(one["name"]), int(one["rows"]), str(one["sha256"])[:16]) for one in result.files)
    return Table("files", "数据文件", columns, rows, sheet="数据")


def problem_table(result: GrowthResult) -> Table:
    """Reminders and notes with place and remedy."""
    columns = (
        TableColumn("severity", "类别"),
        TableColumn("place", "位置"),
        TableColumn("message", "情况", width=50),
        TableColumn("remedy", "怎么办", width=40),
    )
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (_WORDS[one.severity], str(one.place), one.message, one.remedy) for one in result.problems
    )
    return Table("problems", "数据说明", columns, rows, sheet="数据")

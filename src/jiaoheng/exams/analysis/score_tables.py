"""Tables of score statistics by unit: the main comparison, the rates, and the county's line under them."""

from __future__ import annotations

from dataclasses import replace

from jiaoheng.documents.model import Kind, Missing, Table, TableColumn, Value
from jiaoheng.exams.analysis import cells
from jiaoheng.exams.analysis.measure import Exam
from jiaoheng.exams.analysis.unit_scores import UnitScores
from jiaoheng.methods.numbers import to_fraction

NO_COHORT = Missing("没有该单位的起始年级人数")


def name_columns(level: str, exam: Exam, full: bool = False) -> list[TableColumn]:
    """The unit's name; a class is named by its school too. `full` adds the township district, for the workbook."""
    columns: list[TableColumn] = []
    if level == "class" and "school" in exam.units.known:
        columns.append(cells.word("school", "学校"))
    columns.append(cells.word(level, exam.units.level(level).label))
    if full and level in ("class", "school") and "district" in exam.units.known:
        columns.append(cells.word("district", "学区"))
    return columns


def name_cells(level: str, exam: Exam, unit: int, full: bool = False) -> list[Value]:
    """The names that fill `name_columns`."""
    path = exam.units.level(level).paths[unit]
    names: list[Value] = []
    if level == "class" and "school" in exam.units.known:
        names.append(path[1])
    names.append(path[-1])
    if full and level in ("class", "school") and "district" in exam.units.known:
        names.append(path[0])
    return names


def county_names(level: str, exam: Exam, full: bool = False) -> list[Value]:
    """The county's name in the first name column, the others empty."""
    return [exam.units.county.names[0], *[""] * (len(name_columns(level, exam, full)) - 1)]


_RATES = ("excellent", "pass", "low")
_MARKS = ("mean", *_RATES, "over_mean")  # not shown of units where monitoring gives levels and intervals only


def without(table: Table, keys: tuple[str, ...]) -> Table:
    """The table without some columns, so that it fits an upright page."""
    keep = [i for i, column in enumerate(table.columns) if column.key not in keys]
    return replace(
        table,
        columns=tuple(table.columns[i] for i in keep),
        rows=tuple(tuple(row[i] for i in keep) for row in table.rows),
    )


def standing_table(exam: Exam, paper: str, level: str, key: str, title: str) -> Table:
    """Where units stand: mean with interval, distance, rank with interval, verdict."""
    return without(brief_table(exam, paper, level, key, title), ("n", *_RATES))


def three_rates_table(exam: Exam, paper: str, level: str, key: str, title: str) -> Table:
    """一分三率 of the units, best mean first."""
    drop = ("participants", "mean_interval", "over_mean", "rank", "rank_interval", "verdict")
    return without(brief_table(exam, paper, level, key, title), drop)


def slim_table(exam: Exam, paper: str, level: str, key: str, title: str) -> Table:
    """The table of one subject, narrow enough for an upright page: the brief one without its intervals of means.

    The rank stands as its interval: within it the order says nothing.
    """
    drop = ("n", "mean_interval", "rank") if exam.ranks_units else ("n", "rank")
    return without(brief_table(exam, paper, level, key, title), drop)


def brief_table(exam: Exam, paper: str, level: str, key: str, title: str) -> Table:
    """The table of the document: mean with interval, three rates, distance, rank with interval, verdict; best first.

    Classes are not ranked over schools: their means say too much about intake.
    """
    scores = exam.scores(paper, level)
    ranked = exam.ranks_units and level != "class"
    columns = [
        *name_columns(level, exam),
        cells.count("participants", "参考", "participants", unit=""),
        cells.count("n", "计分人数", "counted", unit=""),
        cells.marks("mean", "平均分", "mean"),
        TableColumn("mean_interval", "95% 区间", Kind.INTERVAL, 1, definition="mean_interval"),
        cells.share("excellent", "优秀率", "excellent"),
        cells.share("pass", "及格率", "pass"),
        cells.share("low", "低分率", "low"),
        TableColumn("over_mean", "超均率", Kind.SIGNED, 2, unit="%", definition="over_mean"),
    ]
    if ranked:
        columns.append(TableColumn("rank", "名次", Kind.RANK, 0, definition="rank"))
        columns.append(cells.word("rank_interval", "名次区间", "rank_interval"))
    columns.append(cells.word("verdict", "判断", "verdict"))
    over = scores.over()
    rows: list[tuple[Value, ...]] = []
    for unit in exam.order(scores):
        n, gap = int(scores.n[unit]), over[unit]
        _, mean, _rate, excellent, _good, passed, low, *_ = rate_cells(scores, unit)
        row: list[Value] = [
            *name_cells(level, exam, unit),
            int(scores.sat[unit]),
            n,
            mean,
            cells.interval_cell(scores.intervals[unit]),
            excellent,
            passed,
            low,
            cells.small(cells.cell(None if gap is None else gap * 100), n),
        ]
        if ranked:
            row += [
                cells.cell(scores.ranks[unit], cells.TOO_FEW),
                cells.rank_interval_cell(scores.rank_intervals[unit]),
            ]
        rows.append((*row, cells.verdict_cell(scores.verdicts[unit], n)))
    county = scores.whole
    _, mean, _rate, excellent, _good, passed, low, *_ = rate_cells(county, 0)
    figures = [
        int(county.sat[0]),
        int(county.n[0]),
        mean,
        cells.interval_cell(county.intervals[0]),
        excellent,
        passed,
        low,
    ]
    rows.append((*county_names(level, exam), *figures, *[""] * (3 if ranked else 1), ""))
    last = frozenset({len(rows) - 1})
    table = Table(key, title, tuple(columns), tuple(rows), emphasis=last, sheet=_sheet(level, paper))
    return table if exam.ranks_units else without(table, _MARKS)


def comparison_table(exam: Exam, paper: str, level: str, key: str, title: str) -> Table:
    """Who took part, mean with interval, distance from the county, rank with interval, verdict; best mean first."""
    scores = exam.scores(paper, level)
    columns = [
        *name_columns(level, exam, True),
        cells.count("enrolled", "应考", "enrolled"),
        cells.count("participants", "参考", "participants"),
        cells.share("participation", "参考率", "participation"),
        cells.marks("mean", "平均分", "mean"),
        TableColumn("mean_interval", "95% 区间", Kind.INTERVAL, 1, unit="分", definition="mean_interval"),
        TableColumn("over_mean", "超均率", Kind.SIGNED, 2, unit="%", definition="over_mean"),
    ]
    ranked = exam.ranks_units and level != "class"
    if ranked:
        columns += [
            TableColumn("rank", "名次", Kind.RANK, 0, definition="rank"),
            cells.word("rank_interval", "名次区间", "rank_interval"),
        ]
    columns.append(cells.word("verdict", "判断", "verdict"))
    over = scores.over()
    rows: list[tuple[Value, ...]] = []
    for unit in exam.order(scores):
        n = int(scores.n[unit])
        enrolled, sat = int(scores.enrolled[unit]), int(scores.sat[unit])
        row: list[Value] = [
            *name_cells(level, exam, unit, True),
            enrolled,
            sat,
            cells.cell(to_fraction(sat) / enrolled if enrolled else None),
            cells.small(cells.cell(scores.means[unit]), n),
            cells.interval_cell(scores.intervals[unit]),
            cells.small(cells.cell(None if over[unit] is None else over[unit] * 100), n),  # type: ignore[operator]
        ]
        if ranked:
            row += [
                cells.cell(scores.ranks[unit], cells.TOO_FEW),
                cells.rank_interval_cell(scores.rank_intervals[unit]),
            ]
        rows.append((*row, cells.verdict_cell(scores.verdicts[unit], n)))
    county = scores.whole
    line: list[Value] = [
        *county_names(level, exam, True),
        int(county.enrolled[0]),
        int(county.sat[0]),
        cells.cell(to_fraction(int(county.sat[0])) / int(county.enrolled[0]) if county.enrolled[0] else None),
        cells.cell(county.means[0]),
        cells.interval_cell(county.intervals[0]),
        *([""] * (len(columns) - len(name_columns(level, exam, True)) - 5)),
    ]
    rows.append(tuple(line))
    last = frozenset({len(rows) - 1})
    table = Table(key, title, tuple(columns), tuple(rows), emphasis=last, wide=True, sheet=_sheet(level, paper))
    return table if exam.ranks_units else without(table, _MARKS)


def rates_table(exam: Exam, paper: str, level: str, key: str, title: str) -> Table:
    """一分三率 with spread, median and extremes; units in natural order, the county below."""
    scores = exam.scores(paper, level)
    digits = exam.digits(paper)
    columns = (
        *name_columns(level, exam, True),
        *base_columns(scores),
        cells.marks("mean", "平均分", "mean"),
        cells.share("score_rate", "得分率", "score_rate"),
        cells.share("excellent", "优秀率", "excellent"),
        cells.share("good", "良好率", "good"),
        cells.share("pass", "及格率", "pass"),
        cells.share("low", "低分率", "low"),
        cells.marks("sd", "标准差", "sd"),
        cells.marks("median", "中位数", "median", digits=max(digits, 2)),
        cells.marks("max", "最高", digits=digits),
        cells.marks("min", "最低", digits=digits),
        TableColumn("t", "T 分", Kind.NUMBER, 2, definition="t_score"),
    )
    units = [unit for unit in range(len(scores.level)) if scores.enrolled[unit] > 0]
    rows = [(*name_cells(level, exam, unit, True), *full_cells(scores, unit)) for unit in units]
    rows.append((*county_names(level, exam, True), *full_cells(scores.whole, 0)))
    return Table(
        key, title, columns, tuple(rows), emphasis=frozenset({len(rows) - 1}), wide=True, sheet=_sheet(level, paper)
    )


def base_columns(scores: UnitScores) -> list[TableColumn]:
    """统计人数; under B3 and B4 the number whose scores were summed, and the denominator beside it."""
    if scores.base is None:
        return [cells.count("n", "统计人数", "base")]
    return [cells.count("n", "计分人数", "counted"), TableColumn("base", "分母", Kind.NUMBER, 2, definition="base")]


def full_cells(scores: UnitScores, unit: int) -> list[Value]:
    """The cells of `base_columns` and all figures after them."""
    n, *figures = rate_cells(scores, unit)
    if scores.base is None:
        return [n, *figures]
    base = scores.base.fraction(unit)
    return [n, cells.cell(base or None, NO_COHORT), *figures]


def rate_cells(scores: UnitScores, unit: int) -> list[Value]:
    """n, mean, score rate, excellent, good, pass, low, SD, median, max, min, T of one unit."""
    rates, n = scores.rates, int(scores.n[unit])
    ends = scores.extremes[unit]
    figures = [
        rates.mean.fraction(unit),
        rates.score_rate.fraction(unit),
        rates.excellent.fraction(unit),
        rates.good.fraction(unit),
        rates.passing.fraction(unit),
        rates.low.fraction(unit),
        scores.sds[unit],
        scores.medians[unit],
        ends[1] if ends else None,
        ends[0] if ends else None,
        scores.t_scores[unit],
    ]
    return [n, *(cells.small(cells.cell(value), n) for value in figures)]


def _sheet(level: str, paper: str) -> str:
    words = {"school": "学校", "class": "班级", "district": "学区", "county": "全县"}
    return f"{words[level]}-{paper}"

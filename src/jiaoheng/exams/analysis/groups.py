"""Groups of pupils: struggling, top, uneven, single-digit; who they are (masks) and how many each school has."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from jiaoheng.documents.model import Block, Note, Paragraph, Section, Table, Tone, Value
from jiaoheng.exams.analysis import cells
from jiaoheng.exams.analysis.measure import Exam, scored
from jiaoheng.exams.analysis.papers import Paper
from jiaoheng.exams.analysis.score_tables import county_names, name_cells, name_columns
from jiaoheng.exams.analysis.wording import mark, named
from jiaoheng.methods.histogram import IntArray, Mask, ScoreHistogram
from jiaoheng.methods.low_and_all import single_digit_limit, single_digits
from jiaoheng.methods.numbers import text
from jiaoheng.methods.pupil_lists import Cut, cut_of_share, top_index
from jiaoheng.methods.pupil_rules import pupil_rules
from jiaoheng.methods.ratios import FloatArray, Ratio
from jiaoheng.methods.standard_scores import z_of_scores
from jiaoheng.methods.uneven import Uneven, uneven_by_z


@dataclass(frozen=True, slots=True)
class Groups:
    """Masks over the roster's pupils; `single_digit` and `uneven` are (pupils, subjects) in `Exam.subjects` order."""

    struggling: Mask
    struggling_cut: Cut
    top: Mask
    top_cut: Cut
    top_index: Ratio  # per school
    single_digit: Mask
    uneven: Uneven | None
    z: FloatArray  # (pupils, subjects); NaN without a score


def find_groups(exam: Exam) -> Groups:
    """The groups by the exam's limits; struggling and top pupils are of the whole county's main paper."""
    paper, chosen, rules = exam.papers[exam.main], exam.settings.pupils, pupil_rules()
    here = exam.people(exam.main)
    county = ScoreHistogram.build(paper.values, exam.units.county.of_pupil, 1, here, paper.step)
    low = cut_of_share(county, chosen.struggling_share, "lowest", rules.struggling_ties)
    high = cut_of_share(county, chosen.top_share, "highest", rules.top_ties)
    if low.score is not None and high.score is not None and low.score >= high.score:
        # nothing tells the lowest from the highest
        low, high = (Cut(one.end, None, one.planned, one.n, 0) for one in (low, high))
    top = high.members(paper.values, here)
    schools = exam.units.schools
    z = np.column_stack([z_scores(exam.papers[name]) for name in exam.subjects])
    return Groups(
        low.members(paper.values, here),
        low,
        top,
        high,
        top_index(top, here, schools.of_pupil, len(schools)),
        np.column_stack([_single(exam, name) for name in exam.subjects]),
        uneven_by_z(z, float(chosen.uneven_z), rules.uneven_others) if len(exam.subjects) > 2 else None,
        z,
    )


def z_scores(paper: Paper) -> FloatArray:
    """Z of every pupil with a real score, NaN otherwise; against all who count in the paper."""
    z = np.full(paper.values.size, np.nan)
    here = scored(paper) & paper.counted
    if here.any():
        z[here] = z_of_scores(paper.histogram)[paper.values[here].astype(np.int64) - paper.histogram.low]
    return z


def _single(exam: Exam, name: str) -> Mask:
    paper, rules = exam.papers[name], pupil_rules()
    limit = single_digit_limit(
        paper.full, exam.settings.pupils.single_digit_below, rules.single_small, rules.single_small_full
    )
    return single_digits(paper.values, scored(paper), limit, paper.step)


def group_section(exam: Exam, groups: Groups) -> Section:
    """Counts by school with sentences; names stand in lists.xlsx only."""
    said = _sentence(exam, groups)
    blocks: list[Block] = [Paragraph(said, strong=True)] if said else []
    blocks.append(group_table(exam, groups))
    if groups.single_digit.any() and exam.ranks_units:
        blocks += [Paragraph(_single_sentence(exam, groups)), single_table(exam, groups)]
    blocks.append(Note("名单在 lists.xlsx，只供局内使用，不得张贴或转发到家长群。", Tone.WARN))
    return Section("groups", "重点关注学生", tuple(blocks))


def _sentence(exam: Exam, groups: Groups) -> str:
    limit, paper = exam.settings.pupils, exam.papers[exam.main]
    low, high = groups.struggling_cut, groups.top_cut
    parts = []
    if low.score is not None:
        parts.append(
            f"{exam.main}后 {_percent(limit.struggling_share)} 的学生 {cells.thousands(low.inside)} 名（{mark(low.score * paper.step)} 分及以下）"
        )
    else:
        parts.append(f"{exam.main}没有拉开差距，不分学困生和尖子生")
    if high.score is not None:
        parts.append(
            f"前 {_percent(limit.top_share)} 的 {cells.thousands(high.inside)} 名（{mark(high.score * paper.step)} 分及以上）"
        )
    if groups.uneven is not None:
        parts.append(f"偏科学生 {cells.thousands(int(groups.uneven.pupils.sum()))} 名")
    return "，".join(parts) + "。" if parts else ""


def _percent(value: Fraction) -> str:
    return text(value * 100, 1).removesuffix(".0") + "%"


def count_by(mask: Mask, units: IntArray, n_units: int) -> IntArray:
    """Pupils of a mask per unit."""
    return np.bincount(units[mask], minlength=n_units).astype(np.int64)


def group_table(exam: Exam, groups: Groups) -> Table:
    """Schools: struggling, top with index, uneven, single digits; counts of few pupils are kept, without names.

    Under monitoring the county's line alone: schools get levels and intervals only.
    """
    schools = exam.units.schools
    here = exam.people(exam.main)
    n = count_by(here, schools.of_pupil, len(schools))
    low = count_by(groups.struggling, schools.of_pupil, len(schools))
    top = count_by(groups.top, schools.of_pupil, len(schools))
    single = sum(
        (count_by(groups.single_digit[:, j], schools.of_pupil, len(schools)) for j in range(len(exam.subjects))),
        np.zeros(len(schools), np.int64),
    )
    columns = [
        *name_columns("school", exam),
        cells.count("n", "有成绩的学生", "people"),
        cells.count("struggling", "学困生", "struggling"),
        cells.share("struggling_share", "占本校", "struggling"),
        cells.count("top", "尖子生", "top"),
        cells.number("top_index", "尖子占比指数", "top_index"),
        cells.count("single_digit", "单科个位数", "single_digit", unit="人次"),
    ]
    counted = [low, top, single]
    if groups.uneven is not None:
        uneven = count_by(groups.uneven.pupils, schools.of_pupil, len(schools))
        columns.append(cells.count("uneven", "偏科", "uneven"))
        counted.append(uneven)
    rows: list[tuple[Value, ...]] = []
    for unit in range(len(schools)):
        if not exam.scores(exam.main, "school").enrolled[unit] or not exam.ranks_units or len(schools) < 2:
            continue
        size = int(n[unit])
        row: list[Value] = [
            *name_cells("school", exam, unit),
            size,
            int(low[unit]),
            cells.small(cells.cell(Fraction(int(low[unit]), size) if size else None), size),
            int(top[unit]),
            cells.small(cells.cell(groups.top_index.fraction(unit)), size),
            int(single[unit]),
        ]
        rows.append((*row, *(int(extra[unit]) for extra in counted[3:])))
    whole, tops = int(n.sum()), int(top.sum())
    county: list[Value] = [
        *county_names("school", exam),
        whole,
        int(low.sum()),
        cells.cell(Fraction(int(low.sum()), whole) if whole else None),
        tops,
        cells.cell(Fraction(1) if tops else None),
        int(single.sum()),
        *(int(extra.sum()) for extra in counted[3:]),
    ]
    rows.append(tuple(county))
    last = frozenset({len(rows) - 1})
    return Table(
        "groups.schools",
        "各校重点关注学生人数" if exam.ranks_units and len(schools) > 1 else f"{exam.whole}重点关注学生人数",
        tuple(columns),
        tuple(rows),
        emphasis=last,
        sheet="重点学生",
    )


def _single_sentence(exam: Exam, groups: Groups) -> str:
    by_subject = [(int(groups.single_digit[:, j].sum()), name) for j, name in enumerate(exam.subjects)]
    most, names = max(n for n, _ in by_subject), [name for _, name in by_subject]
    where = [name for n, name in by_subject if n == most]
    pupils = int(groups.single_digit.any(axis=1).sum())
    zero = sum(int((scored(exam.papers[name]) & (exam.papers[name].values == 0)).sum()) for name in exam.subjects)
    tail = f"，其中零分 {zero} 人次" if zero else ""
    head = f"{'单科个位数共' if len(names) > 1 else f'{names[0]}个位数'} {sum(n for n, _ in by_subject)} 人次"
    last = f"；{named(where, '门')}最多，{'各 ' if len(where) > 1 else ''}{most} 人次" if len(names) > 1 else ""
    if len(names) > 1 and most == sum(n for n, _ in by_subject):
        last = f"；都在{where[0]}"
    return f"{head}，涉及 {pupils} 名学生{tail}{last}。"


def single_table(exam: Exam, groups: Groups) -> Table:
    """Schools × subjects: single-digit scores; schools without any are left out."""
    schools = exam.units.schools
    counts = np.column_stack(
        [count_by(groups.single_digit[:, j], schools.of_pupil, len(schools)) for j in range(len(exam.subjects))]
    )
    columns = (
        *name_columns("school", exam),
        *(cells.count(name, name, "single_digit", unit="人次") for name in exam.subjects),
        cells.count("all", "合计", "single_digit", unit="人次"),
    )
    units = [unit for unit in range(len(schools)) if counts[unit].any() and len(schools) > 1]
    units.sort(key=lambda unit: (-int(counts[unit].sum()), unit))
    rows: list[tuple[Value, ...]] = [
        (*name_cells("school", exam, unit), *(int(v) for v in counts[unit]), int(counts[unit].sum())) for unit in units
    ]
    rows.append((*county_names("school", exam), *(int(v) for v in counts.sum(axis=0)), int(counts.sum())))
    return Table(
        "single_digit.schools",
        "单科个位数",
        columns,
        tuple(rows),
        emphasis=frozenset({len(rows) - 1}),
        sheet="单科个位数",
    )

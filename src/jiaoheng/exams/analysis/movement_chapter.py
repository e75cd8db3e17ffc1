"""Chapter on movement since the prior exam: schools' change, struggling pupils converted, top pupils kept."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from jiaoheng.documents import charts
from jiaoheng.documents.chart_parts import Caption
from jiaoheng.documents.model import (
    Block,
    Chart,
    Interval,
    Kind,
    Missing,
    Note,
    Paragraph,
    Section,
    Table,
    TableColumn,
    Tone,
    Value,
)
from jiaoheng.exams.analysis import cells
from jiaoheng.exams.analysis.groups import Groups
from jiaoheng.exams.analysis.measure import Exam, scored
from jiaoheng.exams.analysis.score_tables import county_names, name_cells, name_columns, without
from jiaoheng.exams.roster_model import SubjectScores
from jiaoheng.methods.conversion import Outcome, outcome
from jiaoheng.methods.histogram import IntArray, Mask, ScoreHistogram
from jiaoheng.methods.movement import Movement, UnitMovement, by_unit, movement, unsteady
from jiaoheng.methods.numbers import text
from jiaoheng.methods.pupil_lists import End, cut_of_share
from jiaoheng.methods.pupil_rules import pupil_rules
from jiaoheng.sheets.reading_model import ScoreState


@dataclass(frozen=True, slots=True)
class Moved:
    """The two exams side by side: pupils' movement, units' movement, what became of the two locked lists."""

    pupils: Movement
    schools: UnitMovement
    classes: UnitMovement
    county: UnitMovement
    was_struggling: Mask
    was_top: Mask
    converted: Outcome  # per school
    kept: Outcome
    converted_county: Outcome
    kept_county: Outcome
    unsteady: Mask


def find_movement(exam: Exam, groups: Groups) -> Moved | None:
    """Movement in the main paper; None without a prior exam that has it."""
    before = prior_scores(exam)
    if before is None:
        return None
    paper = exam.papers[exam.main]
    now = scored(paper) & paper.counted
    there = (before.states == ScoreState.SCORED) & (exam.roster.prior.matched if exam.roster.prior else now)
    moved = movement(paper.values, now, before.values, there)
    rules, chosen = pupil_rules(), exam.settings.pupils
    zeros = np.zeros(now.size, np.int64)
    histogram = ScoreHistogram.build(before.values, zeros, 1, there, before.subject.step)
    low = cut_of_share(histogram, chosen.struggling_share, "lowest", rules.struggling_ties).members(
        before.values, there
    )
    top = cut_of_share(histogram, chosen.top_share, "highest", rules.top_ties).members(before.values, there)
    schools, classes = exam.units.schools, exam.units.classes
    left = np.isin(paper.states, (ScoreState.LEFT,))

    def became(locked: Mask, inside: Mask, end: End, units: IntArray, n: int) -> Outcome:
        return outcome(moved, locked, inside, end, units, n, left, rules.denominator, rules.improved)

    percentiles = np.column_stack([moved.before.percentile, moved.now.percentile])
    return Moved(
        moved,
        by_unit(moved, schools.of_pupil, len(schools), rules.school_pupils, rules.matched_rate, rules.big_move),
        by_unit(moved, classes.of_pupil, len(classes), rules.class_pupils, rules.matched_rate, rules.big_move),
        by_unit(moved, zeros, 1, rules.school_pupils, rules.matched_rate, rules.big_move),
        low,
        top,
        became(low, groups.struggling, "lowest", schools.of_pupil, len(schools)),
        became(top, groups.top, "highest", schools.of_pupil, len(schools)),
        became(low, groups.struggling, "lowest", zeros, 1),
        became(top, groups.top, "highest", zeros, 1),
        unsteady(percentiles, rules.unsteady_points),
    )


def prior_scores(exam: Exam) -> SubjectScores | None:
    """The prior exam's scores of the main paper, or None."""
    prior = exam.roster.prior
    if prior is None:
        return None
    return prior.total if exam.has_total else prior.subjects.get(exam.main)


def movement_section(exam: Exam, moved: Moved | None) -> Section | None:
    """Schools' movement, conversion of struggling pupils beside what chance alone would give, top pupils kept."""
    if moved is None or exam.roster.prior is None:
        return None
    blocks: list[Block] = [Paragraph(_sentence(exam, moved), strong=True)]
    rate = moved.county.matched_rate.fraction(0)
    if rate is None or rate < pupil_rules().matched_rate:
        blocks.append(Note(f"两次考试能对上的学生只占 {cells.pct(rate)}，样本不足，以下数字只作参考。", Tone.BAD))
    if exam.roster.prior.prior_only:
        blocks.append(
            Note(f"前次考试中有 {cells.thousands(exam.roster.prior.prior_only)} 名学生不在本次名册中，未计入。")
        )
    if len(exam.units.schools) > 1:
        table = movement_table(exam, moved)
        if int(moved.schools.enough.sum()) > 1 and exam.ranks_units:
            blocks.append(_chart(exam, moved, table.key))
        blocks += [table]
    blocks += [Paragraph(_conversion_sentence(exam, moved), strong=True), conversion_table(exam, moved)]
    blocks.append(Note("进退步未扣除起点的影响，不等于增值；一次进退不用于奖惩。", Tone.WARN))
    return Section("movement", "与前次考试相比", tuple(blocks))


def _sentence(exam: Exam, moved: Moved) -> str:
    name = exam.roster.prior.name if exam.roster.prior else ""
    matched, pupils = int(moved.county.matched[0]), int(moved.county.pupils[0])
    up, down = _standing(moved)
    judged = int((moved.schools.enough & ~np.isnan(moved.schools.half_width)).sum())
    schools = f"可判断的 {judged} 所学校中，标准分上升的 {up} 所，下降的 {down} 所；" if judged > 1 else ""
    return (
        f"与“{name}”相比：能对上的学生 {cells.thousands(matched)} 名，匹配率 {cells.pct(Fraction(matched, pupils) if pupils else None)}；"
        f"{schools}位次起伏 {text(pupil_rules().unsteady_points, 0)} 个百分点以上的学生 {cells.thousands(int(moved.unsteady.sum()))} 名。"
    )


def _standing(moved: Moved) -> tuple[int, int]:
    units = moved.schools
    rated = units.enough & ~np.isnan(units.half_width)
    up = int((rated & (units.mean_z_change - units.half_width > 0)).sum())
    down = int((rated & (units.mean_z_change + units.half_width < 0)).sum())
    return up, down


def _chart(exam: Exam, moved: Moved, table: str) -> Chart:
    units = moved.schools
    rows = [
        charts.Estimate(
            exam.units.schools.names[u],
            float(units.mean_z_change[u]),
            float(units.mean_z_change[u] - units.half_width[u]),
            float(units.mean_z_change[u] + units.half_width[u]),
            bool(units.enough[u]),
        )
        for u in range(len(exam.units.schools))
        if not np.isnan(units.half_width[u])
    ]
    up, down = _standing(moved)
    caption = Caption(
        f"{table}.chart",
        f"标准分上升的学校 {up} 所，下降的 {down} 所" if up + down else "各校标准分都看不出变化",
        f"同一批学生{exam.main}标准分的平均变化和 95% 区间；区间不含 0 才说上升或下降",
        f"{len(rows)} 所学校标准分变化",
        table,
    )
    words = ("上升", "看不出变化", "下降", "样本不足")
    return charts.interval_plot(
        caption, rows, reference=0, reference_label="不变 0", unit="标准分", digits=2, words=words
    )


def movement_table(exam: Exam, moved: Moved) -> Table:
    """Schools: matched pupils, mean change of Z with interval, pupils far up and far down."""
    units, county = moved.schools, moved.county
    big = text(pupil_rules().big_move, 0)
    columns = (
        *name_columns("school", exam),
        cells.count("pupils", "本次人数", "people"),
        cells.count("matched", "能对上", "matched"),
        cells.share("matched_rate", "匹配率", "matched"),
        TableColumn("z_change", "标准分变化", Kind.SIGNED, 3, definition="z_change"),
        TableColumn("z_interval", "95% 区间", Kind.INTERVAL, 3, definition="z_change"),
        cells.count("forward", f"前进 {big} 个百分点以上", "percentile"),
        cells.count("back", f"后退 {big} 个百分点以上", "percentile"),
        cells.word("verdict", "判断", "z_change"),
    )
    order = [u for u in range(len(exam.units.schools)) if units.pupils[u]]
    if exam.ranks_units:
        order.sort(key=lambda u: (np.isnan(units.mean_z_change[u]), -np.nan_to_num(units.mean_z_change[u]), u))
    rows = [(*name_cells("school", exam, u), *_movement_cells(units, u)) for u in order]
    rows.append((*county_names("school", exam), *_movement_cells(county, 0)[:-1], ""))
    last = frozenset({len(rows) - 1})
    table = Table("movement.schools", "各校进退", columns, tuple(rows), emphasis=last, sheet="进退")
    return table if exam.ranks_units else without(table, ("z_change", "forward", "back"))


def _movement_cells(units: UnitMovement, u: int) -> list[Value]:
    mean, half = float(units.mean_z_change[u]), float(units.half_width[u])
    known, width = not np.isnan(mean), not np.isnan(half)
    if not units.enough[u]:
        verdict: Value = "样本不足"
    elif not width:
        verdict = cells.ONE_PUPIL
    else:
        verdict = "上升" if mean - half > 0 else ("下降" if mean + half < 0 else "看不出变化")
    return [
        int(units.pupils[u]),
        int(units.matched[u]),
        cells.cell(units.matched_rate.fraction(u)),
        mean if known else cells.NO_DATA,
        Interval(mean - half, mean + half, difference=True) if width else cells.ONE_PUPIL,
        int(units.forward[u]),
        int(units.back[u]),
        verdict,
    ]


def _conversion_sentence(exam: Exam, moved: Moved) -> str:
    done, kept = moved.converted_county, moved.kept_county
    rate = done.rate.fraction(0)
    expected = float(done.expected_rate[0])
    chance = "" if np.isnan(expected) else f"（只因两次考试相关不完全，约 {text(expected * 100, 1)}% 也会发生）"
    top = kept.rate.fraction(0)
    return (
        f"前次的学困生 {cells.thousands(int(done.locked[0]))} 名，本次转化 {cells.thousands(int(done.success[0]))} 名，"
        f"转化率 {cells.pct(rate)}{chance}；前次的尖子生 {cells.thousands(int(kept.locked[0]))} 名，"
        f"本次仍是的 {cells.thousands(int(kept.success[0]))} 名，保持率 {cells.pct(top)}。"
    )


def conversion_table(exam: Exam, moved: Moved) -> Table:
    """Schools: the locked list, converted, rate, rate by chance alone, verdict; top pupils kept; new struggling pupils."""
    columns = (
        *name_columns("school", exam),
        cells.count("locked", "前次学困生", "struggling", group="学困生转化"),
        cells.count("absent", "本次无成绩", group="学困生转化"),
        cells.count("converted", "已转化", "conversion", group="学困生转化"),
        cells.share("rate", "转化率", "conversion", group="学困生转化"),
        cells.share("expected", "回归效应", "conversion", digits=1, group="学困生转化"),
        cells.word("verdict", "判断", "conversion", group="学困生转化"),
        cells.count("new", "新增学困生", "struggling"),
        cells.count("top_locked", "前次尖子生", "top", group="尖子生保持"),
        cells.count("top_kept", "保持", "top", group="尖子生保持"),
    )
    least = pupil_rules().class_pupils
    rows = [
        (*name_cells("school", exam, u), *_conversion_cells(moved.converted, moved.kept, u, least))
        for u in range(len(exam.units.schools))
        if (moved.schools.pupils[u] or moved.converted.locked[u] or moved.kept.locked[u]) and exam.ranks_units
    ]
    rows.append(
        (*county_names("school", exam), *_conversion_cells(moved.converted_county, moved.kept_county, 0, least))
    )
    return Table(
        "conversion.schools",
        "学困生转化与尖子生保持",
        columns,
        tuple(rows),
        emphasis=frozenset({len(rows) - 1}),
        sheet="转化",
    )


def _conversion_cells(done: Outcome, kept: Outcome, u: int, least: int) -> list[Value]:
    expected = float(done.expected_rate[u])
    return [
        int(done.locked[u]),
        int(done.absent[u]),
        int(done.success[u]),
        cells.cell(done.rate.fraction(u), Missing("前次没有学困生")),
        Missing("无法估计") if np.isnan(expected) else expected,
        done.verdict(u, least),
        int(done.new[u]),
        int(kept.locked[u]),
        int(kept.success[u]),
    ]

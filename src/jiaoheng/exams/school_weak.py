"""What one school's pupils have not learned: items and knowledge points well below the county."""

from __future__ import annotations

from fractions import Fraction

from jiaoheng.documents.model import Block, Kind, Paragraph, Section, Table, TableColumn, Value
from jiaoheng.exams.analysis import cells
from jiaoheng.exams.analysis.item_chapter import MeasuredItems
from jiaoheng.exams.analysis.measure import Exam
from jiaoheng.methods.items import item_rules
from jiaoheng.methods.mastery import Weakness, weaknesses
from jiaoheng.methods.numbers import text


def weak_points(exam: Exam, school: int, made: MeasuredItems) -> Section | None:
    """Items and points in which the school lies well below the county."""
    name = made.scores.subject
    own, county = made.at(exam, "school"), made.at(exam, "county")
    rows: list[tuple[Value, ...]] = []
    gap = item_rules().weak_gap
    for i, item in enumerate(made.scores.items):
        n, whole = int(own.count[school, i]), int(county.count[0, i])
        full = int(made.full[i])
        if not n or not whole or not full:
            continue
        here = Fraction(int(own.sum[school, i]), n * full)
        there = Fraction(int(county.sum[0, i]), whole * full)
        if there - here >= gap:
            rows.append((item, "、".join(made.knowledge[i]), here, there, (here - there) * 100))
    if not int(own.pupils[school]):
        return None
    rows.sort(key=lambda row: row[4] if isinstance(row[4], Fraction) else 0)
    limit = text(gap * 100, 0)
    table = Table(
        f"school.items.{name}",
        f"{name}：得分率低于全县 {limit} 个百分点以上的题",
        (
            cells.word("item", "题号"),
            cells.word("knowledge", "知识点", width=20),
            cells.share("own", "本校得分率", "difficulty", digits=1),
            cells.share("county", "全县得分率", "difficulty", digits=1),
            TableColumn("gap", "差", Kind.SIGNED, 1, unit="个百分点"),
        ),
        tuple(rows),
        sheet=f"薄弱题-{name}",
    )
    blocks: list[Block] = []
    if any(made.knowledge):
        weak = weaknesses(
            made.mastery_at(exam, "school", "knowledge"), school, made.mastery_at(exam, "county", "knowledge"), gap
        )
        words = "、".join(_point(one, exam.ranks_units) for one in weak[:5])
        sentence = f"{name}需要补的知识点：{words}。" if weak else f"{name}没有比全县低 {limit} 个百分点以上的知识点。"
        blocks.append(Paragraph(sentence, strong=True))
    if rows and exam.ranks_units:
        blocks.append(table)
    return Section(f"items.{name}", name, tuple(blocks)) if blocks else None


def _point(one: Weakness, with_rates: bool) -> str:
    """Under monitoring the point alone: a school gets levels and intervals, no rates."""
    return f"{one.point}（{cells.pct(one.rate, 1)}，全县 {cells.pct(one.reference, 1)}）" if with_rates else one.point

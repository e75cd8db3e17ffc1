"""The four families side by side, and the conversion of struggling and top pupils."""

from __future__ import annotations

import numpy as np

from jiaoheng.documents.model import (
    Block,
    Interval,
    Kind,
    Missing,
    Note,
    Paragraph,
    Section,
    Table,
    TableColumn,
    Value,
)
from jiaoheng.growth.converting import STRUGGLING, TOP, Converting
from jiaoheng.growth.results import GrowthResult
from jiaoheng.growth.settings import least_of
from jiaoheng.growth.wording import unit_name
from jiaoheng.methods.conversion import Outcome
from jiaoheng.methods.movement import TOO_FEW

_SHOWN = 80


def families_section(result: GrowthResult) -> Section | None:
    """Correlations of the orders, and every unit by every method."""
    found = result.families
    if found is None or len(found.units) < 3:
        return None
    first = found.names[0]
    said = "，".join(
        f"{name} {found.correlation[0, at]:.2f}"
        for at, name in enumerate(found.names)
        if at and np.isfinite(found.correlation[0, at])
    )
    blocks: list[Block] = [
        Paragraph(
            f"{len(found.units)} 个“{result.main.level}”按{first}的先后与其他各法的等级相关：{said}。", strong=True
        ),
        correlation_table(result),
        values_table(result),
        Note("标准分差和百分等级差没有除去向均值回归，会压低强生源单位、抬高弱生源单位，只作对照。"),
    ]
    return Section("families", "各法对照", tuple(blocks))


def correlation_table(result: GrowthResult) -> Table:
    """Spearman's correlations."""
    found = result.families
    assert found is not None  # noqa: S101 (the caller asks only then)
    columns = (
        TableColumn("name", "方法"),
        *(TableColumn(f"m{at}", name, Kind.NUMBER, 3, definition="family") for at, name in enumerate(found.names)),
    )
    rows: list[tuple[Value, ...]] = []
    for at, name in enumerate(found.names):
        cells: list[Value] = [
            float(value) if np.isfinite(value) else Missing("单位太少") for value in found.correlation[at]
        ]
        rows.append((name, *cells))
    return Table("families.correlation", "名次的 Spearman 相关", columns, tuple(rows), sheet="各法")


def values_table(result: GrowthResult) -> Table:
    """Each unit's value by each method."""
    found = result.families
    assert found is not None  # noqa: S101 (the caller asks only then)
    columns = (
        TableColumn("unit", result.main.level),
        *(
            TableColumn(f"m{at}", name, Kind.NUMBER if name == "成长百分位" else Kind.SIGNED, 2)
            for at, name in enumerate(found.names)
        ),
    )
    order = np.argsort(-found.values[0], kind="stable")
    rows: list[tuple[Value, ...]] = [
        (unit_name(found.units[at]), *(float(value) for value in found.values[:, at])) for at in order.tolist()
    ]
    return Table("families.values", "各单位按各法的值", columns, tuple(rows), sheet="各法")


def conversion_section(result: GrowthResult) -> Section | None:
    """What became of the locked lists, beside what regression to the mean alone would have made."""
    found = result.converting
    if found is None:
        return None
    blocks: list[Block] = []
    for name, verb in ((STRUGGLING, "转化"), (TOP, "保持")):
        whole = found.whole[name]
        rate = whole.rate.fraction(0)
        if rate is None:
            continue
        expected = float(whole.expected_rate[0])
        chance = f"若只有向均值回归，预期 {expected:.1%}" if np.isfinite(expected) else "预期无法计算"
        locked = "锁定名单" if found.given else f"按“{found.prior}”锁定的名单"
        blocks.append(
            Paragraph(
                f"{name}：{locked} {int(whole.locked[0])} 名，{verb}率 {float(rate):.1%}；{chance}。", strong=True
            )
        )
        blocks.append(conversion_table(result, name, verb))
    if not blocks:
        return None
    blocks.append(Note("最低一头的学生下次平均会靠近中间，不需任何作为；转化率高于这一预期的部分才可能是工作的结果。"))
    return Section("conversion", "学困生转化与尖子生保持", tuple(blocks))


def conversion_table(result: GrowthResult, name: str, verb: str) -> Table:
    """By unit: list, success, rate, expectation, excess with interval, verdict."""
    found = result.converting
    assert found is not None  # noqa: S101 (the caller asks only then)
    columns = (
        TableColumn("unit", result.settings.groups[0]),
        TableColumn("locked", "名单", Kind.COUNT),
        TableColumn("success", verb, Kind.COUNT),
        TableColumn("rate", f"{verb}率", Kind.PERCENT, 1),
        TableColumn("expected", "仅回归的预期", Kind.PERCENT, 1),
        TableColumn("excess", "超出预期的区间（百分点）", Kind.INTERVAL, 1),
        TableColumn("new", f"新进{name}", Kind.COUNT),
        TableColumn("word", "结论"),
    )
    own = found.by_unit[name]
    least = least_of(result.settings)[result.settings.groups[0]]
    listed = [at for at in range(len(found.units)) if own.locked[at] > 0]
    order = sorted(listed, key=lambda at: (-int(own.locked[at]), found.units[at]))
    rows = tuple(_row(found, own, at, least) for at in order)
    return Table(
        f"conversion.{name}", f"各{result.settings.groups[0]}{name}{verb}", columns, rows[:_SHOWN], sheet="转化"
    )


def _row(found: Converting, own: Outcome, at: int, least: int) -> tuple[Value, ...]:
    rate, excess = own.rate.fraction(at), own.excess(at)
    expected, verdict = float(own.expected_rate[at]), own.verdict(at, least)
    shown: Value = Missing("没有预期")
    if excess is not None:  # that of a few pupils would reach beyond what a rate can be
        shown = Missing("名单上的人太少") if verdict == TOO_FEW else Interval(excess[1] * 100, excess[2] * 100, True)
    return (
        found.units[at],
        int(own.locked[at]),
        int(own.success[at]),
        rate if rate is not None else Missing("名单上没有人"),
        expected if np.isfinite(expected) else Missing("两次成绩都有的学生太少"),
        shown,
        int(own.new[at]),
        verdict,
    )

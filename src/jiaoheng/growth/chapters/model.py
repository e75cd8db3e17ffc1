"""What the model is: coefficients, variances, what it explains, what it warns of."""

from __future__ import annotations

from jiaoheng.documents.model import (
    Block,
    Bullets,
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
from jiaoheng.growth.results import GrowthResult
from jiaoheng.growth.wording import adjusted_for
from jiaoheng.methods.effects_model import Fit, VarianceComponent

_LEAST_P = 0.001


def model_section(result: GrowthResult) -> Section:
    """The chapter."""
    fit = result.fit
    blocks: list[Block] = [Paragraph(f"{adjusted_for(result.settings)}。用到 {fit.n:,} 名学生。")]
    if fit.warnings:
        blocks += [Note(f"{one.text}。", Tone.WARN) for one in fit.warnings]
    if fit.fixed:
        blocks.append(fixed_table(fit))
    if fit.components:
        blocks.append(variance_table(fit))
    explained = [f"{name} {value:.1%}" for name, value in fit.r2.items()]
    if explained:
        blocks.append(Bullets((f"解释的差异：{'，'.join(explained)}",)))
    if fit.icc:
        shares = "，".join(f"{name} {value:.1%}" for name, value in fit.icc.items())
        blocks.append(Bullets((f"扣除所列条件后，差异在单位之间的占比：{shares}",)))
    return Section("model", "模型", tuple(blocks))


def fixed_table(fit: Fit) -> Table:
    """Coefficients with tests; the degrees of freedom say how they were found."""
    names = sorted({one.df_name for one in fit.fixed if one.df_name})
    columns = (
        TableColumn("name", "项"),
        TableColumn("estimate", "系数", Kind.SIGNED, 4, definition="fixed"),
        TableColumn("se", "标准误", Kind.NUMBER, 4, definition="fixed"),
        TableColumn("t", "t", Kind.NUMBER, 2, definition="fixed"),
        TableColumn("df", "自由度", Kind.NUMBER, 1, definition="fixed"),
        TableColumn("p", "p", definition="fixed"),
    )
    rows: list[tuple[Value, ...]] = []
    for one in fit.fixed:
        df: Value = one.df if one.df is not None else Missing("按正态分布检验")
        p = f"<{_LEAST_P}" if one.p < _LEAST_P else f"{one.p:.3f}"
        rows.append((term_name(one.name), one.estimate, one.se, one.statistic, df, p))
    return Table("fixed", f"系数（自由度：{'、'.join(names)}）", columns, tuple(rows), sheet="模型")


def variance_table(fit: Fit) -> Table:
    """Variances by level; those on the boundary are named."""
    columns = (
        TableColumn("level", "层"),
        TableColumn("term", "项"),
        TableColumn("variance", "方差或协方差", Kind.NUMBER, 4),
        TableColumn("sd", "标准差", Kind.NUMBER, 3),
        TableColumn("note", "说明"),
    )
    rows = tuple(_variance_row(one) for one in fit.components)
    return Table("variances", "方差", columns, rows, sheet="模型")


def _variance_row(one: VarianceComponent) -> tuple[Value, ...]:
    level = "学生" if one.level == "Residual" else one.level
    term = term_name(one.term) + (f"×{term_name(one.other)}" if one.other else "")
    sd: Value = Missing("协方差没有标准差") if one.other else one.sd
    return (level, term if one.term else "余差", one.value, sd, "边界解" if one.boundary else "")


def term_name(name: str) -> str:
    """The intercept in words."""
    return name.replace("(Intercept)", "截距").replace("|", "，")

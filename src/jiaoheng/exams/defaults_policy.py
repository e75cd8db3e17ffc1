"""Policies of an exam with their dated defaults: thresholds, denominator, missing, composite, lines, levels, lists."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from jiaoheng.exams.defaults_ledger import Ledger, fitting, percent, plain
from jiaoheng.exams.resolved import (
    ResolvedComposite,
    ResolvedDenominator,
    ResolvedLevels,
    ResolvedLine,
    ResolvedLines,
    ResolvedMissing,
    ResolvedPupils,
    ResolvedScaling,
    ResolvedThresholds,
)
from jiaoheng.exams.settings import ExamSettings
from jiaoheng.exams.settings_words import field_name
from jiaoheng.methods.scaling_rules import ScalingRuleError, find_rule
from jiaoheng.packs import load
from jiaoheng.sheets.places import Place

_RULES = {"B1": "参考人数", "B2": "学籍人数", "B3": "学籍折扣基数", "B4": "起始年级人数", "B5": "截尾参评人数"}
_FALLBACK_STAGE = "初中"  # only where there is no subject at all to guess from
_ITEMS = {"mean": "平均分", "excellent": "优秀率", "good": "良好率", "pass": "及格率", "low": "低分率"}


def _pack(part: str) -> Mapping[str, Any]:
    pack: Mapping[str, Any] = load("exam_defaults")[part]
    return pack


def thresholds(settings: ExamSettings, stage: str, grade: str, day: dt.date, ledger: Ledger) -> ResolvedThresholds:
    """The exam's thresholds; each undeclared one from packs/thresholds.yaml for stage, grade and date."""
    entries = load("thresholds")["thresholds"]
    entry = fitting(entries, stage, grade, day) or fitting(entries, _FALLBACK_STAGE, "", day) or entries[0]
    declared = settings.thresholds
    given = {"excellent": declared.excellent, "good": declared.good, "pass": declared.pass_, "low": declared.low}
    values: dict[str, Fraction] = {}
    for name, value in given.items():
        if value is not None:
            values[name] = Fraction(value)
            continue
        values[name] = _between(name, Fraction(entry[name]), given)
        word = "低于满分的" if name == "low" else "取满分的"
        text = f"{field_name('Thresholds', name)}{word} {percent(values[name])}"
        ledger.assume(("thresholds", name), plain(values[name]), text, f"{entry['id']}：{entry['source']}")
    return ResolvedThresholds(values["excellent"], values["good"], values["pass"], values["low"])


def _between(name: str, value: Fraction, given: Mapping[str, Decimal | None]) -> Fraction:
    """A default never breaks the order of what was declared: 优秀 declared 0.70 pulls 良好 down to it."""
    order = list(given)
    at = order.index(name)
    above = [Fraction(given[key] or 0) for key in order[:at] if given[key] is not None]
    below = [Fraction(given[key] or 0) for key in order[at + 1 :] if given[key] is not None]
    return max(min([value, *above]), *below) if below else min([value, *above])


def denominator(settings: ExamSettings, ledger: Ledger) -> ResolvedDenominator:
    """Denominator rule B1–B5 with its parameters."""
    pack, own = _pack("denominator"), settings.denominator
    rule = own.rule or str(pack["rule"])
    if own.rule is None:
        text = f"分母口径取 {rule}（{_RULES[rule]}）"
        ledger.assume(("denominator", "rule"), rule, text, pack["source"])
    discount, keep = Fraction(pack["discount"]), Fraction(pack["keep"])
    if rule == "B3" and own.discount is None:
        ledger.assume(("denominator", "discount"), plain(discount), f"学籍折扣取 {percent(discount)}", pack["source"])
    if rule == "B5" and own.keep is None:
        ledger.assume(("denominator", "keep"), plain(keep), f"截尾保留比例取 {percent(keep)}", pack["source"])
    return ResolvedDenominator(
        rule,
        Fraction(own.discount) if own.discount is not None else discount,
        Fraction(own.keep) if own.keep is not None else keep,
        own.cohort or {},
    )


def missing(settings: ExamSettings, rule: str, ledger: Ledger) -> ResolvedMissing:
    """What absence, cheating and blanks do; the default depends on the denominator rule."""
    pack, own = _pack("missing"), settings.missing
    defaults: Mapping[str, str] = pack[rule]
    values: dict[str, str] = {}
    given = {"absent": own.absent, "cheated": own.cheated, "blank": own.blank, "total": own.total}
    for name, value in given.items():
        values[name] = value or defaults[name]
        if value is None:
            text = f"{field_name('Missing', name)}：{defaults[name]}"
            ledger.assume(("missing", name), defaults[name], text, pack["source"])
    return ResolvedMissing(values["absent"], values["cheated"], values["blank"], values["total"])


def composite(settings: ExamSettings, ledger: Ledger) -> ResolvedComposite:
    """Family and weights of the composite score; weights stay as declared (they add to 1, or are points)."""
    pack, own = _pack("composite"), settings.composite
    family = own.family or str(pack["family"])
    if own.family is None:
        ledger.assume(("composite", "family"), family, f"综合评价用{family}法", pack["source"])
    weights = {name: Fraction(value) for name, value in (own.weights or {}).items()}
    if not weights:
        weights = {name: Fraction(value) for name, value in pack["weights"][family].items()}
        if weights:
            shown = "、".join(f"{_ITEMS[name]} {plain(value)}" for name, value in weights.items() if value)
            ledger.assume(("composite", "weights"), shown, f"综合评价权重取{shown}", pack["source"])
    first, minus = own.first, own.minus
    if family == "名次" and (first is None or minus is None):
        text = f"名次法第一名 {first or pack['first']} 分，逐名减 {minus or pack['minus']} 分"
        ledger.assume(("composite", "first"), str(first or pack["first"]), text, pack["source"])
    return ResolvedComposite(
        family,
        weights,
        Fraction(first) if first is not None else Fraction(pack["first"]),
        Fraction(minus) if minus is not None else Fraction(pack["minus"]),
    )


def lines(settings: ExamSettings, ledger: Ledger) -> ResolvedLines:
    """Lines and near-line bands. Without declared lines there are none, and nothing is assumed about them."""
    pack, own = _pack("lines"), settings.lines
    effective = own.effective or str(pack["effective"])
    if own.lines and own.effective is None:
        ledger.assume(("lines", "effective"), effective, f"有效分用 {effective} 法", pack["source"])
    widths: dict[str, Fraction] = {}
    for name, value in (("near_above", own.near_above), ("near_below", own.near_below), ("band", own.band)):
        widths[name] = Fraction(value) if value is not None else Fraction(pack[name])
        if own.lines and value is None and (name != "band" or effective == "C"):
            text = f"{field_name('Lines', name)}取 {plain(widths[name])} 分"
            ledger.assume(("lines", name), plain(widths[name]), text, pack["source"])
    resolved = tuple(
        ResolvedLine(
            line.name,
            line.track or "",
            Fraction(line.score) if line.score is not None else None,
            line.places,
            {subject: Fraction(score) for subject, score in (line.subject_lines or {}).items()},
        )
        for line in own.lines
    )
    return ResolvedLines(resolved, effective, widths["near_above"], widths["near_below"], widths["band"])


def scaling(settings: ExamSettings, day: dt.date, ledger: Ledger) -> ResolvedScaling:
    """The scaled-score rule that is in force on the day; an unknown one is an error."""
    pack, own = _pack("scaling"), settings.scaling
    ties = own.ties or str(pack["ties"])
    if own.rule is None:
        return ResolvedScaling("", (), ties)
    try:
        rule = find_rule(own.rule, day)
    except ScalingRuleError as error:
        ledger.error("scaling-rule", Place(), str(error), "请改正“赋分规则”")
        return ResolvedScaling("", (), ties)
    if own.subjects is None:
        shown = "、".join(rule.subjects)
        ledger.assume(("scaling", "subjects"), shown, f"赋分学科取{shown}", rule.source)
    if own.ties is None:
        ledger.assume(("scaling", "ties"), ties, f"赋分切点同分取 {ties}", pack["source"])
    return ResolvedScaling(rule.key, own.subjects or rule.subjects, ties)


def levels(settings: ExamSettings, rates: ResolvedThresholds, ledger: Ledger) -> ResolvedLevels:
    """Levels, best first. Default bounds are the exam's own thresholds."""
    pack, own = _pack("levels"), settings.levels
    by_shares = own.shares is not None
    given = own.shares if by_shares else own.score_rates
    if given is not None:
        bounds = tuple(Fraction(value) for value in given)
    else:
        # equal thresholds would make an empty level
        parts = (rates.excellent, rates.good, rates.passing, rates.low, Fraction(0))
        bounds = tuple(dict.fromkeys(parts))
        if own.names is not None and len(own.names) != len(bounds):
            bounds = _even(len(own.names), rates)
    names = own.names or tuple(str(name) for name in _names(pack["names"], len(bounds)))
    if own.names is None or given is None:
        shown = "、".join(f"{name}≥{percent(bound)}" for name, bound in zip(names, bounds, strict=False))
        if by_shares:
            shown = "、".join(f"{name} 前{percent(bound)}" for name, bound in zip(names, bounds, strict=False))
        ledger.assume(("levels", "score_rates"), shown, f"等级取 {shown}", pack["source"])
    return ResolvedLevels(names, by_shares, bounds)


def _names(names: list[str], count: int) -> list[str]:
    return [names[at] if at < len(names) else chr(ord("A") + at) for at in range(count)]


def _even(count: int, rates: ResolvedThresholds) -> tuple[Fraction, ...]:
    """Bounds for another number of levels: excellent and pass stay, the levels between them are equally wide."""
    if count <= 1:
        return (Fraction(0),)
    if count == 2:
        return (rates.passing, Fraction(0))
    inner = count - 2
    width = (rates.excellent - rates.passing) / inner
    return (*(rates.excellent - width * at for at in range(inner)), rates.passing, Fraction(0))


def pupils(settings: ExamSettings, count: int | None, ledger: Ledger) -> ResolvedPupils:
    """Bounds of the lists of pupils; default rank bands that hold most of the pupils are left out."""
    pack, own = _pack("pupils"), settings.pupils
    given = {
        "struggling_share": own.struggling_share,
        "top_share": own.top_share,
        "uneven_z": own.uneven_z,
        "single_digit_below": own.single_digit_below,
    }
    values: dict[str, Fraction] = {}
    for name, value in given.items():
        values[name] = Fraction(value) if value is not None else Fraction(pack[name])
        if value is None:
            shown = percent(values[name]) if name.endswith("share") else plain(values[name])
            text = f"{field_name('PupilLists', name)}取 {shown}"
            ledger.assume(("pupils", name), plain(values[name]), text, pack["source"])
    bands = own.rank_bands
    if bands is None:
        most = Fraction(pack["rank_band_most"]) * count if count is not None else None
        bands = tuple(band for band in pack["rank_bands"] if most is None or band <= most)
        shown = "、".join(str(band) for band in bands) or "不分"
        ledger.assume(("pupils", "rank_bands"), shown, f"名次段取 {shown}", pack["source"])
    return ResolvedPupils(
        values["struggling_share"], values["top_share"], values["uneven_z"], bands, values["single_digit_below"]
    )

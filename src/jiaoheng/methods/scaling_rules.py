"""Dated rule tables of scaled scores 赋分, read from packs/scaling.yaml and checked.

Source: standards §2. A table is data; this module only finds the one that is in force and refuses a broken one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, cast

from jiaoheng import packs

Ties = Literal["near", "up", "down"]
Single = Literal["middle", "high"]


class ScalingRuleError(ValueError):
    """No such rule, or a rule table that cannot be right; the message is plain Chinese."""


@dataclass(frozen=True, slots=True)
class Level:
    """One level: its name, share of the pool in percent, and scaled scores at its top and bottom."""

    name: str
    share: Fraction
    high: int
    low: int


@dataclass(frozen=True, slots=True)
class ScalingRule:
    """A rule table in force from `effective_from` up to, not including, `effective_to` (None: open)."""

    key: str
    name: str
    levels: tuple[Level, ...]  # best first
    subjects: tuple[str, ...]  # subjects the rule scales
    full: int  # highest scaled score
    effective_from: dt.date
    effective_to: dt.date | None
    source: str
    note: str
    confidence: str  # 高, 中, 低: how sure the table itself is
    aliases: tuple[str, ...]
    ties: Ties
    single: Single
    outside: int  # scaled score of pupils outside the pool who must have one (absent, cheated)
    small_pool: int  # below this many pupils the result is marked as indicative only

    def in_force(self, day: dt.date) -> bool:
        """Whether the rule is valid on that day (dates are half-open)."""
        return self.effective_from <= day and (self.effective_to is None or day < self.effective_to)


def find_rule(key: str, day: dt.date) -> ScalingRule:
    """The rule called `key` (a key or an alias such as a province) that is in force on the exam's day.

    Raises ScalingRuleError where nothing is called so, or nothing called so is in force on that day.
    """
    word = key.strip()
    named = [rule for rule in all_rules() if word == rule.key or word in rule.aliases]
    if not named:
        known = "、".join(dict.fromkeys(rule.key for rule in all_rules()))
        raise ScalingRuleError(f"没有名为“{key}”的赋分规则。可用的规则有：{known}")
    valid = [rule for rule in named if rule.in_force(day)]
    if not valid:
        spans = "；".join(f"{rule.name}：{_span(rule)}" for rule in named)
        raise ScalingRuleError(
            f"赋分规则“{key}”在考试日期 {day.isoformat()} 不适用（{spans}）。请核对考试日期，或改用其他规则"
        )
    return valid[-1]


def all_rules() -> tuple[ScalingRule, ...]:
    """Every rule of the pack, in its order.

    Raises ScalingRuleError where the pack holds a table that cannot be right.
    """
    return parse_rules(packs.load("scaling"))


def parse_rules(pack: Mapping[str, Any]) -> tuple[ScalingRule, ...]:
    """Rules of a parsed pack: `defaults` and a list of `rules` with `levels`, or a `ladder` of fixed scores.

    Raises ScalingRuleError naming the rule and what is wrong (shares that do not add up to 100, levels that overlap …).
    """
    return tuple(_parse(entry, pack.get("defaults", {})) for entry in pack["rules"])


def _parse(entry: Mapping[str, Any], defaults: Mapping[str, Any]) -> ScalingRule:
    given = {**defaults, **entry}
    rule = ScalingRule(
        key=str(given["key"]),
        name=str(given["name"]),
        levels=_levels(given),
        subjects=tuple(str(name) for name in given.get("subjects", ())),
        full=int(given["full"]),
        effective_from=given["effective_from"],
        effective_to=given.get("effective_to"),
        source=str(given["source"]),
        note=str(given.get("note", "")),
        confidence=str(given.get("confidence", "")),
        aliases=tuple(str(name) for name in given.get("aliases", ())),
        ties=cast(Ties, given["ties"]),
        single=cast(Single, given["single"]),
        outside=int(given["outside"]),
        small_pool=int(given["small_pool"]),
    )
    _check(rule)
    return rule


def _levels(given: Mapping[str, Any]) -> tuple[Level, ...]:
    if "levels" in given:
        return tuple(
            Level(str(level["name"]), Fraction(str(level["share"])), int(level["high"]), int(level["low"]))
            for level in given["levels"]
        )
    ladder = given["ladder"]
    shares = ladder["shares"]
    names = ladder.get("names") or [str(number) for number in range(1, len(shares) + 1)]
    if len(names) != len(shares):
        raise ScalingRuleError(
            f"赋分规则“{given['key']}”的等级名有 {len(names)} 个，比例有 {len(shares)} 个，应当一样多"
        )
    top, gap = int(ladder["top"]), int(ladder["gap"])
    return tuple(
        Level(str(name), Fraction(str(share)), top - gap * place, top - gap * place)
        for place, (name, share) in enumerate(zip(names, shares, strict=True))
    )


def _check(rule: ScalingRule) -> None:
    shares = sum((level.share for level in rule.levels), Fraction(0))
    if shares != 100:
        raise ScalingRuleError(f"赋分规则“{rule.key}”各等级比例之和是 {float(shares):g}%，应当是 100%")
    if any(level.share < 0 or level.low > level.high for level in rule.levels):
        raise ScalingRuleError(f"赋分规则“{rule.key}”有等级的比例为负，或最低分高于最高分")
    for upper, lower in zip(rule.levels, rule.levels[1:], strict=False):
        if lower.high >= upper.low:
            raise ScalingRuleError(f"赋分规则“{rule.key}”的等级 {upper.name} 与 {lower.name} 的分数区间重叠")
    if rule.levels[0].high != rule.full:
        raise ScalingRuleError(f"赋分规则“{rule.key}”的最高赋分 {rule.levels[0].high} 与满分 {rule.full} 不一致")
    if rule.ties not in ("near", "up", "down") or rule.single not in ("middle", "high"):
        raise ScalingRuleError(f"赋分规则“{rule.key}”的同分规则应为 near、up、down，单一分数规则应为 middle、high")


def _span(rule: ScalingRule) -> str:
    until = "至今" if rule.effective_to is None else f"至 {rule.effective_to.isoformat()} 前"
    return f"自 {rule.effective_from.isoformat()} {until}"

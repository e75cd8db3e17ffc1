"""From the opened rows to the table a model reads: words become columns of 0 and 1, and every doubt is counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jiaoheng.engine.numbers import is_nan
from jiaoheng.growth.settings import GrowthSettings
from jiaoheng.growth.tables import Opened
from jiaoheng.sheets.places import Place, Problem, Severity

_MOST_WORDS = 20
_SHOWN = 5


@dataclass(slots=True)
class Prepared:
    """The table with numeric predictors. `counts`: how many rows there are, and how many lack what."""

    table: Any
    predictors: tuple[str, ...]
    counts: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def usable(self) -> bool:
        """Whether nothing stops the model."""
        return not any(one.severity is Severity.ERROR for one in self.problems)


def prepare(settings: GrowthSettings, opened: Opened) -> Prepared:
    """Check the rows and make the predictors numeric. One pass for the counts, one a word column, one for pupils."""
    prepared = Prepared(opened.table, settings.predictors)
    _words(settings, prepared)
    if prepared.usable:
        _count(settings, prepared)
    if settings.pupil:
        _pupils(settings, prepared)
    return prepared


def _words(settings: GrowthSettings, prepared: Prepared) -> None:
    """Covariates of words: a column of 0 and 1 for every word but the commonest."""
    table = prepared.table
    schema = table.schema()
    predictors: list[str] = list(settings.priors)
    made: dict[str, Any] = {}
    for name in settings.covariates:
        if not schema[name].is_string():
            predictors.append(name)
            continue
        known = table.filter(table[name].notnull())
        counted = known.group_by(name).agg(n=known.count()).to_pyarrow().to_pylist()
        counted.sort(key=lambda row: (-row["n"], row[name]))
        if len(counted) > _MOST_WORDS:
            message = f"“{name}”列有 {len(counted)} 种不同的文字，不能作为条件"
            remedy = f"请先归并为不超过 {_MOST_WORDS} 类，或改用数字列"
            prepared.problems.append(Problem("growth-words", Severity.ERROR, Place("数据"), message, remedy))
            continue
        for row in counted[1:]:
            column = f"{name}={row[name]}"
            made[column] = (table[name] == row[name]).cast("float64")
            predictors.append(column)
        if len(counted) < 2:
            message = f"“{name}”列只有一种文字，没有差异可以调整，已不用"
            prepared.problems.append(Problem("growth-one-word", Severity.WARNING, Place("数据"), message, ""))
    if made:
        prepared.table = table.mutate(**made)
    prepared.predictors = tuple(predictors)


def _missing(table: Any, name: str) -> Any:
    column = table[name]
    if not table.schema()[name].is_floating():
        return column.isnull()
    return column.isnull() | is_nan(column)


def _count(settings: GrowthSettings, prepared: Prepared) -> None:
    table = prepared.table
    no_outcome = _missing(table, settings.outcome)
    no_prior = _missing(table, settings.priors[0])
    for name in settings.priors[1:]:
        no_prior = no_prior & _missing(table, name)
    no_group = table[settings.groups[0]].isnull()
    for name in settings.groups[1:]:
        no_group = no_group | table[name].isnull()
    asked: dict[str, Any] = {
        "rows": table.count(),
        "no_outcome": no_outcome.sum(),
        "no_prior": no_prior.sum(),
        "no_group": no_group.sum(),
        "complete": (~no_outcome & ~no_prior & ~no_group).sum(),
        "some_prior_missing": _any_missing(table, settings.priors).sum(),
    }
    for at, name in enumerate(prepared.predictors[len(settings.priors) :]):
        asked[f"missing{at}"] = _missing(table, name).sum()
    numbers = [settings.outcome, *prepared.predictors, *([settings.weight] if settings.weight else [])]
    floating = [name for name in numbers if table.schema()[name].is_floating()]
    for at, name in enumerate(floating):
        asked[f"inf{at}"] = table[name].isinf().sum()
    if settings.weight:
        asked["no_weight"] = (_missing(table, settings.weight) | (table[settings.weight] == 0)).sum()
        asked["negative"] = (table[settings.weight] < 0).sum()
    row = {key: int(value or 0) for key, value in table.agg(**asked).to_pyarrow().to_pylist()[0].items()}
    prepared.counts = {key: value for key, value in row.items() if not key.startswith(("inf", "missing"))}
    _judge(settings, prepared, row, floating)


def _any_missing(table: Any, names: tuple[str, ...]) -> Any:
    found = _missing(table, names[0])
    for name in names[1:]:
        found = found | _missing(table, name)
    return found


def _judge(settings: GrowthSettings, prepared: Prepared, row: dict[str, int], floating: list[str]) -> None:
    def say(code: str, severity: Severity, message: str, remedy: str = "") -> None:
        prepared.problems.append(Problem(code, severity, Place("数据"), message, remedy))

    for at, name in enumerate(floating):
        if row[f"inf{at}"]:
            text = f"“{name}”列有 {row[f'inf{at}']} 个无穷大（inf）"
            say("growth-infinite", Severity.ERROR, text, "请在数据中改正或清空这些格")
    if row["no_prior"] == row["rows"]:
        text = f"“{'、'.join(settings.priors)}”列没有一个成绩，没有起点就没有增值"
        say("growth-no-prior", Severity.ERROR, text, "请核对 --prior 所指的列，或先并入起点成绩")
    elif row["no_outcome"] == row["rows"]:
        text = f"“{settings.outcome}”列没有一个成绩"
        say("growth-no-outcome", Severity.ERROR, text, "请核对 --outcome 所指的列")
    elif row["no_prior"]:
        text = f"{row['no_prior']} 名学生没有任何起点成绩，不参加计算，按单位列在“缺失”一节"
        say("growth-without-prior", Severity.NOTE, text)
    for at, name in enumerate(prepared.predictors[len(settings.priors) :]):
        if row[f"missing{at}"]:
            text = f"{row[f'missing{at}']} 名学生的“{name}”为空，不参加计算"
            say("growth-without-covariate", Severity.NOTE, text, "如人数较多，请补齐，或不用这一列")
    if row["no_group"]:
        text = f"{row['no_group']} 行没有写明“{'、'.join(settings.groups)}”，不参加计算"
        say("growth-without-group", Severity.WARNING, text, "请补上所在单位")
    if settings.weight and row["negative"]:
        text = f"权重“{settings.weight}”列有 {row['negative']} 个负数"
        say("growth-negative-weight", Severity.ERROR, text, "权重应大于 0，请改正")
    elif settings.weight and row["no_weight"] == row["rows"]:
        text = f"权重“{settings.weight}”列全部为 0 或空"
        say("growth-no-weight", Severity.ERROR, text, "请核对 --weight 所指的列")
    elif settings.weight and row["no_weight"]:
        text = f"权重“{settings.weight}”列有 {row['no_weight']} 行为 0 或空，这些行不参加计算"
        say("growth-zero-weight", Severity.WARNING, text, "如应计入，请填写大于 0 的权重")


def _pupils(settings: GrowthSettings, prepared: Prepared) -> None:
    """Pupils who stand in several rows, and in several units."""
    table = prepared.table
    by = [settings.pupil, *([settings.year] if settings.year else [])]
    known = table.filter(table[settings.pupil].notnull())
    outer = settings.groups[0]
    counted = known.group_by(by).agg(n=known.count(), units=known[outer].nunique())
    several = counted.filter(counted.n > 1)
    found = (
        several.agg(pupils=several.count(), rows=several.n.sum(), moved=(several.units > 1).sum())
        .to_pyarrow()
        .to_pylist()[0]
    )
    if not found["pupils"] or (settings.method == "crossed" and not found["moved"] and not settings.year):
        return
    shown = several.order_by([*by]).limit(_SHOWN).to_pyarrow().to_pylist()
    names = "、".join(f"{row[settings.pupil]}（{row['n']} 行）" for row in shown)
    more = "等" if int(found["pupils"]) > _SHOWN else ""
    moved, same = int(found["moved"] or 0), int(found["pupils"]) - int(found["moved"] or 0)
    if moved and settings.method != "crossed":
        text = f"{moved} 名学生同时出现在两个“{outer}”中：{names}{more}。一名学生的成绩只能算给一个单位"
        remedy = f"请只保留学生考试时所在的“{outer}”，或用 --teacher-shares 和 --method crossed 按份额分给各单位"
        prepared.problems.append(Problem("growth-two-units", Severity.ERROR, Place("数据"), text, remedy))
    if same:
        text = f"{same} 名学生在数据中有重复的行：{names}{more}"
        years = "" if settings.year else "；数据含几个学年的，请用 --year 指明学年列"
        remedy = f"请删去重复的行（每名学生每次考试一行）后再计算{years}"
        prepared.problems.append(Problem("growth-duplicate", Severity.ERROR, Place("数据"), text, remedy))

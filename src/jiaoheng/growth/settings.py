"""What a value-added run is asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal, get_args

from jiaoheng.packs import load
from jiaoheng.sheets.places import Place, Problem, Severity

Method = Literal["lmm", "crossed", "sgp", "residual"]
METHODS: tuple[str, ...] = get_args(Method)
METHOD_WORDS = {"lmm": "分层线性模型", "crossed": "交叉分类模型", "sgp": "成长百分位", "residual": "残差法"}


@dataclass(frozen=True, slots=True)
class GrowthSettings:
    """Columns and choices. `groups` are outermost first (school, class)."""

    outcome: str
    priors: tuple[str, ...]
    groups: tuple[str, ...]
    covariates: tuple[str, ...] = ()
    method: str = "lmm"
    pupil: str = ""  # column that identifies a pupil: duplicates and pupils in two schools are found by it
    weight: str = ""
    year: str = ""  # column of the cohort or school year: pooling and stability
    slope: str = ""  # the prior whose slope varies among the outermost units
    reliability: Mapping[str, float] = field(default_factory=dict)  # of priors: their measurement error is taken out
    school_means: bool = False  # adjust for each outermost unit's mean prior as well
    fairness: tuple[str, ...] = ()  # columns whose unit means effects are held against (boarding …)
    teacher_shares: Path | None = None
    persistence: str = "0"  # of past teachers' effects: a number from 0 to 1, "one" or "each" (estimated)
    locked: Path | None = None  # the locked baseline lists of an earlier run
    reml: bool = True
    title: str = ""
    organisation: str = ""

    @property
    def predictors(self) -> tuple[str, ...]:
        """Priors, then covariates."""
        return (*self.priors, *self.covariates)

    def numbers(self) -> tuple[str, ...]:
        """The columns that must be numbers; covariates may be words too."""
        return (self.outcome, *self.priors, *([self.weight] if self.weight else []))

    def keys(self) -> tuple[str, ...]:
        """The columns that name units and people."""
        named = (*self.groups, self.pupil, self.year)
        return tuple(dict.fromkeys(name for name in named if name))

    def problems(self) -> list[Problem]:
        """What is wrong with the settings themselves."""
        found: list[Problem] = []

        def wrong(message: str, remedy: str) -> None:
            found.append(Problem("growth-settings", Severity.ERROR, Place("命令的参数"), message, remedy))

        if self.method not in METHODS:
            wrong(f"方法“{self.method}”无法识别", f"--method 可以是 {'、'.join(METHODS)}")
        if not self.priors:
            wrong("没有给出起点成绩。增值是终点成绩比起点成绩的预期高出多少", "请用 --prior 列名 给出起点成绩")
        if not self.groups:
            wrong("没有给出单位", "请用 --groups 学校列,班级列 给出单位，由外到内")
        columns = (self.outcome, *self.predictors, *self.keys(), *([self.weight] if self.weight else []))
        twice = sorted({name for name in columns if columns.count(name) > 1})
        if twice:
            wrong(
                f"列“{'、'.join(twice)}”用了两次",
                "每一列只能有一个用途，请核对 --outcome、--prior、--covariates、--groups",
            )
        if self.slope and self.slope not in self.priors:
            wrong(f"--slope 的“{self.slope}”不在起点成绩中", f"可以是：{'、'.join(self.priors)}")
        for name, value in self.reliability.items():
            if name not in self.priors:
                wrong(f"--reliability 的“{name}”不在起点成绩中", f"可以是：{'、'.join(self.priors)}")
            elif not 0 < value <= 1:
                wrong(f"“{name}”的信度 {value:g} 不在 0 与 1 之间", "请给出 0 到 1 之间的信度，如 0.9")
        if self.reliability and self.slope:
            wrong("测量误差校正不能与随机斜率同时使用", "请去掉 --reliability 或 --slope")
        if self.persistence not in ("one", "each") and not _is_share(self.persistence):
            wrong(f"--persistence 的“{self.persistence}”看不懂", "应为 0 到 1 之间的数，或 one、each（由数据估计）")
        if self.teacher_shares is not None and self.method != "crossed":
            wrong("给了任教分工，但方法不是 crossed", "请加上 --method crossed，或去掉 --teacher-shares")
        if self.method == "crossed" and self.teacher_shares is None and len(self.groups) < 2:
            wrong("交叉分类模型至少需要两列单位", "请在 --groups 中给出两列，或用 --teacher-shares 给出任教分工")
        return found


def _is_share(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False


def limit(name: str) -> Fraction:
    """A limit of the pack."""
    for entry in load("growth")["limits"]:
        if entry["id"] == name:
            return Fraction(str(entry["value"]))
    raise KeyError(name)


def least_of(settings: GrowthSettings) -> dict[str, int]:
    """By level: the fewest pupils of whom something is said."""
    outer = int(limit("least_school"))
    return {name: outer if at == 0 else int(limit("least_class")) for at, name in enumerate(settings.groups)}

"""The settings of one exam: one validated model for `exam.yaml`, the 设置 sheet and the answered 待确认 sheet.

Only what a person declared is stored here; what is not declared stays None and takes the dated default of the
packs in `exams/defaults.py`, which also says what was assumed.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[Decimal, Field(gt=0)]
Share = Annotated[Decimal, Field(ge=0, le=1)]

Stage = Literal["小学", "初中", "高中"]
Nature = Literal["毕业班模拟", "学业水平", "中考高考", "质量监测", "校内考试", "历史数据"]
StateWord = Literal["缺考", "缺失", "免考", "违纪", "未选", "缓考", "离校", "零分"]


class Model(BaseModel):
    """Unknown keys are errors: a misspelt key must not be ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class SubjectSettings(Model):
    """满分, 最小计分单位, 权重, 赋分: of one subject."""

    full: Positive | None = None
    step: Positive | None = None
    weight: Annotated[Decimal, Field(ge=0)] | None = None  # weight of this subject in composites; None: equal
    fold: Positive | None = None  # 折分: score × fold enters the total
    in_total: bool | None = None  # counts in the grand total
    scaled: bool | None = None  # scores in the files are already scaled 赋分


class Thresholds(Model):
    """Shares of full mark: excellent ≥, good ≥, pass ≥, low <."""

    excellent: Share | None = None
    good: Share | None = None
    pass_: Annotated[Share | None, Field(alias="pass")] = None
    low: Share | None = None


class Denominator(Model):
    """Who counts (standards §1.1)."""

    rule: Literal["B1", "B2", "B3", "B4", "B5"] | None = None
    discount: Share | None = None  # B3: 3 %
    keep: Share | None = None  # B5: 90 %
    cohort: dict[str, int] | None = None  # B4: school → pupils of the starting grade + in − out


class Missing(Model):
    """What a missing, absent or cheated subject does to subject scores and to the total."""

    absent: Literal["不计", "计零"] | None = None
    cheated: Literal["计零", "不计"] | None = None
    blank: Literal["按缺考", "不计", "报错"] | None = None
    total: Literal["缺科不计总分", "缺科计零"] | None = None


class Composite(Model):
    """综合评价 (standards §1.3). Weights by name: mean, excellent, pass, low; rank uses `first` and `minus`."""

    family: Literal["线性", "比最高", "比县均", "名次"] | None = None
    weights: dict[str, Decimal] | None = None
    first: Decimal | None = None
    minus: Decimal | None = None


class Line(Model):
    """A line of the total: a score, or a planned number of places; `track` where tracks have their own."""

    name: str
    score: Positive | None = None
    places: Annotated[int, Field(gt=0)] | None = None
    track: str | None = None
    subject_lines: dict[str, Positive] | None = None  # given effective scores, else computed


class Lines(Model):
    """划线与有效分."""

    lines: tuple[Line, ...] = ()
    effective: Literal["A", "B", "C"] | None = None
    near_above: Positive | None = None  # 临界: marks above the line
    near_below: Positive | None = None
    band: Positive | None = None  # method C: ± marks


class Scaling(Model):
    """赋分 (standards §2)."""

    rule: str | None = None  # key of packs/scaling.yaml: "3+1+2", "山东", "北京", "天津", "上海", "浙江"
    subjects: tuple[str, ...] | None = None
    ties: Literal["near", "up", "down"] | None = None


class Levels(Model):
    """等级: names and shares or score lines, best first (compulsory stage prints by level)."""

    names: tuple[str, ...] | None = None
    score_rates: tuple[Share, ...] | None = None  # level i begins at this share of full mark
    shares: tuple[Share, ...] | None = None  # or cumulative shares of pupils


class PupilLists(Model):
    """Near-line, uneven, struggling and top pupils; rank bands."""

    struggling_share: Share | None = None
    top_share: Share | None = None
    uneven_z: Positive | None = None
    rank_bands: tuple[int, ...] | None = None  # top 50, 100, 200 …
    single_digit_below: Positive | None = None


class Prior(Model):
    """The prior exam: files and what their columns mean (for movement, conversion)."""

    name: str | None = None
    files: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()  # keys file|sheet of this import that hold the prior exam


class ExamSettings(Model):
    """One exam. See docs/settings.md; Chinese names of the 设置 sheet stand in packs/settings_words.yaml."""

    name: str | None = None
    date: dt.date | None = None
    county: str | None = None
    organisation: str | None = None  # 编制单位
    stage: Stage | None = None
    grade: str | None = None  # canonical: 一年级 … 九年级, 高一 … 高三
    nature: Nature | None = None
    scope: Literal["校内", "跨校"] | None = None
    approval_document: str | None = None  # 批准文号
    subjects: dict[str, SubjectSettings] = Field(default_factory=dict)
    thresholds: Thresholds = Thresholds()
    subject_thresholds: dict[str, Thresholds] = Field(default_factory=dict)
    denominator: Denominator = Denominator()
    missing: Missing = Missing()
    composite: Composite = Composite()
    lines: Lines = Lines()
    scaling: Scaling = Scaling()
    levels: Levels = Levels()
    pupils: PupilLists = PupilLists()
    prior: Prior = Prior()
    class_bands: dict[str, str] = Field(default_factory=dict)  # class → kind of class (类别) for fair comparison
    districts: dict[str, str] = Field(default_factory=dict)  # school → township district
    # answers to questions; keys are texts or places (see sheets/places.py)
    marks: dict[str, str] = Field(default_factory=dict)  # "/" → 未选 (a StateWord, or a number)
    columns: dict[str, str] = Field(default_factory=dict)  # header text or file|sheet|C → role or subject
    sheets: dict[str, str] = Field(default_factory=dict)  # file|sheet → 采用, 忽略, 前次考试
    rows: dict[str, str] = Field(default_factory=dict)  # file|sheet|17 → 采用, 忽略; file|sheet → hidden rows
    cells: dict[str, str] = Field(default_factory=dict)  # file|sheet|E17 → corrected text
    people: dict[str, str] = Field(default_factory=dict)  # homonyms and doubles → 同一人, 不同人, 保留第一行 …
    schools: dict[str, str] = Field(default_factory=dict)  # school name as written → canonical
    accept: dict[str, str] = Field(default_factory=dict)  # other confirmations by question code

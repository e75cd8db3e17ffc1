"""Rules between the values of the settings: order of thresholds, sums of weights, grades and stages that fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from jiaoheng.exams.settings import ExamSettings, Thresholds
from jiaoheng.exams.settings_words import field_name
from jiaoheng.packs import load
from jiaoheng.sheets.places import Place, Problem, Severity

Path = tuple[str, ...]
Places = Mapping[Path, Place]


def check(settings: ExamSettings, places: Places, whole: Place) -> list[Problem]:
    """Every contradiction between declared values, at the place of the value it is about (or `whole`)."""
    found: list[Problem] = []
    for code, path, message, remedy in _faults(settings):
        place = next((places[path[:size]] for size in range(len(path), 0, -1) if path[:size] in places), whole)
        found.append(Problem(code, Severity.ERROR, place, message, remedy))
    return found


Fault = tuple[str, Path, str, str]


def _faults(settings: ExamSettings) -> Iterator[Fault]:
    yield from _thresholds(settings.thresholds, ("thresholds",), "等级线")
    for subject, own in settings.subject_thresholds.items():
        yield from _thresholds(own, ("subject_thresholds", subject), f"{subject}的等级线")
    yield from _subjects(settings)
    yield from _composite(settings)
    yield from _lines(settings)
    yield from _levels(settings)
    yield from _grade(settings)
    yield from _bands(settings)
    if settings.denominator.rule == "B4" and not settings.denominator.cohort:
        remedy = "请填写“起始年级人数”，每校一行"
        yield "settings-cohort", ("denominator", "rule"), "分母口径 B4 需要各校的起始年级人数", remedy
    for school, count in (settings.denominator.cohort or {}).items():
        if count <= 0:
            path = ("denominator", "cohort", school)
            yield "settings-value", path, f"{school}的起始年级人数是 {count}，应大于 0", "请改正"


def _thresholds(own: Thresholds, path: Path, name: str) -> Iterator[Fault]:
    ordered = [("excellent", own.excellent), ("good", own.good), ("pass", own.pass_), ("low", own.low)]
    given = [(key, value) for key, value in ordered if value is not None]
    for (upper, high), (lower, least) in pairwise(given):
        if high < least:
            high_name, low_name = field_name("Thresholds", upper), field_name("Thresholds", lower)
            message = f"{name}中{high_name} {high} 低于{low_name} {least}"
            yield "settings-threshold-order", (*path, upper), message, "请按优秀、良好、及格、低分从高到低填写"


def _subjects(settings: ExamSettings) -> Iterator[Fault]:
    for name, subject in settings.subjects.items():
        if subject.full is not None and subject.step is not None and subject.full % subject.step:
            message = f"{name}满分 {subject.full} 不是最小计分单位 {subject.step} 的整数倍"
            yield "settings-step", ("subjects", name, "step"), message, "请改正满分或最小计分单位"
    weights = {name: item.weight for name, item in settings.subjects.items() if item.weight is not None}
    if not weights:
        return
    without = [name for name, item in settings.subjects.items() if item.weight is None and item.in_total is not False]
    if without:
        message = f"只有一部分学科填了权重，{'、'.join(without)}没有填"
        yield "settings-weights", ("subjects", without[0]), message, "请都填，或都不填（各科相同）"
        return
    total = sum(weights.values(), Decimal(0))
    if total not in (1, 100):
        path = ("subjects", next(iter(weights)), "weight")
        message = f"各学科权重合计是 {_plain(total)}，应为 1 或 100"
        yield "settings-weights", path, message, "请改正权重，或全部不填（各科相同）"


def _composite(settings: ExamSettings) -> Iterator[Fault]:
    weights = settings.composite.weights
    if not weights:
        return
    rules = load("exam_defaults")["composite"]
    family = settings.composite.family or rules["family"]
    path: Path = ("composite", "weights")
    negative = [name for name, value in weights.items() if value < 0]
    if negative:
        message = "综合评价权重不能是负数（低分率在公式中已经是减去）"
        yield "settings-weights", (*path, negative[0]), message, "请改为正数"
        return
    if family in ("比最高", "比县均") and weights.get("low"):
        message = f"{family}法不能含低分率（低分率越低越好）"
        yield "settings-weights", (*path, "low"), message, "请删去低分率的权重，或改用线性法"
        return
    allowed = [Decimal(text) for text in rules["totals"].get(family, ())]
    total = sum(weights.values(), Decimal(0))
    # in the linear family the low rate is subtracted, and then the others alone make the whole
    sums = (total, total - weights.get("low", Decimal(0)))
    if allowed and not any(value in allowed for value in sums):
        right = "或 ".join(_plain(value) for value in allowed)
        message = f"综合评价权重合计是 {_plain(total)}，{family}法应为 {right}"
        yield "settings-weights", path, message, "请改正各项权重"


def _lines(settings: ExamSettings) -> Iterator[Fault]:
    seen: set[tuple[str, str | None]] = set()
    for number, line in enumerate(settings.lines.lines):
        path = ("lines", "lines", str(number))
        if (line.score is None) == (line.places is None):
            what = "既没有分数也没有计划人数" if line.score is None else "同时给了分数和计划人数"
            yield "settings-line", path, f"分数线“{line.name}”{what}", "请在分数和计划人数中填一项"
        if (line.name, line.track) in seen:
            kind = f"（{line.track}）" if line.track else ""
            yield "settings-line", path, f"分数线“{line.name}”{kind}写了两次", "请改名或删去一条"
        seen.add((line.name, line.track))


def _levels(settings: ExamSettings) -> Iterator[Fault]:
    levels = settings.levels
    names = levels.names
    if names is not None and len(set(names)) != len(names):
        yield "settings-levels", ("levels", "names"), "等级名称有重复", "请改正等级名称"
    if levels.score_rates is not None and levels.shares is not None:
        yield "settings-levels", ("levels", "shares"), "等级同时给了分数界限和人数比例", "请只填一种"
    for key, bounds, falling in (("score_rates", levels.score_rates, True), ("shares", levels.shares, False)):
        if bounds is None:
            continue
        label = field_name("Levels", key)
        if names is not None and len(names) != len(bounds):
            message = f"等级名称有 {len(names)} 个，{label}有 {len(bounds)} 个"
            yield "settings-levels", ("levels", key), message, "两者个数应相同"
        if not _monotone(bounds, falling):
            right = "从大到小" if falling else "从小到大（累计）"
            yield "settings-levels", ("levels", key), f"{label}没有{right}排列", "请改正"
        elif bounds and bounds[-1] != (0 if falling else 1):
            end = "0" if falling else "1（全体）"
            message = f"{label}的最后一项是 {bounds[-1]}，应为 {end}"
            yield "settings-levels", ("levels", key), message, "否则有的学生没有等级"


def _monotone(values: Sequence[Decimal], falling: bool) -> bool:
    return all((a > b) if falling else (a < b) for a, b in pairwise(values))


def _grade(settings: ExamSettings) -> Iterator[Fault]:
    if settings.grade is None or settings.stage is None:
        return
    entry = load("grades")["grades"][settings.grade]
    if settings.stage != entry["stage"] and settings.stage not in entry.get("also", ()):
        message = f"年级是{settings.grade}，学段却是{settings.stage}"
        yield "settings-grade", ("stage",), message, f"{settings.grade}属于{entry['stage']}，请改正其中一项"


def _bands(settings: ExamSettings) -> Iterator[Fault]:
    bands = settings.pupils.rank_bands
    if bands is None:
        return
    if any(band <= 0 for band in bands) or list(bands) != sorted(set(bands)):
        shown = "、".join(str(band) for band in bands)
        message = f"名次段是 {shown}，应是从小到大的正整数"
        yield "settings-bands", ("pupils", "rank_bands"), message, "例如 50、100、200"


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")

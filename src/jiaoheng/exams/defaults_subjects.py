"""Each subject's full mark, step and place in the total; an unknown full mark is a question."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from fractions import Fraction

from jiaoheng.exams.defaults_ledger import Ledger, fitting, plain
from jiaoheng.exams.observations import SubjectObservation
from jiaoheng.exams.resolved import ResolvedSubject, ResolvedThresholds
from jiaoheng.exams.settings import ExamSettings, SubjectSettings, Thresholds
from jiaoheng.packs import load
from jiaoheng.sheets.places import Choice, Place
from jiaoheng.sheets.reading_model import MILLI, Measure

Seen = Mapping[str, SubjectObservation]


def resolve_subjects(
    settings: ExamSettings,
    seen: Seen,
    thresholds: ResolvedThresholds,
    stage: str,
    grade: str,
    day: dt.date,
    ledger: Ledger,
) -> dict[str, ResolvedSubject]:
    """Every subject seen in the files, in the usual order of tables. Declared subjects without data are told."""
    for name in settings.subjects:
        if name not in seen:
            message = f"考试设置中有{name}，成绩文件中没有这一科"
            ledger.warn("subject-unseen", Place(), message, "请核对学科名称，或在“列的含义”中指明是哪一列")
    found: dict[str, ResolvedSubject] = {}
    defaults = _default_marks(seen, stage, grade, day)
    weighted = any(subject.weight is not None for subject in settings.subjects.values())
    for name in sorted(seen, key=_order):
        own = settings.subjects.get(name, SubjectSettings())
        observed = seen[name]
        full = _full(name, own, observed, defaults[name], ledger)
        step = _step(name, own, observed, ledger)
        found[name] = ResolvedSubject(
            name,
            full,
            step,
            Fraction(own.weight) if own.weight is not None else Fraction(0 if weighted else 1),
            Fraction(own.fold) if own.fold is not None else Fraction(1),
            _in_total(name, own, observed, ledger),
            _scaled(name, own, observed, ledger),
            _own_thresholds(settings.subject_thresholds.get(name), thresholds),
        )
    return found


def _order(name: str) -> tuple[int, str]:
    entry = load("subjects")["subjects"].get(name)
    return (int(entry["order"]) if entry else 99, name)


def _own_thresholds(own: Thresholds | None, whole: ResolvedThresholds) -> ResolvedThresholds:
    if own is None:
        return whole
    return ResolvedThresholds(
        Fraction(own.excellent) if own.excellent is not None else whole.excellent,
        Fraction(own.good) if own.good is not None else whole.good,
        Fraction(own.pass_) if own.pass_ is not None else whole.passing,
        Fraction(own.low) if own.low is not None else whole.low,
    )


def _default_marks(seen: Seen, stage: str, grade: str, day: dt.date) -> dict[str, tuple[Fraction, str]]:
    """Proposed full mark and its source per subject: the pack's, raised to the next usual one that holds all scores."""
    pack = load("exam_defaults")
    entry = fitting(pack["full_marks"], stage, grade, day) or pack["full_marks"][-1]
    marks = entry["marks"]
    groups = [set(group) for group in pack["full_marks_together"]]
    proposed: dict[str, tuple[Fraction, str]] = {}
    for name, observed in seen.items():
        usual = Fraction(marks.get(name, marks["*"]))
        together = next((group for group in groups if name in group), {name})
        best = max(seen[other].max or 0 for other in {*together} & {*seen} | {name})
        if Fraction(best, MILLI) > usual:
            needed = [Fraction(mark) for mark in pack["full_mark_ladder"] if mark * MILLI >= best]
            higher = needed[0] if needed else Fraction(-(-best // MILLI))
            proposed[name] = (higher, f"成绩超过 {plain(usual)}，取能容下最高分的常用满分")
        elif _looks_full(best, observed.n, usual):
            source = f"{observed.n} 名学生的最高分恰为 {plain(Fraction(best, MILLI))}"
            proposed[name] = (Fraction(best, MILLI), source)
        else:
            proposed[name] = (usual, f"{entry['id']}：{entry['source']}")
    return proposed


def _looks_full(best: int, count: int, usual: Fraction) -> bool:
    """Whether a best score (thousandths) well below the usual full mark is probably the full mark itself."""
    rules = load("exam_defaults")
    seen_rule = rules["full_mark_seen"]
    on_ladder = best in {mark * MILLI for mark in rules["full_mark_ladder"]}
    low = Fraction(best, MILLI) <= Fraction(seen_rule["share"]) * usual
    return count >= int(seen_rule["pupils"]) and on_ladder and low


def _full(
    name: str, own: SubjectSettings, observed: SubjectObservation, default: tuple[Fraction, str], ledger: Ledger
) -> Fraction:
    key = ("subjects", name, "full")
    declared = {Fraction(mark, MILLI): places for mark, places in observed.declared_full.items() if mark > 0}
    if own.full is not None:
        full = Fraction(own.full)
        for mark, places in declared.items():
            if mark != full:
                message = f"{name}满分写的是 {plain(mark)}，考试设置中是 {plain(full)}，按考试设置计算"
                ledger.warn("full-mark-differs", places[0], message, "请核对，改正其中一处")
        return full
    best = plain(Fraction(observed.max, MILLI)) if observed.max is not None else "没有成绩"
    if len(declared) == 1:
        full, places = next(iter(declared.items()))
        ledger.assume(key, plain(full), f"{name}满分取 {plain(full)}", f"文件中写明（{places[0]}）")
        return full
    if len(declared) > 1:
        full = max(declared, key=lambda mark: (len(declared[mark]), mark))
        shown = "；".join(f"{plain(mark)} 分（{places[0]} 等 {len(places)} 处）" for mark, places in declared.items())
        text = f"{name}的满分在文件中写法不一：{shown}。最高分 {best}。满分是多少"
        choices = [Choice(plain(mark), f"满分 {plain(mark)}") for mark in sorted(declared)]
        every = [place for places in declared.values() for place in places]
        ledger.ask("full-mark-contradiction", key, text, default=plain(full), choices=choices, places=every)
        ledger.assume(key, plain(full), f"{name}满分按 {plain(full)} 计算", "文件中写得最多的一种")
        return full
    full, source = default
    places_seen = [place for place in (observed.max_place, *observed.places) if place is not None]
    if observed.n == 0:
        ledger.assume(key, plain(full), f"{name}没有成绩，满分取 {plain(full)}", source)
        return full
    text = f"{name}没有写满分（最高分 {best}）。满分是多少，请填数"
    ledger.ask("full-mark-unknown", key, text, default=plain(full), places=places_seen)  # any number may be typed
    ledger.assume(key, plain(full), f"{name}满分按 {plain(full)} 计算", source)
    return full


def _step(name: str, own: SubjectSettings, observed: SubjectObservation, ledger: Ledger) -> Fraction:
    if own.step is not None:
        return Fraction(own.step)
    if observed.n:
        text = f"{name}最小计分单位取 {plain(observed.step)} 分"
        ledger.assume(("subjects", name, "step"), plain(observed.step), text, "成绩中出现的最小单位")
    return observed.step


def _in_total(name: str, own: SubjectSettings, observed: SubjectObservation, ledger: Ledger) -> bool:
    if own.in_total is not None:
        return own.in_total
    counts = bool(load("subjects")["subjects"].get(name, {}).get("counts", True))
    if not counts and observed.n:
        key = ("subjects", name, "in_total")
        choices = [Choice("是", "计入总分"), Choice("否", "不计入总分")]
        text = f"{name}通常不计入总分。这次是否计入总分"
        ledger.ask("subject-in-total", key, text, default="否", choices=choices, places=observed.places)
        ledger.assume(key, "否", f"{name}不计入总分", "packs/subjects.yaml：多数考试不把这一科计入总分")
    return counts


def _scaled(name: str, own: SubjectSettings, observed: SubjectObservation, ledger: Ledger) -> bool:
    if own.scaled is not None:
        return own.scaled
    scaled = observed.measures == frozenset({Measure.SCALED})
    if scaled:
        ledger.assume(("subjects", name, "scaled"), "是", f"{name}成绩是赋分", "表头写明是赋分")
    return scaled

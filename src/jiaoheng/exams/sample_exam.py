"""Scores of a made-up county: a common ability, school and class effects, a ceiling, absences, items, a prior exam."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from jiaoheng.exams.sample_county import County, people_names
from jiaoheng.packs import load
from jiaoheng.sheets.reading_model import ScoreState

Steps = npt.NDArray[np.int32]
States = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

# spread of the county's pupils: standard deviations on the scale of the common ability (1 within a class)
_SCHOOL_SD, _CLASS_SD, _TEACHER_SD = 0.38, 0.14, 0.13
_GROWTH_SD = 0.16  # what schools add between the prior exam and this one
_CHEATED_FROM = 200  # pupils: in a smaller sample one would weigh too much
_OBJECTIVE_LARGEST = 6  # items up to this mark are right or wrong; larger ones get part marks


@dataclass(frozen=True, slots=True)
class SampleSubject:
    """One subject: scores in steps, 0 unless the state is SCORED."""

    name: str
    full: int
    step: Fraction
    values: Steps
    states: States


@dataclass(frozen=True, slots=True)
class SampleItems:
    """Item scores of one subject, whole marks; rows follow the county's pupils (absent pupils have −1)."""

    subject: str
    numbers: tuple[str, ...]
    full: tuple[int, ...]
    types: tuple[str, ...]
    knowledge: tuple[str, ...]
    ability: tuple[str, ...]
    values: Steps


@dataclass(frozen=True, slots=True)
class SampleExam:
    """Both exams of the county. `joined` pupils have no prior scores; `left` pupils only have prior scores."""

    subjects: Mapping[str, SampleSubject]
    items: Mapping[str, SampleItems]
    prior: Mapping[str, SampleSubject]
    joined: npt.NDArray[np.bool_]
    left_names: tuple[str, ...]
    left_school: npt.NDArray[np.int64]
    left_prior: Mapping[str, SampleSubject]
    growth: Floats  # by school: marks of the total added since the prior exam, against the pupils' mean


def make_exam(county: County, rng: np.random.Generator) -> SampleExam:
    """Scores for everybody."""
    before = _ability(county, rng)
    # a stream of its own: the rest of the sample does not depend on it
    added = rng.spawn(1)[0].normal(0, _GROWTH_SD, len(county.schools))
    ability = before + added[county.school]
    subjects: dict[str, SampleSubject] = {}
    items: dict[str, SampleItems] = {}
    absent = _absent(county, rng)
    teacher = {name: rng.normal(0, _TEACHER_SD, county.classes) for name in county.exam["subjects"]}
    for name, entry in county.exam["subjects"].items():
        latent = _latent(ability, float(entry["load"]), teacher[name][county.klass_id], rng)
        states = _states(county, name, entry, absent, rng)
        if entry.get("items"):
            items[name] = _items(county, name, entry, latent, states, rng)
            values = np.maximum(items[name].values, 0).sum(axis=1).astype(np.int32)
        else:
            values = _marks(latent, entry, rng)
        values = np.where(states == ScoreState.SCORED, values, 0).astype(np.int32)
        subjects[name] = SampleSubject(name, int(entry["full"]), Fraction(entry["step"]), values, states)
    growth = _growth_in_marks(county, before, ability)
    return _with_prior(county, before, growth, teacher, subjects, items, rng)


def _growth_in_marks(county: County, before: Floats, after: Floats) -> Floats:
    """What schools' growth is worth in marks of the total on the marks' own curves, less its mean over the pupils."""
    marks = np.zeros(county.pupils)
    for name, entry in county.exam["subjects"].items():
        base, spread, load = _logit(float(entry["mean"])), float(entry["sd"]), float(entry["load"])
        ends = [1 / (1 + np.exp(-(base + spread * load * ability))) for ability in (after, before)]
        taken = np.ones(county.pupils)
        if entry.get("first") or entry.get("elective"):
            taken = np.array([name[0] in combination for combination in county.combination], np.float64)
        marks += taken * float(entry["full"]) * (ends[0] - ends[1])
    sizes = np.bincount(county.school, minlength=len(county.schools))
    found: Floats = np.bincount(county.school, marks, minlength=len(county.schools)) / np.maximum(sizes, 1)
    against: Floats = found - marks.mean()
    return against


def _ability(county: County, rng: np.random.Generator) -> Floats:
    school = rng.normal(0, _SCHOOL_SD, len(county.schools))
    school[: max(1, len(county.schools) // 8)] += 0.45  # pupils of the town's schools start ahead
    klass = rng.normal(0, _CLASS_SD, county.classes)
    own = rng.normal(0, 1, county.pupils)
    result: Floats = own + (school - school.mean())[county.school] + klass[county.klass_id]
    return result


def _latent(ability: Floats, load: float, teacher: Floats, rng: np.random.Generator) -> Floats:
    own = rng.normal(0, 1, len(ability))
    result: Floats = load * ability + teacher + np.sqrt(1 - load * load) * own
    return result


def _logit(share: float) -> float:
    return float(np.log(share / (1 - share)))


def _marks(latent: Floats, entry: Mapping[str, Any], rng: np.random.Generator) -> Steps:
    """A mark: the share of full mark bends towards the ceiling and the floor, as papers do."""
    share = 1 / (1 + np.exp(-(_logit(float(entry["mean"])) + float(entry["sd"]) * latent)))
    steps = float(entry["full"]) / float(Fraction(entry["step"]))
    noise = rng.uniform(-0.5, 0.5, len(latent))
    return np.clip(np.rint(share * steps + noise), 0, steps).astype(np.int32)


def _absent(county: County, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    absent = rng.random(county.pupils) < float(county.exam["absent"])
    # never a whole school: a school without any scores is another case than absence
    sizes = np.bincount(county.school, minlength=len(county.schools))
    missing = np.bincount(county.school[absent], minlength=len(county.schools))
    absent &= (missing < sizes)[county.school]
    return absent


def _states(
    county: County, name: str, entry: Mapping[str, Any], absent: npt.NDArray[np.bool_], rng: np.random.Generator
) -> States:
    states = np.full(county.pupils, ScoreState.SCORED, np.uint8)
    one = rng.random(county.pupils) < float(county.exam["absent_one"])
    states[one | absent] = ScoreState.ABSENT
    if name == next(iter(county.exam["subjects"])) and county.pupils >= _CHEATED_FROM:
        present = np.flatnonzero(~(one | absent))
        states[rng.choice(present, 1 + county.pupils // 5000, replace=False)] = ScoreState.CHEATED
    if entry.get("first") or entry.get("elective"):
        chosen = np.array([name[0] in combination for combination in county.combination])
        states[~chosen] = ScoreState.NOT_CHOSEN
    return states


def _items(
    county: County, name: str, entry: Mapping[str, Any], latent: Floats, states: States, rng: np.random.Generator
) -> SampleItems:
    pack = load("sample")["items"]
    plan = pack.get(f"{county.stage}{name}") or pack[name]
    fulls: list[int] = []
    types: list[str] = []
    ability: list[str] = []
    for part in plan["parts"]:
        own = part.get("fulls") or [part["full"]] * part["count"]
        fulls += own
        types += [part["type"]] * len(own)
        ability += [part["ability"]] * len(own)
    knowledge = [plan["knowledge"][at % len(plan["knowledge"])] for at in range(len(fulls))]
    base = _logit(float(entry["mean"]))
    difficulty = rng.normal(0.1, 0.7, len(fulls)) - np.linspace(-0.5, 0.8, len(fulls))
    slope = rng.uniform(0.7, 1.5, len(fulls)) * float(entry["sd"])
    values = np.zeros((county.pupils, len(fulls)), np.int32)
    for at, full in enumerate(fulls):
        position = base + difficulty[at] + slope[at] * latent
        if full <= _OBJECTIVE_LARGEST:
            right = rng.random(county.pupils) < 0.12 + 0.88 / (1 + np.exp(-position))
            values[:, at] = np.where(right, full, 0)
        else:
            share = 1 / (1 + np.exp(-(position + rng.normal(0, 0.7, county.pupils))))
            values[:, at] = np.rint(share * full)
    values[states != ScoreState.SCORED] = -1
    numbers = tuple(str(at + 1) for at in range(len(fulls)))
    return SampleItems(name, numbers, tuple(fulls), tuple(types), tuple(knowledge), tuple(ability), values)


def _with_prior(
    county: County,
    ability: Floats,
    growth: Floats,
    teacher: Mapping[str, Floats],
    subjects: Mapping[str, SampleSubject],
    items: Mapping[str, SampleItems],
    rng: np.random.Generator,
) -> SampleExam:
    """The exam before: the same pupils a little earlier, without those who came since and with those who left."""
    joined = rng.random(county.pupils) < 0.015
    n_left = round(county.pupils * 0.015)
    left_school = np.sort(rng.integers(0, len(county.schools), n_left))
    left_names = people_names(rng.random(n_left) < 0.485, rng)
    before = 0.95 * ability + rng.normal(0, 0.3, county.pupils)
    left_ability = rng.normal(-0.3, 1, n_left)
    prior: dict[str, SampleSubject] = {}
    left_prior: dict[str, SampleSubject] = {}
    for name, entry in county.exam["subjects"].items():
        load_ = float(entry["load"])
        states = subjects[name].states.copy()
        here = (states != ScoreState.NOT_CHOSEN) & (rng.random(county.pupils) >= float(county.exam["absent"]))
        states[states != ScoreState.NOT_CHOSEN] = ScoreState.ABSENT
        states[here] = ScoreState.SCORED
        latent = _latent(before, load_, 0.7 * teacher[name][county.klass_id], rng)
        whole = {**entry, "step": "1"}  # the prior exam was marked in whole marks
        values = np.where(states == ScoreState.SCORED, _marks(latent, whole, rng), 0).astype(np.int32)
        prior[name] = SampleSubject(name, int(entry["full"]), Fraction(1), values, states)
        left_latent = _latent(left_ability, load_, np.zeros(n_left), rng)
        all_here = np.full(n_left, ScoreState.SCORED, np.uint8)
        left_marks = _marks(left_latent, whole, rng)
        left_prior[name] = SampleSubject(name, int(entry["full"]), Fraction(1), left_marks, all_here)
    return SampleExam(subjects, items, prior, joined, left_names, left_school, left_prior, growth)

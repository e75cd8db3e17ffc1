"""A county made up by chance: schools, classes and pupils with names. The same seed gives the same county."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jiaoheng.packs import load

Ints = npt.NDArray[np.int64]
_SMALLEST_SCHOOL = 0.25  # of the mean size
_CHINESE = "一二三四五六七八九十"


@dataclass(frozen=True, slots=True)
class County:
    """Schools and pupils; arrays have one entry per pupil, sorted by school, class and seat."""

    name: str
    exam: Mapping[str, Any]  # the pack's entry: subjects, dates, names
    stage: str
    schools: tuple[str, ...]
    districts: tuple[str, ...]  # per school
    school: Ints  # index of the school
    klass: Ints  # number of the class within its school, from 1
    klass_id: Ints  # number of the class within the county, from 0
    names: tuple[str, ...]
    girl: npt.NDArray[np.bool_]
    student_numbers: tuple[str, ...]  # stay the same from exam to exam
    exam_numbers: tuple[str, ...]  # of this exam, with leading zeros
    track: tuple[str, ...]  # 物理类 / 历史类, "" where there are no tracks
    combination: tuple[str, ...]  # 物化生 …

    @property
    def pupils(self) -> int:
        """Number of pupils."""
        return len(self.names)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.klass_id[-1]) + 1

    def class_label(self, pupil: int) -> str:
        """`九(1)班`, `高三(1)班`: the usual spelling."""
        grade = str(self.exam["grade"])
        return f"{grade.removesuffix('年级')}({int(self.klass[pupil])})班"


def make_county(schools: int, pupils: int, stage: str, rng: np.random.Generator) -> County:
    """A county with so many schools and pupils; every school has at least one pupil.

    Raises ValueError (in Chinese) where the numbers make no county.
    """
    pack = load("sample")
    if stage not in pack["exams"]:
        raise ValueError(f"没有学段“{stage}”的样例，可以是：{'、'.join(pack['exams'])}")
    if schools < 1 or pupils < schools:
        raise ValueError(f"学校 {schools} 所、学生 {pupils} 名不能成为一个县：学校至少 1 所，学生不少于学校数")
    if schools > 999 or pupils > 2_000_000:
        raise ValueError("样例最多 999 所学校、200 万名学生")
    exam = pack["exams"][stage]
    names = _school_names(schools, stage, pack["schools"])
    sizes = _sizes(schools, pupils, rng)
    school = np.repeat(np.arange(schools), sizes)
    klass, klass_id = _classes(sizes, int(exam["class_size"]))
    girl = rng.random(pupils) < 0.485
    within = np.concatenate([np.arange(1, size + 1) for size in sizes])
    start = str(exam["number_start"])
    digits = max(4, len(str(int(sizes.max()))))
    track, combination = _tracks(exam, pupils, rng)
    return County(
        name=str(pack["county"]),
        exam=exam,
        stage=stage,
        schools=names,
        districts=tuple(pack["schools"]["districts"][at % len(pack["schools"]["districts"])] for at in range(schools)),
        school=school,
        klass=klass,
        klass_id=klass_id,
        names=people_names(girl, rng),
        girl=girl,
        student_numbers=tuple(f"2023{s + 1:03d}{w:0{digits}d}" for s, w in zip(school, within, strict=True)),
        exam_numbers=tuple(f"{start}{s + 1:03d}{w:0{digits}d}" for s, w in zip(school, within, strict=True)),
        track=track,
        combination=combination,
    )


def _school_names(count: int, stage: str, pack: Mapping[str, Any]) -> tuple[str, ...]:
    senior = stage == "高中"
    first = pack["senior" if senior else "town"]
    endings = pack["senior_endings" if senior else "endings"]
    names = list(first[: max(1, min(len(first), count // 4))])
    turn = 0
    while len(names) < count:
        place = pack["places"][turn % len(pack["places"])]
        lap = turn // len(pack["places"])
        ending = endings[(turn + lap) % len(endings)]
        candidate = f"{place}{ending}" if lap < len(endings) else f"{place}第{lap + 1}{ending}"
        if candidate not in names:
            names.append(candidate)
        turn += 1
    return tuple(names[:count])


def _sizes(schools: int, pupils: int, rng: np.random.Generator) -> Ints:
    """Sizes with a few large town schools and many small ones; they add up to `pupils`."""
    weights = np.exp(rng.normal(0, 0.55, schools))
    weights[: max(1, schools // 8)] *= 2.2  # the town's schools stand first
    weights = np.maximum(weights, weights.mean() * _SMALLEST_SCHOOL)
    exact = weights / weights.sum() * (pupils - schools)
    sizes = np.floor(exact).astype(np.int64)
    rest = pupils - schools - int(sizes.sum())
    order = np.argsort(-(exact - sizes), kind="stable")
    sizes[order[:rest]] += 1
    result: Ints = sizes + 1
    return result


def _classes(sizes: Ints, class_size: int) -> tuple[Ints, Ints]:
    numbers: list[Ints] = []
    ids: list[Ints] = []
    first = 0
    for size in sizes:
        count = max(1, round(int(size) / class_size))
        number = np.sort(np.arange(int(size)) % count)
        numbers.append(number + 1)
        ids.append(number + first)
        first += count
    return np.concatenate(numbers), np.concatenate(ids)


def _tracks(exam: Mapping[str, Any], pupils: int, rng: np.random.Generator) -> tuple[tuple[str, ...], tuple[str, ...]]:
    subjects = exam["subjects"]
    first = [name for name, entry in subjects.items() if entry.get("first")]
    electives = [name for name, entry in subjects.items() if entry.get("elective")]
    if not first:
        return ("",) * pupils, ("",) * pupils
    track = rng.random(pupils) < 0.62
    pairs = [(a, b) for at, a in enumerate(electives) for b in electives[at + 1 :]]
    weights = np.array([4.0, 1.0, 2.0, 1.0, 2.5, 3.0][: len(pairs)])
    chosen = rng.choice(len(pairs), pupils, p=weights / weights.sum())
    tracks = tuple(f"{first[0]}类" if yes else f"{first[1]}类" for yes in track)
    combos = tuple(
        (first[0] if yes else first[1])[0] + "".join(name[0] for name in pairs[pair])
        for yes, pair in zip(track, chosen, strict=True)
    )
    return tracks, combos


def people_names(girl: npt.NDArray[np.bool_], rng: np.random.Generator) -> tuple[str, ...]:
    """Chinese names by chance, some with rare characters that few fonts have; homonyms come by themselves."""
    pack = load("sample")["people"]
    count = len(girl)
    surnames = list(pack["surnames"])
    weights = np.array(list(pack["surnames"].values()), dtype=float)
    surname = rng.choice(len(surnames), count, p=weights / weights.sum())
    given = (np.array(list(pack["boys"])), np.array(list(pack["girls"])))
    rare = np.array(list(pack["rare"]))
    first = [given[g][rng.integers(0, len(given[g]), count)] for g in (0, 1)]
    second = [given[g][rng.integers(0, len(given[g]), count)] for g in (0, 1)]
    single = rng.random(count) < float(pack["single_share"])
    is_rare = rng.random(count) < float(pack["rare_share"])
    seldom = rare[rng.integers(0, len(rare), count)]
    names: list[str] = []
    for at in range(count):
        sex = int(girl[at])
        start = str(seldom[at]) if is_rare[at] else str(first[sex][at])
        names.append(surnames[surname[at]] + start + ("" if single[at] else str(second[sex][at])))
    return tuple(names)


def chinese_number(number: int) -> str:
    """1 → 一, 12 → 十二: for the spelling of class names, up to 99."""
    tens, ones = divmod(number, 10)
    text = ("" if tens <= 1 else _CHINESE[tens - 1]) + ("十" if tens else "")
    return text + (_CHINESE[ones - 1] if ones else "")

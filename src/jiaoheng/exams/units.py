"""The units of one exam: classes in schools in districts in the county, as codes that the methods can add over."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Codes = npt.NDArray[np.int64]
NO_DISTRICT = "未分学区"
NO_SCHOOL = "（未写学校）"
NO_CLASS = "（未写班级）"


@dataclass(frozen=True, slots=True)
class Level:
    """The units of one level.

    `names` are for print, `paths` unique (district/school/class), `parents[u]` is the code in the level above,
    `of_pupil[i]` the unit of pupil i.
    """

    key: str  # class, school, district, county
    label: str  # 班级, 学校, 学区, 全县
    names: tuple[str, ...]
    paths: tuple[tuple[str, ...], ...]
    parents: Codes
    of_pupil: Codes

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True)
class Units:
    """All levels of an exam. A level that the files do not speak of has one unit and `known` does not list it."""

    classes: Level
    schools: Level
    districts: Level
    county: Level
    known: frozenset[str]

    def level(self, key: str) -> Level:
        """The level of this key. Raises KeyError for another word."""
        return {"class": self.classes, "school": self.schools, "district": self.districts, "county": self.county}[key]

    def class_to(self, key: str) -> Codes:
        """For each class the code of its unit at level `key`."""
        codes = np.arange(len(self.classes))
        for level in (self.classes, self.schools, self.districts):
            if level.key == key:
                return codes
            codes = level.parents[codes]
        return codes


def natural_key(text: str) -> tuple[object, ...]:
    """Orders 九(2)班 before 九(10)班."""
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", text) if part)


def index_units(pupils: pl.DataFrame, county: str) -> Units:
    """Codes of every level from the roster's district, school and class columns (null where unknown).

    Units are in natural order of their names within their parent; pupils without a class form a unit of their own.
    """
    filled = pupils.select(
        pl.col("district").fill_null(NO_DISTRICT),
        pl.col("school").fill_null(NO_SCHOOL),
        pl.col("class").fill_null(NO_CLASS),
    )
    known = frozenset(
        level
        for level in ("district", "school", "class")
        if pupils.height and pupils[level].null_count() < pupils.height
    )
    paths = [filled.unique(maintain_order=True).rows()]
    class_paths = sorted(paths[0], key=_path_key)
    school_paths = sorted({path[:2] for path in class_paths}, key=_path_key)
    district_paths = sorted({path[:1] for path in class_paths}, key=_path_key)
    class_code = {path: code for code, path in enumerate(class_paths)}
    school_code = {path: code for code, path in enumerate(school_paths)}
    district_code = {path: code for code, path in enumerate(district_paths)}
    lookup = pl.DataFrame(
        {
            "district": [path[0] for path in class_paths],
            "school": [path[1] for path in class_paths],
            "class": [path[2] for path in class_paths],
            "code": list(class_code.values()),
        },
        schema={"district": pl.String, "school": pl.String, "class": pl.String, "code": pl.Int64},
    )
    of_pupil = filled.join(lookup, on=["district", "school", "class"], how="left", maintain_order="left")[
        "code"
    ].to_numpy()
    class_parents = np.array([school_code[path[:2]] for path in class_paths], dtype=np.int64)
    school_parents = np.array([district_code[path[:1]] for path in school_paths], dtype=np.int64)
    district_parents = np.zeros(len(district_paths), dtype=np.int64)
    schools = Level(
        "school", "学校", _names(school_paths), tuple(school_paths), school_parents, class_parents[of_pupil]
    )
    return Units(
        Level("class", "班级", tuple(path[2] for path in class_paths), tuple(class_paths), class_parents, of_pupil),
        schools,
        Level(
            "district",
            "学区",
            tuple(path[0] for path in district_paths),
            tuple(district_paths),
            district_parents,
            school_parents[schools.of_pupil],
        ),
        Level(
            "county",
            "全县",
            (county,),
            ((county,),),
            np.zeros(1, dtype=np.int64),
            np.zeros(len(of_pupil), dtype=np.int64),
        ),
        known,
    )


def _path_key(path: Sequence[str]) -> tuple[tuple[object, ...], ...]:
    return tuple(natural_key(part) for part in path)


def _names(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(path[-1] for path in paths)

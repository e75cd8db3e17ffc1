"""A small county with known effects, as rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl


@dataclass
class County:
    rows: pl.DataFrame  # 学籍号 学校 班级 性别 寄宿 起点 起点二 终点
    effect: dict[str, float]  # of schools


def county(seed: int = 3, schools: int = 24, missing: float = 0.05) -> County:
    rng = np.random.default_rng(seed)
    own = rng.normal(0, 4, schools)
    intake = rng.normal(0, 5, schools)
    rows = []
    for school in range(schools):
        for klass in range(3):
            within = rng.normal(0, 2)
            for seat in range(30):
                first = 70 + intake[school] + rng.normal(0, 10)
                second = 0.5 * first + rng.normal(0, 6)
                last = 12 + 0.6 * first + 0.4 * second + own[school] + within + rng.normal(0, 7)
                gone = rng.random(3) < missing
                rows.append(
                    (
                        f"{school:02d}{klass}{seat:02d}",
                        f"第{school + 1}中学",
                        f"九({klass + 1})班",
                        "女" if rng.random() < 0.5 else "男",
                        "是" if rng.random() < 0.3 else "否",
                        None if gone[0] else round(first, 1),
                        None if gone[1] else round(second, 1),
                        None if gone[2] else round(last * 2) / 2,
                    )
                )
    names = ["学籍号", "学校", "班级", "性别", "寄宿", "起点", "起点二", "终点"]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return County(frame, {f"第{at + 1}中学": float(value) for at, value in enumerate(own)})

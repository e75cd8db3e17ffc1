"""Pupils in classes in schools with five covariates, made in slices so that memory stays small."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl

SLICE = 1_000_000
CLASS, SCHOOL = 40, 8  # pupils a class, classes a school
NAMES = tuple(f"x{k}" for k in range(1, 6))


def rows(first: int, count: int, seed: int) -> pl.DataFrame:
    """Pupils first … first + count − 1 (whole schools a slice); a third of a variance between, as real counties have."""
    rng = np.random.default_rng([seed, first])
    inner = (first + np.arange(count)) // CLASS
    outer = inner // SCHOOL
    base_inner, base_outer = int(inner[0]), int(outer[0])
    effects = rng.normal(0, 3, int(inner[-1]) - base_inner + 1), rng.normal(0, 4, int(outer[-1]) - base_outer + 1)
    x = rng.normal(0, 1, (count, 5))
    x[:, 3:] = x[:, 3:] > 0.3
    y = 70 + x @ [8.0, 3.0, -1.0, 2.0, 0.5]
    y += effects[0][inner - base_inner] + effects[1][outer - base_outer] + rng.normal(0, 9, count)
    return pl.DataFrame({"school": outer, "class": inner, **dict(zip(NAMES, x.T, strict=True)), "y": y})


def write(folder: Path, pupils: int, seed: int) -> None:
    """Parquet files of a million pupils each, rows in no order."""
    for at, first in enumerate(range(0, pupils, SLICE)):
        made = rows(first, min(SLICE, pupils - first), seed)
        made.sample(fraction=1, shuffle=True, seed=seed).write_parquet(folder / f"part{at:03d}.parquet")


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))

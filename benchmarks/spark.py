"""The same sums on DuckDB and on Spark: equal results, both times, and what Spark read, shuffled and gave back.

    python benchmarks/spark.py [--pupils 2000000] [--repeats 3] [--engines duckdb,local[1],local[2],cluster] [--record]

The job is that of a province: group sums of five covariates by school and class with the nested fit, and the score
histogram of three subjects by school. Scores are whole, so histograms must be equal to the last count; sums of floats
agree to a rounding a pupil and the effects to a millionth of the outcome's spread. `cluster` starts a standalone
master and worker (two cores) on this machine. Needs the extra `spark` and Java 17.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from sections import machine, record
from value_added_data import NAMES, SLICE, rows

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from engine.spark_cluster import cluster, lacking, settings  # noqa: E402

HEADING = "DuckDB and Spark"
SUBJECTS = ("chinese", "maths", "english")
STEPS = 301  # half points of a paper of 150
ROUNDING = 2.0**-53  # engines add floats in their own order: n of them may differ by n roundings of Σ|summands|
EFFECTS_AGREE = 1e-6
FILE = 250_000  # rows a file: enough files for the cores


def write(folder: Path, pupils: int) -> None:
    """Parquet files of pupils with covariates, outcome and three whole scores."""
    for first in range(0, pupils, SLICE):
        made = rows(first, min(SLICE, pupils - first), 8)
        rng = np.random.default_rng(first)
        ability = made["y"].to_numpy()
        marks = {
            name: np.clip(np.rint(2 * (ability + rng.normal(25, 12, made.height))), 0, STEPS - 1).astype(np.int32)
            for name in SUBJECTS
        }
        whole = made.with_columns(**{name: pl.Series(value) for name, value in marks.items()})
        whole = whole.sample(fraction=1, shuffle=True, seed=3)
        for at in range(0, whole.height, FILE):
            whole[at : at + FILE].write_parquet(folder / f"part{(first + at) // FILE:04d}.parquet")


def job(engine: str, folder: Path, repeats: int, out: Path) -> dict[str, Any]:
    """Both parts on one engine: seconds of each run, what the engine counted, and the results in files."""
    from jiaoheng.engine.connection import connect
    from jiaoheng.engine.counting import score_counts
    from jiaoheng.methods.mixed.group_sums import reshifted
    from jiaoheng.methods.mixed.nested import fit_nested
    from jiaoheng.methods.mixed.sums import group_sums

    start = time.perf_counter()
    backend = connect(engine)
    table = backend.read_parquet(str(folder / "*.parquet") if engine == "duckdb" else str(folder))
    found: dict[str, Any] = {"connect": time.perf_counter() - start}

    def sums() -> Any:
        return group_sums(table, outcome="y", predictors=NAMES, groups=("school", "class"))

    def counts() -> Any:
        return score_counts(table, "school", SUBJECTS).to_pyarrow()

    parts: dict[str, Callable[[], Any]] = {"sums": sums, "counts": counts}
    for name, part in parts.items():
        before, times, made = {}, [], None
        for _ in range(repeats + 1):
            start = time.perf_counter()
            made = part()
            times.append(time.perf_counter() - start)
            before = before or counters(backend)  # the first run compiles and warms up
        after = counters(backend)
        found[name] = {"first": times[0], "best": min(times[1:])}
        found[name]["counted"] = {key: (after[key] - before[key]) / repeats for key in after}
        if name == "sums":
            start = time.perf_counter()
            fit = fit_nested(made).fit
            found["fit"] = time.perf_counter() - start
            found["rows"] = made.cells
            effects = fit.of("school")
            order = np.argsort([unit[0] for unit in effects.units])
            np.savez(
                out / "sums.npz",
                sums=reshifted(made, np.zeros(len(made.columns))).total(),
                n=made.n.sum(),
                effects=effects.estimate[order],
            )
        else:
            found["count rows"] = made.num_rows
            pl.DataFrame(made).sort("unit", "subject", "score").write_parquet(out / "counts.parquet")
    backend.disconnect()
    return found


def counters(backend: Any) -> dict[str, float]:
    """What Spark's tasks say they took so far: seconds, processor seconds, bytes shuffled; nothing on DuckDB."""
    if backend.name != "pyspark":
        return {}
    context = backend._session.sparkContext
    java = context._jvm
    none = java.java.util.ArrayList()
    quantiles = context._gateway.new_array(java.double, 0)
    listed = context._jsc.sc().statusStore().stageList(None, False, False, quantiles, none)
    every = [listed.apply(at) for at in range(listed.size())]
    return {
        "task": sum(one.executorRunTime() for one in every) / 1e3,
        "cpu": sum(one.executorCpuTime() for one in every) / 1e9,
        "shuffled": float(sum(one.shuffleWriteBytes() for one in every)),
    }


def ran(engine: str, folder: Path, repeats: int, out: Path, environment: dict[str, str]) -> dict[str, Any]:
    """One engine in a process of its own; `cluster` with its master and worker around it."""
    with ExitStack() as stack:
        address = stack.enter_context(cluster(out, environment)) if engine == "cluster" else engine
        command = [sys.executable, __file__, "--child", address, "--data", str(folder), "--out", str(out)]
        given = {**os.environ, **environment}
        made = subprocess.run(
            [*command, "--repeats", str(repeats)], capture_output=True, text=True, check=False, env=given
        )
    if made.returncode:
        raise SystemExit(f"{engine}: {made.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(made.stdout.splitlines()[-1])
    return found


def same(one: Path, other: Path) -> tuple[float, float]:
    """The largest differences of the total sums (relative to Σ|summands|) and of the effects (marks).

    Raises SystemExit where histograms differ, sums by more than a rounding a pupil, effects by more than a millionth of a mark.
    """
    if not pl.read_parquet(one / "counts.parquet").equals(pl.read_parquet(other / "counts.parquet")):
        raise SystemExit(f"{other.name}: the histograms differ")
    first, second = np.load(one / "sums.npz"), np.load(other / "sums.npz")
    size = np.sqrt(np.diag(first["sums"]))  # Cauchy–Schwarz: no sum of products is larger
    sums = float((np.abs(first["sums"] - second["sums"]) / np.outer(size, size)).max())
    effects = float(np.abs(first["effects"] - second["effects"]).max())
    if int(first["n"]) != int(second["n"]) or sums > int(first["n"]) * ROUNDING or effects > EFFECTS_AGREE:
        raise SystemExit(f"{other.name}: sums differ by {sums:.1e}, effects by {effects:.1e}")
    return sums, effects


def report(results: dict[str, dict[str, Any]], pupils: int, size: int, gaps: list[Any], options: Any) -> list[str]:
    lines = [
        f"`python benchmarks/spark.py --pupils {pupils} --repeats {options.repeats}`: {pupils:,} pupils in Parquet "
        f"({size / 1e6:.0f} MB, {size / pupils:.0f} bytes a pupil): group sums of five covariates by school and class "
        "with the nested fit, and the score histogram of three subjects by school.",
        "",
        "| engine | start, s | sums: first, s | sums: best, s | histogram: first, s | best, s | fit, s |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, one in results.items():
        cells = [one["connect"], one["sums"]["first"], one["sums"]["best"], one["counts"]["first"]]
        cells += [one["counts"]["best"], one["fit"]]
        lines.append(f"| {name} | {' | '.join(f'{cell:.2f}' for cell in cells)} |")
    lines += [
        "",
        "| Spark | part | processor s of tasks | task s | pupils a processor second | MB shuffled | result rows |",
    ]
    lines.append("|---|---|---:|---:|---:|---:|---:|")
    for name, one in results.items():
        for part, rows_out in (("sums", "rows"), ("counts", "count rows")):
            counted = one[part]["counted"]
            if counted:
                cells = [f"{counted['cpu']:.2f}", f"{counted['task']:.2f}", f"{pupils / counted['cpu']:,.0f}"]
                cells += [f"{counted['shuffled'] / 1e6:.1f}", f"{one[rows_out]:,}"]
                lines.append(f"| {name} | {part} | {' | '.join(cells)} |")
    return [
        *lines,
        "",
        f"Histograms are equal to the last count, sums within {max(a for a, _ in gaps):.0e} of Σ|summands|, effects within "
        f"{max(b for _, b in gaps):.0e} of a mark. Processor seconds, task seconds "
        "and shuffles are means over all runs but the first, by Spark's own counters.",
        machine(["duckdb", "pyspark", "ibis-framework"]),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pupils", type=int, default=2_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--engines", default="duckdb,local[1],local[2],cluster")
    parser.add_argument("--record", action="store_true", help="write the section into docs/benchmarks.md")
    for hidden in ("--child", "--data", "--out"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        found = job(options.child, Path(options.data), options.repeats, Path(options.out))
        print(json.dumps({**found, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
        return
    engines = options.engines.split(",")
    if (without := lacking()) and engines != ["duckdb"]:
        raise SystemExit(without)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "rows"
        folder.mkdir()
        write(folder, options.pupils)
        size = sum(path.stat().st_size for path in folder.iterdir())
        environment = settings(Path(place) / "spark", "2g", "-XX:+UseParallelGC")
        results, outs = {}, []
        for engine in engines:
            out = Path(place) / f"out-{len(outs)}"
            out.mkdir()
            results[engine] = ran(engine, folder, options.repeats, out, environment)
            outs.append(out)
        gaps = [same(outs[0], out) for out in outs[1:]] or [(0.0, 0.0)]
    lines = report(results, options.pupils, size, gaps, options)
    print("\n".join(lines))
    if options.record:
        record(HEADING, lines)


if __name__ == "__main__":
    main()

"""Exam statistics of a large county: ours beside Polars, DuckDB, pandas and the bare read of the file.

One wide Parquet file of integer scores (half marks): 9 subjects and the total, class, school. Every contender computes
n, mean, SD, three rates and median of every class, school and the county in every column, and every pupil's rank at
each level, in a process of its own. Checked: the same tables, the same sums of ranks, and ours the same to the bit on
every run. Times are the best of `--repeats` and include reading the file; look at the ratios.

    python benchmarks/exam_statistics.py [--pupils 1000000] [--repeats 3] [--order shuffled|school] [--record]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

FULL = {f"s{i}": 150 if i <= 3 else 100 for i in range(1, 10)}  # marks
STEPS_PER_MARK = 2
COLUMNS = (*FULL, "total")
FULL_STEPS = {**{k: v * STEPS_PER_MARK for k, v in FULL.items()}, "total": sum(FULL.values()) * STEPS_PER_MARK}
RATES = {"excellent": 0.85, "pass": 0.6, "low": 0.4}
LEVELS = ("class", "school", "county")
FIGURES = ("n", "mean", "sd", "excellent", "pass", "low", "median")
CONTENDERS = ("read", "pandas", "duckdb", "polars", "ours")
SECTION = "## Exam statistics"
Result = tuple[dict[tuple[str, str], dict[str, Any]], dict[tuple[str, str], int], str]


def cut(column: str, rate: str) -> int:
    """Steps that reach the rate's line: the first whole step at or above full mark × share."""
    exact = FULL_STEPS[column] * round(RATES[rate] * 100)
    return -(-exact // 100)


def generate(path: str, pupils: int, seed: int, order: str) -> None:
    """School and class effects, correlated subjects; 50 pupils a class, 20 classes a school, on average."""
    import numpy as np
    import polars as pl

    rng = np.random.default_rng(seed)
    classes = max(pupils // 50, 1)
    schools = max(pupils // 1000, 1)
    school_of_class = np.sort(rng.integers(0, schools, classes)) if pupils > 5000 else np.arange(classes) % schools
    class_id = np.sort(rng.integers(0, classes, pupils))
    ability = rng.normal(0, 1, pupils) + rng.normal(0, 0.4, classes)[class_id]
    ability += rng.normal(0, 0.4, schools)[school_of_class[class_id]]
    data: dict[str, Any] = {"class": class_id.astype(np.int32), "school": school_of_class[class_id].astype(np.int32)}
    total = np.zeros(pupils, np.int16)
    for name in FULL:
        top = FULL_STEPS[name]
        score = 0.62 * top + 0.15 * top * (0.8 * ability + 0.6 * rng.normal(0, 1, pupils))
        data[name] = np.clip(np.rint(score), 0, top).astype(np.int16)
        total += data[name]
    frame = pl.DataFrame({**data, "total": total})
    if order == "shuffled":
        frame = frame[rng.permutation(pupils)]
    frame.write_parquet(path)


def run_read(path: str) -> Result:
    import polars as pl

    frame = pl.read_parquet(path)
    return {}, {}, str(frame.height)


def run_ours(path: str) -> Result:
    from fractions import Fraction

    import numpy as np
    import polars as pl

    from jiaoheng.methods.county_pass import PassColumn, UnitTree, county_pass

    frame = pl.read_parquet(path)
    leaf, school = frame["class"].to_numpy(), frame["school"].to_numpy()
    parents = np.zeros(int(leaf.max()) + 1, np.int32)
    parents[leaf] = school
    step = Fraction(1, STEPS_PER_MARK)
    columns = {
        name: PassColumn(frame[name].to_numpy(), None, step, {rate: Fraction(cut(name, rate)) * step for rate in RATES})
        for name in COLUMNS
    }
    tree = UnitTree(LEVELS, leaf, (parents, np.zeros(int(parents.max()) + 1, np.int32)))
    results = county_pass(columns, tree)
    tables, sums = {}, {}
    digest = hashlib.sha256()
    for name, result in results.items():
        for level in LEVELS:
            stats = result.stats[level]
            tables[level, name] = {
                "n": stats.n,
                "mean": stats.mean_floats(),
                "sd": stats.sd_floats(),
                "excellent": stats.rate_floats("excellent"),
                "pass": stats.rate_floats("pass"),
                "low": stats.rate_floats_below("low"),
                "median": stats.median_floats(),
            }
    elapsed_marker = time.perf_counter()
    for name, result in results.items():
        for level in LEVELS:
            sums[level, name] = int(result.ranks[level].sum(dtype=np.int64))
            digest.update(result.ranks[level].tobytes())
            for values in tables[level, name].values():
                digest.update(values.tobytes())
    return tables, sums, f"{elapsed_marker}|{digest.hexdigest()}"


def run_polars(path: str) -> Result:
    import polars as pl

    frame = pl.read_parquet(path)

    def figures(name: str) -> list[pl.Expr]:
        score = pl.col(name)
        return [
            score.count().alias(f"{name}|n"),
            score.mean().alias(f"{name}|mean"),
            score.std(ddof=0).alias(f"{name}|sd"),
            (score >= cut(name, "excellent")).mean().alias(f"{name}|excellent"),
            (score >= cut(name, "pass")).mean().alias(f"{name}|pass"),
            (score < cut(name, "low")).mean().alias(f"{name}|low"),
            score.median().alias(f"{name}|median"),
        ]

    every = [expression for name in COLUMNS for expression in figures(name)]
    lazy = frame.lazy()
    rank = pl.col(COLUMNS).rank("min", descending=True)
    jobs = [
        lazy.group_by("class").agg(every).sort("class"),
        lazy.group_by("school").agg(every).sort("school"),
        lazy.select(every),
        lazy.select(rank.over("class")),
        lazy.select(rank.over("school")),
        lazy.select(rank),
    ]
    *grouped, by_class, by_school, by_county = pl.collect_all(jobs)
    marker = time.perf_counter()
    tables = {
        (level, name): {figure: grouped[k][f"{name}|{figure}"].to_numpy() for figure in FIGURES}
        for k, level in enumerate(LEVELS)
        for name in COLUMNS
    }
    ranks = dict(zip(LEVELS, (by_class, by_school, by_county), strict=True))
    sums = {(level, name): int(ranks[level][name].cast(pl.Int64).sum()) for level in LEVELS for name in COLUMNS}
    return tables, sums, f"{marker}|"


def run_pandas(path: str) -> Result:
    import pandas as pd

    frame = pd.read_parquet(path)
    scores = frame[list(COLUMNS)]
    reached = {
        rate: pd.DataFrame({name: scores[name] >= cut(name, rate) for name in COLUMNS})
        for rate in ("excellent", "pass")
    }
    reached["low"] = pd.DataFrame({name: scores[name] < cut(name, "low") for name in COLUMNS})
    tables, ranks = {}, {}
    for level in LEVELS:
        if level == "county":
            figures: dict[str, Any] = {
                "n": scores.count(),
                "mean": scores.mean(),
                "sd": scores.std(ddof=0),
                **{rate: flags.mean() for rate, flags in reached.items()},
                "median": scores.median(),
            }
            tables.update({(level, c): {f: values[[c]].to_numpy() for f, values in figures.items()} for c in COLUMNS})
            ranks[level] = scores.rank(method="min", ascending=False)
        else:
            by = scores.groupby(frame[level])
            figures = {
                "n": by.count(),
                "mean": by.mean(),
                "sd": by.std(ddof=0),
                **{rate: flags.groupby(frame[level]).mean() for rate, flags in reached.items()},
                "median": by.median(),
            }
            tables.update({(level, c): {f: values[c].to_numpy() for f, values in figures.items()} for c in COLUMNS})
            ranks[level] = by.rank(method="min", ascending=False)
    marker = time.perf_counter()
    sums = {(level, name): int(ranks[level][name].sum()) for level in LEVELS for name in COLUMNS}
    return tables, sums, f"{marker}|"


def run_duckdb(path: str) -> Result:
    import duckdb

    connection = duckdb.connect()
    connection.execute("create table t as select * from read_parquet(?)", [path])
    figures = ", ".join(
        f"count({c}), avg({c}), stddev_pop({c}), avg(({c} >= {cut(c, 'excellent')})::int), "
        f"avg(({c} >= {cut(c, 'pass')})::int), avg(({c} < {cut(c, 'low')})::int), median({c})"
        for c in COLUMNS
    )
    grouped = {}
    ranks = {}
    for level in LEVELS:
        if level == "county":
            grouped[level] = connection.execute(f"select 0, {figures} from t").to_arrow_table()  # noqa: S608
        else:
            sql = f'select "{level}", {figures} from t group by 1 order by 1'  # noqa: S608
            grouped[level] = connection.execute(sql).to_arrow_table()
        part = "" if level == "county" else f'partition by "{level}"'
        windows = ", ".join(f"(rank() over ({part} order by {c} desc))::int as {c}" for c in COLUMNS)
        ranks[level] = connection.execute(f"select {windows} from t").to_arrow_table()  # noqa: S608
    marker = time.perf_counter()
    import numpy as np

    tables = {}
    for level, table in grouped.items():
        for k, name in enumerate(COLUMNS):
            columns = [table.column(1 + k * len(FIGURES) + i).to_numpy() for i in range(len(FIGURES))]
            tables[level, name] = dict(zip(FIGURES, columns, strict=True))
    sums = {
        (level, name): int(np.sum(ranks[level].column(name).to_numpy(), dtype=np.int64))
        for level in LEVELS
        for name in COLUMNS
    }
    return tables, sums, f"{marker}|"


RUNNERS: dict[str, Callable[[str], Result]] = {
    "read": run_read,
    "ours": run_ours,
    "polars": run_polars,
    "pandas": run_pandas,
    "duckdb": run_duckdb,
}
MODULES = {
    "read": ("polars",),
    "polars": ("polars",),
    "pandas": ("pandas", "pyarrow.parquet"),
    "duckdb": ("duckdb", "pyarrow"),
    "ours": ("numpy", "polars", "jiaoheng.methods.county_pass"),
}


def child(name: str, path: str, tables_out: str) -> None:
    """Run one contender: print seconds, peak memory and checks as JSON; keep the tables for comparison."""
    for module in MODULES[name]:
        __import__(module)
    start = time.perf_counter()
    tables, sums, marker = RUNNERS[name](path)
    end = time.perf_counter()
    stamp, _, digest = marker.partition("|")
    if tables:
        end = float(stamp)
    peak = _peak_mb()  # before the tables are copied for the comparison
    if tables and tables_out:
        import numpy as np

        scale = {"mean": STEPS_PER_MARK, "sd": STEPS_PER_MARK, "median": STEPS_PER_MARK} if name == "ours" else {}
        flat = {f"{a}|{b}|{f}": np.asarray(v) * scale.get(f, 1) for (a, b), t in tables.items() for f, v in t.items()}
        np.savez(tables_out, **flat)
    print(
        json.dumps(
            {
                "seconds": end - start,
                "peak_mb": peak,
                "digest": digest,
                "sums": {"|".join(key): value for key, value in sums.items()},
            }
        )
    )


def _peak_mb() -> float:
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        return float(psutil.Process().memory_info().peak_wset) / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def run_child(name: str, path: str, tables: str) -> dict[str, Any]:
    """One run of one contender in a fresh process."""
    command = [sys.executable, __file__, "--child", name, "--data", path, "--tables", tables]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure(names: list[str], path: str, repeats: int, folder: str) -> dict[str, dict[str, Any]]:
    """The best of some rounds; checks that sums (and our bits) never change.

    Contenders take turns, so that a busy minute of the machine does not fall on one of them alone.
    """
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for turn in range(repeats):
        for name in names:
            run = run_child(name, path, str(Path(folder) / f"{name}.npz") if turn == 0 else "")
            print(f"{name:8s} {run['seconds']:7.2f} s {run['peak_mb']:7.0f} MB", flush=True)
            runs[name].append(run)
    results = {}
    for name, found in runs.items():
        if any(run["sums"] != found[0]["sums"] or run["digest"] != found[0]["digest"] for run in found):
            raise SystemExit(f"{name}: two runs gave different results")
        best = min(found, key=lambda run: float(run["seconds"]))
        results[name] = {**best, "peak_mb": max(run["peak_mb"] for run in found)}
    return results


def compare(folder: str, names: list[str]) -> float:
    """Every table against ours: counts, rates and medians equal, mean and SD to 1e-9; returns the worst difference."""
    import numpy as np

    ours = np.load(Path(folder) / "ours.npz")
    worst = 0.0
    for name in names:
        theirs = np.load(Path(folder) / f"{name}.npz")
        for key in ours.files:
            left, right = ours[key].astype(float), theirs[key].astype(float)
            if left.shape != right.shape:
                raise SystemExit(f"{name} {key}: {right.shape} units, ours {left.shape}")
            gap = float(np.max(np.abs(left - right) / np.maximum(np.abs(left), 1)))
            worst = max(worst, gap)
            if gap > (1e-9 if key.endswith(("mean", "sd")) else 1e-12):
                raise SystemExit(f"{name} {key}: differs by {gap}")
    return worst


def report(results: dict[str, dict[str, Any]], pupils: int, order: str, repeats: int, worst: float) -> str:
    """The section of docs/benchmarks.md."""
    ours = results["ours"]["seconds"]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30 if hasattr(os, "sysconf") else 0
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "polars", "duckdb", "pandas", "pyarrow"))
    words = {
        "read": "bare read of the file (Polars)",
        "pandas": "pandas",
        "duckdb": "DuckDB",
        "polars": "Polars, one expression a level",
        "ours": "**ours** (`methods/county_pass.py`)",
    }
    lines = [
        SECTION,
        "",
        f"`python benchmarks/exam_statistics.py --pupils {pupils} --repeats {repeats} --order {order}`:",
        f"{pupils:,} pupils × 9 subjects and the total, one wide Parquet file of integers; n, mean, SD, three rates and",
        "median of every class, school and the county, and every pupil's rank at each level. Reading is included; each",
        "run is a process of its own. Sorting first, one query a level or Polars' streaming engine change its time by",
        "less than a tenth.",
        "",
        "| | seconds | ours is faster by | peak memory, MB |",
        "|---|---:|---:|---:|",
    ]
    for name, word in words.items():
        if name in results:
            row = results[name]
            ratio = "" if name in ("ours", "read") else f"{row['seconds'] / ours:.1f} ×"
            lines.append(f"| {word} | {row['seconds']:.2f} | {ratio} | {row['peak_mb']:.0f} |")
    lines += [
        "",
        f"All sums of ranks are equal; counts, rates and medians are equal, means and SDs within {worst:.0e}; ours is",
        f"the same to the bit in {repeats} runs. Machine: {os.cpu_count()} cores ({platform.machine()}), "
        f"{memory:.0f} GiB, {platform.system()}, Python {platform.python_version()};",
        f"{packages}.",
        f"Best of {repeats} rounds in which the contenders take turns; take the ratios, other work ran on the machine.",
    ]
    return "\n".join(lines) + "\n"


def record(section: str) -> None:
    """Put the section into docs/benchmarks.md, leaving the others as they are."""
    path = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
    text = path.read_text(encoding="utf-8") if path.exists() else "# Benchmarks\n"
    head, found, tail = text.partition(SECTION + "\n")
    rest = tail[tail.index("\n## ") + 1 :] if found and "\n## " in tail else ""
    path.write_text(head.rstrip() + "\n\n" + section + ("\n" + rest if rest else ""), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pupils", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--order", choices=("shuffled", "school"), default="shuffled")
    parser.add_argument("--only", nargs="*", choices=CONTENDERS, help="some contenders; ours always runs")
    parser.add_argument("--record", action="store_true", help="write the table into docs/benchmarks.md")
    for hidden in ("--child", "--data", "--tables", "--generate"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.generate:
        generate(options.generate, options.pupils, options.seed, options.order)
        return
    if options.child:
        child(options.child, options.data, options.tables)
        return
    names = [name for name in CONTENDERS if name == "ours" or options.only is None or name in options.only]
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "scores.parquet")
        # in a child, so that this process stays small: a child's peak memory counts what it was forked from
        numbers = ["--pupils", str(options.pupils), "--seed", str(options.seed), "--order", options.order]
        subprocess.run([sys.executable, __file__, "--generate", path, *numbers], check=True)
        results = measure(names, path, options.repeats, folder)
        peers = [name for name in names if name not in ("read", "ours")]
        for name in peers:
            if results[name]["sums"] != results["ours"]["sums"]:
                raise SystemExit(f"{name}: sums of ranks differ from ours")
        section = report(results, options.pupils, options.order, options.repeats, compare(folder, peers))
    print("\n" + section)
    if options.record:
        record(section)


if __name__ == "__main__":
    main()

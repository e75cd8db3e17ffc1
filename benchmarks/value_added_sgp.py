"""Growth percentiles of 100,000 pupils with two priors: a hundred quantiles beside R's quantreg and statsmodels.

    python benchmarks/value_added_sgp.py [--pupils 100000] [--others 100] [--no-r] [--methods fn,pfn,pfnb] [--no-statsmodels] [--marks]

Ours is the whole function: basis, a hundred quantile regressions on 15 columns, percentiles of all pupils. The others
fit the same matrix at `--others` of the quantiles (their time is scaled to a hundred), without percentiles. quantreg
(Debian: r-cran-quantreg) by its fast methods: fn (Frisch–Newton), pfn and pfnb (with preprocessing); statsmodels from
PyPI. Prints the largest relative excess of the pinball loss over ours: zero within 1e-6 means equal answers.
One thread each.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import importlib
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from jiaoheng.methods.percentiles import PERCENTILE_TAUS, band_percentiles, growth_percentiles
from jiaoheng.methods.percentiles.growth import Growth

R_SCRIPT = """
suppressMessages(library(quantreg)); a <- commandArgs(TRUE); d <- a[1]; method <- a[2]
shape <- readBin(file.path(d, "shape"), "int", 2, size = 4)
x <- matrix(readBin(file.path(d, "x"), "double", prod(shape)), shape[1]); y <- readBin(file.path(d, "y"), "double", shape[1])
taus <- readBin(file.path(d, "taus"), "double", 1000)
t <- system.time(b <- if (method == "pfnb") rq.fit.pfnb(x, y, taus)$coefficients else
  sapply(taus, function(tau) rq.fit(x, y, tau = tau, method = method)$coefficients))
writeBin(as.vector(b), file.path(d, "b")); cat(t[["elapsed"]])
"""


def pupils(n: int, *, marks: bool) -> tuple[np.ndarray, np.ndarray]:
    """Two priors and an outcome that spreads more for those who started high; with `marks`, whole numbers."""
    rng = np.random.default_rng(0)
    ability = rng.normal(0, 1, n)
    priors = ability[:, None] + 0.5 * rng.normal(0, 1, (n, 2))
    y = 0.6 * priors.sum(axis=1) + rng.normal(0, 1, n) * (1 + 0.3 * np.clip(priors[:, 0], -2, 2))
    if marks:
        return np.round(y * 12 + 75).clip(0, 150), np.round(priors * 12 + 60).clip(0, 120)
    return y, priors


def losses(x: np.ndarray, y: np.ndarray, b: np.ndarray, taus: np.ndarray) -> np.ndarray:
    """Pinball loss of each column of coefficients."""
    residual = y[:, None] - x @ b
    found: np.ndarray = (residual * (taus - (residual < 0))).sum(axis=0)
    return found


def quantreg(x: np.ndarray, y: np.ndarray, taus: np.ndarray, method: str) -> tuple[float, np.ndarray] | None:
    """Seconds and coefficients (p, taus) of R; None where it is missing or has no such method."""
    if shutil.which("Rscript") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        np.array(x.shape, dtype=np.int32).tofile(home / "shape")
        x.ravel(order="F").tofile(home / "x")
        y.tofile(home / "y")
        taus.tofile(home / "taus")
        ran = subprocess.run(["Rscript", "-e", R_SCRIPT, folder, method], capture_output=True, text=True, check=False)
        if ran.returncode:
            return None
        return float(ran.stdout), np.fromfile(home / "b").reshape((x.shape[1], len(taus)), order="F")


def statsmodels(x: np.ndarray, y: np.ndarray, taus: np.ndarray) -> tuple[float, np.ndarray] | None:
    """Seconds and coefficients of statsmodels' QuantReg; None where it is missing."""
    try:
        module = importlib.import_module("statsmodels.regression.quantile_regression")
    except ImportError:
        return None
    start = time.perf_counter()
    model = module.QuantReg(y, x)
    b = np.column_stack([model.fit(q=float(tau)).params for tau in taus])
    return time.perf_counter() - start, b


def ours(y: np.ndarray, priors: np.ndarray) -> tuple[float, Growth]:
    """The best of three runs."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        growth = growth_percentiles(y, priors)
        times.append(time.perf_counter() - start)
    return min(times), growth


def main() -> None:
    """Runs all that are on the machine."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--pupils", type=int, default=100_000)
    options.add_argument("--others", type=int, default=100)
    options.add_argument("--no-r", action="store_true")
    options.add_argument("--methods", default="fn,pfn,pfnb")
    options.add_argument("--no-statsmodels", action="store_true")
    options.add_argument("--marks", action="store_true")
    chosen = options.parse_args()
    y, priors = pupils(chosen.pupils, marks=chosen.marks)
    seconds, growth = ours(y, priors)
    print(f"ours         {seconds:8.2f} s  {chosen.pupils} pupils, 100 quantiles, percentiles of all")
    start = time.perf_counter()
    band_percentiles(y, priors)
    print(f"bands        {time.perf_counter() - start:8.2f} s")
    curves = growth.curves[0]
    x = curves.basis.columns(priors)
    picked = np.unique(np.linspace(0, 99, chosen.others).round().astype(int))
    taus = np.array(PERCENTILE_TAUS)[picked]
    least = losses(x, y, curves.process.b[picked].T, taus)
    others = [] if chosen.no_r else [(f"R {m}", quantreg(x, y, taus, m)) for m in chosen.methods.split(",")]
    others += [] if chosen.no_statsmodels else [("statsmodels", statsmodels(x, y, taus))]
    for name, found in others:
        if found is None:
            print(f"{name:12} not on this machine")
            continue
        scaled = found[0] * 100 / len(taus)
        excess = float((losses(x, y, found[1], taus) / least - 1).max())
        note = "" if len(taus) == 100 else f" (from {len(taus)} quantiles)"
        print(f"{name:12} {scaled:8.2f} s  {scaled / seconds:6.1f} ×  largest excess loss {excess:.1e}{note}")


if __name__ == "__main__":
    main()

"""Beside quantreg and R's own B-splines, where R is on the machine."""

from __future__ import annotations

import json
import shutil
import subprocess

import numpy as np
import pytest
from percentile_truth import pinball, pupils

from jiaoheng.methods.percentiles import growth_percentiles

SCRIPT = """
suppressMessages({library(quantreg); library(splines)}); a <- commandArgs(TRUE); d <- read.csv(a[1])
term <- function(v) bs(v, knots = quantile(v, c(.2, .4, .6, .8)), Boundary.knots = extendrange(v, f = .1))
m <- rq(y ~ term(a) + term(b), tau = c(.025, .255, .505, .745, .975), data = d, method = "fn")
f <- as.matrix(fitted(m))
cat(paste0("[", paste(apply(f, 2, function(v) paste0("[", paste(sprintf("%.15g", v), collapse = ","), "]")),
    collapse = ","), "]"))
"""
TAUS = (0.025, 0.255, 0.505, 0.745, 0.975)


def has_quantreg() -> bool:
    if shutil.which("Rscript") is None:
        return False
    return subprocess.run(["Rscript", "-e", "library(quantreg)"], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("whole", [False, True])
def test_curves_equal_quantregs_on_rs_splines(tmp_path, whole):
    if not has_quantreg():
        pytest.skip("R with quantreg is not on this machine; the linear programme is compared instead")
    y, priors, _ = pupils(21, 5000, whole=whole)
    path = tmp_path / "d.csv"
    np.savetxt(path, np.column_stack((y, priors)), delimiter=",", header="y,a,b", comments="", fmt="%.17g")
    ran = subprocess.run(["Rscript", "-e", SCRIPT, str(path)], capture_output=True, text=True, check=True)
    theirs = np.array(json.loads(ran.stdout)).T
    ours = growth_percentiles(y, priors, taus=TAUS).curves[0].raw(priors)
    for j, tau in enumerate(TAUS):
        assert pinball(y - ours[:, j], tau) == pytest.approx(pinball(y - theirs[:, j], tau), rel=1e-6)
    if not whole:  # with ties the curve itself is not unique
        np.testing.assert_allclose(ours, theirs, atol=2e-4)

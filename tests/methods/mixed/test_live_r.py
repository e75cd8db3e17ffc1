"""Beside lme4 where R is on the machine; else the stored references (`lme4_nested.json`) stand for it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from jiaoheng.methods.mixed.nested import fit_nested
from jiaoheng.methods.mixed.sums import sums_of_arrays

SCRIPT = """
suppressMessages(library(lme4)); d <- read.csv(commandArgs(TRUE)[1])
m <- lmer(y ~ x + z + (1 | school / class), d, weights = w,
          control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10)))
v <- as.data.frame(VarCorr(m)); r <- ranef(m, condVar = TRUE)$school
cat(jsonlite <- paste0("[", paste(sprintf("%.15g", c(fixef(m), sqrt(diag(as.matrix(vcov(m)))), v$vcov, REMLcrit(m),
    r[[1]], sqrt(c(attr(r, "postVar"))))), collapse = ","), "]"))
"""


def _lme4() -> bool:
    if shutil.which("Rscript") is None:
        return False
    asked = ["Rscript", "-e", 'cat(requireNamespace("lme4", quietly = TRUE))']
    return "TRUE" in subprocess.run(asked, capture_output=True, text=True, check=False).stdout


@pytest.mark.skipif(not _lme4(), reason="no R with lme4")
def test_weights_and_two_levels(tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    school, klass = np.repeat(np.arange(20), 60), np.repeat(np.arange(80), 15)
    x, z, w = rng.normal(size=1200), rng.integers(0, 2, 1200).astype(float), rng.uniform(0.5, 2, 1200)
    y = (
        x
        + 0.3 * z
        + rng.normal(0, 0.6, 20)[school]
        + rng.normal(0, 0.4, 80)[klass]
        + rng.normal(0, 1, 1200) / np.sqrt(w)
    )
    table = np.column_stack([y, x, z, w, school + 100, klass + 100])
    np.savetxt(tmp_path / "d.csv", table, delimiter=",", header="y,x,z,w,school,class", comments="", fmt="%.17g")
    (tmp_path / "m.R").write_text(SCRIPT, encoding="utf-8")
    ran = subprocess.run(
        ["Rscript", str(tmp_path / "m.R"), str(tmp_path / "d.csv")], capture_output=True, text=True, check=True
    )
    theirs = json.loads(ran.stdout)
    fit = fit_nested(sums_of_arrays(y, {"x": x, "z": z}, {"school": school + 100, "class": klass + 100}, weight=w)).fit
    variances = {one.level: one.value for one in fit.components}
    effects = fit.of("school")
    assert effects.conditional_sd is not None
    ours = [
        *(one.estimate for one in fit.fixed),
        *(one.se for one in fit.fixed),
        variances["class"],
        variances["school"],
        variances["Residual"],
        fit.criterion,
        *effects.estimate,
        *effects.conditional_sd,
    ]
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)

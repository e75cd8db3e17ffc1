"""Every score figure of the report against the slow reference, for each denominator and for synthetic counties."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from reference import County, Figures, Rules, half_up, ranks
from report_kit import FOLDS, FULLS, Made, build, hand_made, pupils_of, small_county

from jiaoheng.exams.sample import make_sample

COHORT = {"甲中学": 40, "乙中学": 15, "丙中学": 6, "丁中学": 50}
BASES: dict[str, dict[str, Any]] = {
    "B1": {},
    "B1-absent-zero": {"denominator": {"rule": "B1"}, "missing": {"absent": "计零", "cheated": "不计"}},
    "B2": {"denominator": {"rule": "B2"}},
    "B3": {"denominator": {"rule": "B3", "discount": 0.03}},
    "B4": {"denominator": {"rule": "B4", "cohort": COHORT}},
    "B5": {"denominator": {"rule": "B5", "keep": 0.9}},
}
RULES = {
    "B1": Rules(),
    "B1-absent-zero": Rules(absent_zero=True, cheated_zero=False),
    "B2": Rules.of("B2"),
    "B3": Rules("B3", lacking_zero=True),
    "B4": Rules.of("B4", cohort=COHORT),
    "B5": Rules.of("B5"),
}


@pytest.fixture(scope="module", params=list(BASES))
def county(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[County, Made]:
    pupils, made = small_county(tmp_path_factory.mktemp("county"), **BASES[request.param])
    return County(pupils, FULLS, RULES[request.param], FOLDS), made


@pytest.fixture(scope="module", params=["初中", "初中-messy", "高中"])
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[County, Made]:
    stage, _, messy = request.param.partition("-")
    folder = tmp_path_factory.mktemp("sample")
    make_sample(folder, schools=5, pupils=420, seed=17, stage=stage, messy=bool(messy))
    answered = folder / "exam-answered.yaml"
    if answered.exists():
        (folder / "exam.yaml").write_text(answered.read_text(encoding="utf-8"), encoding="utf-8")
    made = build(folder, [folder])
    roster, chosen = made.prepared.roster, made.prepared.resolution.settings
    fulls = {name: chosen.subjects[name].full for name in chosen.subjects if name in roster.scores}
    cuts = chosen.thresholds
    own = {"excellent": cuts.excellent, "good": cuts.good, "pass": cuts.passing, "low": cuts.low}
    return County(pupils_of(roster), fulls, Rules(), cuts=own), made


def same(cell: Any, value: Fraction | float | None, digits: int, *, percent: bool = False) -> None:
    """A cell of summary.json holds this value, and its text is the value rounded half up."""
    if value is None:
        assert cell["value"] is None
        assert cell["reason"]
        return
    exact = isinstance(value, Fraction | int)
    if exact:
        assert cell["value"] == float(value)
    else:
        assert cell["value"] == pytest.approx(value, abs=1e-9)
    shown = Fraction(value) * (100 if percent else 1) if exact else value * (100 if percent else 1)
    assert cell["text"].lstrip("+") == half_up(shown, digits)


def check_rates(row: dict[str, Any], one: Figures, *, based: bool = False) -> None:
    """n, mean, rates, spread, median and extremes of a row."""
    assert row["n"]["value"] == one.n
    if based:
        same(row["base"], one.base, 2)
    same(row["mean"], one.mean, 2)
    for key in ("score_rate", "excellent", "good", "pass", "low"):
        same(row[key], one.rates[key], 2, percent=True)
    assert row["sd"]["value"] == (pytest.approx(one.sd, abs=1e-9) if one.sd is not None else None)
    for key, value in (("median", one.median), ("max", one.highest), ("min", one.lowest)):
        assert row[key]["value"] == (float(value) if value is not None else None)


def check_levels(reference: County, made: Made) -> None:
    """Every unit of every level in every paper: comparison and rates."""
    for level, names in (("school", ("school",)), ("class", ("school", "class")), ("district", ("district",))):
        for paper in reference.papers:
            _check_level(reference, made, level, names, paper)


def _check_level(reference: County, made: Made, level: str, names: tuple[str, ...], paper: str) -> None:
    units = reference.units(level)
    rates = made.rows(f"{level}.{paper}.rates", *names)
    full = made.rows(f"{level}.{paper}.full", *names)
    whole = reference.whole(paper, level)
    based = reference.rules.base == "B3" or (reference.rules.base == "B4" and level != "class")
    found = {path: reference.figures(paper, level, members) for path, members in units.items()}
    assert {path for path in rates if path in units} == {path for path, one in found.items() if one.enrolled}
    means = {path: one.mean for path, one in found.items() if one.n >= 10 and one.mean is not None}
    places = ranks(means)
    for path, one in found.items():
        if not one.enrolled:
            continue
        check_rates(rates[path], one, based=based)
        _check_t(rates[path], one, whole)
        row = full[path]
        assert (row["enrolled"]["value"], row["participants"]["value"]) == (one.enrolled, one.sat)
        same(row["participation"], Fraction(one.sat, one.enrolled), 2, percent=True)
        same(row["over_mean"], _over(one.mean, whole.mean), 2)
        _check_interval(row["mean_interval"], one)
        verdict = reference.verdict(paper, level, units[path])
        assert row["verdict"] == verdict if verdict else row["verdict"]["reason"]
        if level != "class":
            same(row["rank"], Fraction(places[path]) if path in places else None, 0)
        if level != "class" and path in places:
            best, _, worst = str(row["rank_interval"]).partition("–")
            assert int(best) <= places[path] <= int(worst or best)
    check_rates(rates[("清河县", *[""] * (len(names) - 1))], whole, based=based) if ("清河县",) in rates else None


def _check_t(row: dict[str, Any], one: Figures, whole: Figures) -> None:
    if one.mean is None or not whole.sd:
        return
    assert row["t"]["value"] == pytest.approx(50 + 10 * float(one.mean - (whole.mean or 0)) / whole.sd, abs=1e-9)


def _check_interval(cell: Any, one: Figures) -> None:
    if one.interval is None:
        assert cell["reason"]
    else:
        assert (cell["low"], cell["high"]) == pytest.approx(one.interval, abs=1e-9)


def _over(mean: Fraction | None, county: Fraction | None) -> Fraction | None:
    return None if mean is None or not county else (mean - county) / county * 100


def check_county(reference: County, made: Made) -> None:
    """The county's table of papers."""
    rows = made.rows("county.papers", "paper")
    everybody = list(range(len(reference.pupils)))
    assert [key[0] for key in rows] == list(reference.papers)
    for name, paper in reference.papers.items():
        one = reference.figures(name, "county", everybody)
        row = rows[name,]
        assert (row["full"]["value"], row["enrolled"]["value"]) == (float(paper.full), one.enrolled)
        assert row["participants"]["value"] == one.sat
        check_rates(row, one, based=reference.rules.base in ("B3", "B4"))


def test_county_by_every_denominator(county: tuple[County, Made]) -> None:
    """Full, enrolled, participants, N, mean, rates, SD, median and extremes of every paper."""
    check_county(*county)


def test_units_by_every_denominator(county: tuple[County, Made]) -> None:
    """Schools, classes and districts: every figure, interval, rank and verdict."""
    check_levels(*county)


def test_sample_county(sample: tuple[County, Made]) -> None:
    """A synthetic county, also with messy files and with electives in tracks."""
    check_county(*sample)


def test_sample_units(sample: tuple[County, Made]) -> None:
    """Its schools, classes and districts."""
    check_levels(*sample)


def test_tables_of_the_document_say_the_same(county: tuple[County, Made]) -> None:
    """The narrow tables of the pages show just the values of the full ones in the workbook."""
    _, made = county
    for paper in (*FULLS, "总分"):
        full, rates = made.rows(f"school.{paper}.full", "school"), made.rows(f"school.{paper}.rates", "school")
        for key in (
            "mean",
            "over_mean",
            "rank",
            "rank_interval",
            "verdict",
            "participants",
            "excellent",
            "pass",
            "low",
        ):
            for name, row in made.rows(f"school.{paper}", "school").items():
                if key in row and row[key] != "":
                    other = full[name].get(key, rates[name].get(key))
                    assert row[key] == other, (paper, key, name)
    rates = made.rows("school.总分.rates", "school")
    for name, row in made.rows("school.总分.three", "school").items():
        for key in ("n", "mean", "excellent", "pass", "low"):
            assert row[key] == rates[name][key], (key, name)


def test_levels_and_bands(county: tuple[County, Made]) -> None:
    """分数段 and 等级 of the county and the schools' bands: closed left, open right, the full mark in the first."""
    reference, made = county
    for name, paper in reference.papers.items():
        width = 50 if name == "总分" and paper.full > 300 else 10
        rows = made.table(f"bands.{name}")["rows"]
        marks = list(paper.counted.values())
        taken = 0
        for at, row in enumerate(rows):
            low = (len(rows) - 1 - at) * width
            inside = sum(m >= low and (at == 0 or m < low + width) for m in marks)
            taken += inside
            assert (row["n"]["value"], row["cumulative"]["value"]) == (inside, taken)
            same(row["cumulative_share"], Fraction(taken, len(marks)), 2, percent=True)
        bounds = [reference.cuts[key] * paper.full for key in ("excellent", "good", "pass", "low")] + [Fraction(0)]
        counts = _level_counts(marks, bounds)
        row = made.rows("levels.county", "paper")[name,]
        for level, n in zip("ABCDE", counts, strict=True):
            same(row[level], Fraction(n, len(marks)), 2, percent=True)


def _level_counts(marks: list[Fraction], bounds: list[Fraction]) -> list[int]:
    reached = [sum(m >= bound for m in marks) for bound in bounds]
    return [reached[0], *(b - a for a, b in itertools.pairwise(reached))]


def test_small_cells_are_withheld(county: tuple[County, Made]) -> None:
    """Levels by school: 1–4 never show, what shows is right, and neither row nor hidden cells give a count back."""
    reference, made = county
    paper = reference.papers["总分"]
    bounds = [reference.cuts[key] * paper.full for key in ("excellent", "good", "pass", "low")] + [Fraction(0)]
    for (school,), row in made.rows("levels.school.总分", "school").items():
        marks = [paper.counted[at] for at in reference.units("school")[school,] if at in paper.counted]
        truth = _level_counts(marks, bounds)
        cells = [row[f"{level}.n"] for level in "ABCDE"]
        hidden = [n for n, cell in zip(truth, cells, strict=True) if cell.get("suppressed")]
        for n, cell, level in zip(truth, cells, "ABCDE", strict=True):
            assert bool(cell.get("suppressed")) == bool(row[f"{level}.share"].get("suppressed"))
            if not cell.get("suppressed"):
                assert cell["value"] == n
                assert not 0 < n < 5
        if not row["n"].get("suppressed"):
            assert row["n"]["value"] == len(marks)
            assert not hidden or (len(hidden) > 1 and sum(hidden) >= 5)


def test_rank_bands(tmp_path: Path) -> None:
    """How many of the county's best each school has; everybody tied with the last is in."""
    pupils, made = small_county(tmp_path, pupils={"rank_bands": [5, 20, 50]})
    total = County(pupils, FULLS, Rules(), FOLDS).papers["总分"].counted
    for top in (5, 20, 50):
        line = sorted(total.values(), reverse=True)[top - 1]
        rows = made.rows("rank_bands", "school")
        for school in ("甲中学", "乙中学", "丙中学", "丁中学"):
            inside = sum(mark >= line for at, mark in total.items() if pupils[at].school == school)
            assert rows[school,][f"top{top}"]["value"] == inside
        assert rows["清河县",][f"top{top}"]["value"] == sum(mark >= line for mark in total.values())


def test_low_participation_shows_both_bases(tmp_path: Path) -> None:
    """B1 and B2 side by side, each with its own N; a pupil without one subject is no zero under B1."""
    people = hand_made()
    for pupil in people[::9]:
        pupil.scores["数学"] = ("absent", None)
    pupils, made = small_county(tmp_path, people)
    assert any(text.startswith("参考率低于 95%：数学") for text in made.texts())
    sides = (("sat", County(pupils, FULLS, Rules(), FOLDS)), ("enrolled", County(pupils, FULLS, Rules.of("B2"), FOLDS)))
    everybody = list(range(len(pupils)))
    for key, reference in sides:
        for (name,), row in made.rows("both_bases", "paper").items():
            one = reference.figures(name, "county", everybody)
            assert row[key]["value"] == one.n
            same(row[f"mean_{key}"], one.mean, 2)
            same(row[f"pass_{key}"], one.rates["pass"], 2, percent=True)

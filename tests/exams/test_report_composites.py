"""Composites of all families, levels by shares, groups of pupils: against formulas written out once more."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from reference import County, Rules, half_up, ranks
from report_kit import FOLDS, FULLS, Made, hand_made, small_county

Rates = Mapping[str, Fraction | None]
F = Fraction


def linear(low: str) -> Callable[[Rates, list[Rates], Rates], Fraction]:
    def points(own: Rates, _schools: list[Rates], _county: Rates) -> Fraction:
        last = -own["low"] if low == "minus" else 1 - own["low"]  # type: ignore[operator]
        return 100 * (
            F(4, 10) * own["score_rate"] + F(3, 10) * own["excellent"] + W3[low] * own["pass"] + F(1, 10) * last
        )  # type: ignore[operator]

    return points


W3 = {"minus": F(3, 10), "complement": F(2, 10)}
WEIGHTS = {"score_rate": F(4, 10), "excellent": F(3, 10), "pass": F(3, 10)}


def against_highest(own: Rates, schools: list[Rates], _county: Rates) -> Fraction:
    found = F(0)
    for key, weight in WEIGHTS.items():
        top = max(one[key] for one in schools)  # type: ignore[type-var]
        found += 100 * weight * own[key] / top if top else 0  # type: ignore[operator]
    return found


def against_county(own: Rates, _schools: list[Rates], county: Rates) -> Fraction:
    return sum((100 * w * own[key] / county[key] for key, w in WEIGHTS.items() if county[key]), F(0))  # type: ignore[operator]


FAMILIES: dict[str, tuple[dict[str, Any], Any]] = {
    "minus": ({"family": "线性", "weights": {"mean": 0.4, "excellent": 0.3, "pass": 0.3, "low": 0.1}}, linear("minus")),
    "complement": (
        {"family": "线性", "weights": {"mean": 0.4, "excellent": 0.3, "pass": 0.2, "low": 0.1}},
        linear("complement"),
    ),
    "highest": ({"family": "比最高"}, against_highest),
    "county": ({"family": "比县均"}, against_county),
    "places": ({"family": "名次", "first": 15, "minus": 1}, None),
}
SUBJECT_WEIGHTS = {"语文": F(5, 10), "数学": F(3, 10), "英语": F(2, 10)}
WORDS = {
    "minus": "100×（0.4×得分率＋0.3×优秀率＋0.3×及格率－0.1×低分率）",
    "complement": "100×（0.4×得分率＋0.3×优秀率＋0.2×及格率＋0.1×（1－低分率））",
    "highest": "100×Σ权重×（本校÷全县最高的学校）",
    "county": "100×Σ权重×（本校÷全县）",
    "places": "第一名 15 分，每低一名减 1 分",
}


@pytest.mark.parametrize("family", list(FAMILIES))
def test_composites(family: str, tmp_path: Path) -> None:
    """Each family by its formula, subjects joined by their weights, ranks 1 2 2 4, and the definition says so."""
    settings, formula = FAMILIES[family]
    subjects = {
        name: {"full": float(full), "fold": float(FOLDS[name]), "weight": float(SUBJECT_WEIGHTS[name])}
        for name, full in FULLS.items()
    }
    pupils, made = small_county(tmp_path, composite=settings, subjects=subjects)
    reference = County(pupils, FULLS, Rules(), FOLDS)
    schools = {path: members for path, members in reference.units("school").items() if len(members) >= 10}
    everybody = list(range(len(pupils)))
    joined: dict[tuple[str, ...], Fraction] = dict.fromkeys(schools, F(0))
    for name, weight in SUBJECT_WEIGHTS.items():
        figures = {path: reference.figures(name, "school", members) for path, members in schools.items()}
        county = reference.figures(name, "county", everybody).rates
        places = ranks({path: one.mean for path, one in figures.items() if one.mean is not None})
        for path, one in figures.items():
            rated = [other.rates for other in figures.values()]
            value = F(15 - (places[path] - 1)) if formula is None else formula(one.rates, rated, county)
            assert made.rows("school.composite", "school")[path][name]["value"] == float(value)
            joined[path] += weight * value
    for path, place in ranks(joined).items():
        row = made.rows("school.composite", "school")[path]
        assert row["composite"]["value"] == float(joined[path])
        assert row["composite"]["text"] == half_up(joined[path], 2)
        assert row["rank"]["value"] == place
    assert made.rows("school.composite", "school")["丙中学",]["composite"]["value"] is None
    assert WORDS[family] in made.data["definitions"]["composite"]["text"]


def test_levels_by_shares(tmp_path: Path) -> None:
    """Cumulative shares of the county's pupils; those tied over a cut go to the nearer side, the higher if equal."""
    shares = [F(15, 100), F(50, 100), F(85, 100), F(1)]
    levels = {"names": ["优", "良", "合格", "待提高"], "shares": [float(one) for one in shares]}
    pupils, made = small_county(tmp_path, levels=levels)
    reference = County(pupils, FULLS, Rules(), FOLDS)
    for name, paper in reference.papers.items():
        marks = sorted(paper.counted.values(), reverse=True)
        n, taken, counts = len(marks), 0, []
        steps = [sum(m >= value for m in marks) for value in sorted(set(marks), reverse=True)]
        for share in shares:
            end = n if share == 1 else min([0, *steps], key=lambda k: (abs(k - n * share), -k))
            end = max(end, taken)
            counts.append(end - taken)
            taken = end
        row = made.rows("levels.county", "paper")[name,]
        assert [row[level]["value"] for level in levels["names"]] == [float(F(k, n)) for k in counts], name
    assert "优 累计前 15%" in made.data["definitions"]["levels"]["text"]


@pytest.fixture(scope="module", params=["B1", "B2"])
def grouped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[County, Made]:
    pupils, made = small_county(tmp_path_factory.mktemp("groups"), denominator={"rule": request.param})
    return County(pupils, FULLS, Rules() if request.param == "B1" else Rules.of("B2"), FOLDS), made


def _scored(reference: County, name: str) -> dict[int, Fraction]:
    paper = reference.papers[name]
    return {at: mark for at, mark in paper.counted.items() if paper.state[at] == "scored"}


def test_groups_of_pupils(grouped: tuple[County, Made]) -> None:
    """Struggling and top pupils are taken of those with a score: zeros put for absence are nobody's achievement."""
    reference, made = grouped
    total = _scored(reference, "总分")
    ordered = sorted(total.values())
    low_cut = ordered[max(1, math.floor(len(ordered) * F(20, 100) + F(1, 2))) - 1]
    top_cut = ordered[-max(1, math.floor(len(ordered) * F(5, 100) + F(1, 2)))]
    low = {at for at, mark in total.items() if mark <= low_cut}
    top = {at for at, mark in total.items() if mark >= top_cut}
    single = [(at, name) for name in FULLS for at, mark in _scored(reference, name).items() if mark < 10]
    uneven = _uneven(reference)
    rows = made.rows("groups.schools", "school")
    for path, members in reference.units("school").items():
        row, here = rows[path], set(members)
        n = sum(at in total for at in here)
        assert row["n"]["value"] == n
        assert (row["struggling"]["value"], row["top"]["value"]) == (len(low & here), len(top & here))
        assert row["struggling_share"]["value"] == float(F(len(low & here), n))
        assert row["top_index"]["value"] == float(F(len(top & here) * len(total), len(top) * n))
        assert row["single_digit"]["value"] == sum(at in here for at, _ in single)
        assert row["uneven"]["value"] == len(uneven & here)
    assert rows["清河县",]["struggling"]["value"] == len(low)
    assert any(f"后 20% 的学生 {len(low)} 名" in text and f"前 5% 的 {len(top)} 名" in text for text in made.texts())
    lists = {one.key: one for one in made.report.lists}
    assert len(lists["list.struggling"].rows) == len(low)
    assert len(lists["list.top"].rows) == len(top)


def _uneven(reference: County) -> set[int]:
    z: dict[int, list[float]] = {}
    for name in FULLS:
        marks = [float(mark) for mark in reference.papers[name].counted.values()]
        mean = sum(marks) / len(marks)
        sd = math.sqrt(sum((m - mean) ** 2 for m in marks) / len(marks))
        for at, mark in _scored(reference, name).items():
            z.setdefault(at, []).append((float(mark) - mean) / sd)
    return {
        at
        for at, own in z.items()
        if len(own) > 2 and any((sum(own) - one) / (len(own) - 1) - one >= 1 - 1e-9 for one in own)
    }


def test_a_county_of_equals_says_so(tmp_path: Path) -> None:
    """Everybody has the same marks: no best, no worst, no difference is claimed; T is 50 everywhere."""
    people = hand_made()
    for pupil in people:
        pupil.scores = {name: ("scored", full / 2) for name, full in FULLS.items()}
    _, made = small_county(tmp_path, people)
    said = "\n".join(made.texts())
    for wrong in ("最高（", "最强", "最弱是", "确有差别", "高于其余的 1"):
        assert wrong not in said, wrong
    assert "语文、数学和英语得分率相同（50.00%）" in said
    assert {row["t"]["text"] for row in made.table("school.总分.rates")["rows"]} == {"50.00"}
    assert {row["verdict"] for row in made.table("school.总分.full")["rows"] if isinstance(row["verdict"], str)} <= {
        "相当",
        "",
    }

"""Items, knowledge points, movement and conversion of a synthetic county: against formulas written out once more."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
import pytest
from reference import County, Rules
from report_kit import Made, build, pupils_of
from scipy.stats import norm

from jiaoheng.exams.sample import make_sample

F = Fraction
SUBJECTS = ("数学", "物理")


@pytest.fixture(scope="module", params=["clean", "messy"])
def county(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[County, Made]:
    folder = tmp_path_factory.mktemp("items")
    make_sample(folder, schools=5, pupils=450, seed=29, messy=request.param == "messy")
    answered = folder / "exam-answered.yaml"
    if answered.exists():
        (folder / "exam.yaml").write_text(answered.read_text(encoding="utf-8"), encoding="utf-8")
    made = build(folder, [folder])
    chosen, roster = made.prepared.resolution.settings, made.prepared.roster
    fulls = {name: one.full for name, one in chosen.subjects.items() if name in roster.scores}
    cuts = chosen.thresholds
    own = {"excellent": cuts.excellent, "good": cuts.good, "pass": cuts.passing, "low": cuts.low}
    return County(pupils_of(roster), fulls, Rules(), cuts=own), made


def sheet(made: Made, subject: str) -> tuple[list[list[Fraction | None]], list[int], list[Fraction]]:
    """Item marks (None without one), the pupils' positions and full marks."""
    items = made.prepared.roster.items[subject]
    rows = [[items.step * int(v) if v >= 0 else None for v in row] for row in items.values]
    there = [k for k, row in enumerate(rows) if any(v is not None for v in row)]
    return [rows[k] for k in there], [int(items.pupils[k]) for k in there], list(items.full)


def pearson(pairs: Sequence[tuple[Fraction, Fraction]]) -> float:
    x, y = np.array([float(a) for a, _ in pairs]), np.array([float(b) for _, b in pairs])
    return float(((x - x.mean()) * (y - y.mean())).mean() / (x.std() * y.std()))


def mean(values: Sequence[Fraction]) -> Fraction:
    return sum(values, F(0)) / len(values)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_items(county: tuple[County, Made], subject: str) -> None:
    """Mean, difficulty, D of the 27 % groups with ties by number, corrected correlation, zero and full rates."""
    reference, made = county
    rows, pupils, full = sheet(made, subject)
    totals = [sum((v for v in row if v is not None), F(0)) for row in rows]
    order = sorted(
        range(len(rows)),
        key=lambda k: (-totals[k], len(reference.pupils[pupils[k]].number), reference.pupils[pupils[k]].number),
    )
    g = math.floor(F(27, 100) * len(rows) + F(1, 2))
    table = made.table(f"items.{subject}")["rows"]
    for i, row in enumerate(table):
        have = [k for k in range(len(rows)) if rows[k][i] is not None]
        marks = [rows[k][i] or F(0) for k in have]
        high, low = ([rows[k][i] or F(0) for k in part if rows[k][i] is not None] for part in (order[:g], order[-g:]))
        assert row["n"]["value"] == len(have)
        assert row["mean"]["value"] == float(mean(marks))
        assert row["difficulty"]["value"] == float(mean(marks) / full[i])
        assert row["discrimination"]["value"] == float((mean(high) - mean(low)) / full[i])
        rest = pearson([(mark, totals[k] - mark) for k, mark in zip(have, marks, strict=True)])
        assert row["item_total"]["value"] == pytest.approx(rest, abs=1e-9)
        assert row["zero_rate"]["value"] == float(F(sum(m == 0 for m in marks), len(marks)))
        assert row["full_rate"]["value"] == float(F(sum(m == full[i] for m in marks), len(marks)))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_reliability(county: tuple[County, Made], subject: str) -> None:
    """α and the standard error of measurement of those who have every item, as printed on the page."""
    _, made = county
    rows, _, _ = sheet(made, subject)
    whole = [[v for v in row if v is not None] for row in rows if None not in row]
    if not whole:
        pytest.skip("this paper has items of choice")
    k, marks = len(whole[0]), np.array([[float(v) for v in row] for row in whole])
    alpha = k / (k - 1) * (1 - marks.var(axis=0).sum() / marks.sum(axis=1).var())
    sem = marks.sum(axis=1).std() * math.sqrt(1 - alpha)
    section = next(
        one for chapter in made.report.report.sections for one in chapter.children if one.key == f"items.{subject}"
    )
    figures = {one.label: one for block in section.blocks for one in getattr(block, "figures", ())}
    assert float(figures["信度 α"].value) == pytest.approx(alpha, abs=0.00501)
    assert float(figures["测量标准误"].value) == pytest.approx(sem, abs=0.0501)
    assert {"alpha", "sem"} <= set(made.data["definitions"])


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("of", ["knowledge", "abilities"])
def test_mastery(county: tuple[County, Made], subject: str, of: str) -> None:
    """Σ marks ÷ Σ full marks of a point's items, county and schools; best, worst and who lies behind."""
    reference, made = county
    rows, pupils, full = sheet(made, subject)
    points: dict[str, list[int]] = {}
    blueprint = {line.item: line for line in made.prepared.roster.items[subject].blueprint}
    for i, item in enumerate(made.prepared.roster.items[subject].items):
        line = blueprint[item]
        for point in dict.fromkeys(line.knowledge if of == "knowledge" else [line.ability or ""]):
            points.setdefault(point, []).append(i)
    schools = [reference.pupils[at].school for at in pupils]
    size = Counter(schools)

    def rate(items: Sequence[int], school: str | None = None) -> Fraction | None:
        cells = [
            (rows[k][i], full[i])
            for k in range(len(rows))
            if school in (None, schools[k])
            for i in items
            if rows[k][i] is not None
        ]
        return sum((m or F(0) for m, _ in cells), F(0)) / sum(f for _, f in cells) if cells else None

    table = made.rows(f"mastery.{of}.{subject}", "point")
    by_school = made.rows(f"mastery.{of}.{subject}.schools", "school")
    assert {key[0] for key in table} == set(points) - {""}
    for (point,), row in table.items():
        whole, own = rate(points[point]), {s: rate(points[point], s) for s in size}
        assert row["rate"]["value"] == float(whole or 0)
        for school, value in own.items():
            assert by_school[school,][point]["value"] == float(value or 0)
        judged = [value for school, value in own.items() if value is not None and size[school] >= 10]
        assert (row["best"]["value"], row["worst"]["value"]) == (float(max(judged)), float(min(judged)))
        assert row["behind"]["value"] == sum((whole or F(0)) - value >= F(5, 100) for value in judged)


def z_of(marks: Mapping[int, Fraction]) -> dict[int, float]:
    values = np.array([float(v) for v in marks.values()])
    return {at: (float(v) - values.mean()) / values.std() for at, v in marks.items()}


def percentiles(marks: Mapping[int, Fraction]) -> dict[int, float]:
    values, n = list(marks.values()), len(marks)
    return {at: 100 * (sum(v < m for v in values) + sum(v == m for v in values) / 2) / n for at, m in marks.items()}


def two_exams(reference: County, made: Made) -> tuple[dict[int, Fraction], dict[int, Fraction]]:
    """Totals before (of pupils still in the roster) and now, by position."""
    prior = made.prepared.roster.prior
    assert prior is not None
    assert prior.total is not None
    before = {
        at: prior.total.subject.step * int(prior.total.values[at])
        for at in range(len(reference.pupils))
        if prior.matched[at] and prior.total.states[at] == 0
    }
    total = reference.papers["总分"]
    return before, {at: m for at, m in total.counted.items() if total.state[at] == "scored"}


def test_movement(county: tuple[County, Made]) -> None:
    """Matched pupils, mean change of Z with its interval, far forward and back."""
    reference, made = county
    before, now = two_exams(reference, made)
    z0, z1, p0, p1 = z_of(before), z_of(now), percentiles(before), percentiles(now)
    rows = made.rows("movement.schools", "school")
    for path, members in reference.units("school").items():
        both = [at for at in members if at in before and at in now]
        changes = np.array([z1[at] - z0[at] for at in both])
        row = rows[path]
        n = sum(at in now for at in members)
        assert (row["pupils"]["value"], row["matched"]["value"]) == (n, len(both))
        assert row["matched_rate"]["value"] == float(F(len(both), n))
        assert row["z_change"]["value"] == pytest.approx(changes.mean(), abs=1e-9)
        half = 1.96 * changes.std(ddof=1) / math.sqrt(len(both))
        assert row["z_interval"]["low"] == pytest.approx(changes.mean() - half, abs=1e-9)
        assert row["forward"]["value"] == sum(p1[at] - p0[at] >= 10 for at in both)
        assert row["back"]["value"] == sum(p1[at] - p0[at] <= -10 for at in both)
        enough = len(both) >= 30 and F(len(both), n) >= F(8, 10)
        word = "上升" if changes.mean() > half else "下降" if changes.mean() < -half else "看不出变化"
        assert row["verdict"] == (word if enough else "样本不足")


def test_conversion(county: tuple[County, Made]) -> None:
    """The locked list of the prior exam, who left the group, and what regression to the mean alone would give."""
    reference, made = county
    before, now = two_exams(reference, made)
    lowest, highest = cut(before, F(20, 100), top=False), cut(before, F(5, 100), top=True)
    low_now, top_now = cut(now, F(20, 100), top=False), cut(now, F(5, 100), top=True)
    left = {at for at, state in enumerate(reference.papers["总分"].state) if state == "left"}
    chance = expected(before, now, len(low_now))
    rows = made.rows("conversion.schools", "school")
    for path, members in [*reference.units("school").items(), (("清河县",), range(len(reference.pupils)))]:
        if path not in rows:
            continue
        row, own = rows[path], set(members)
        listed = lowest & own
        done = {at for at in listed if at in now and at not in low_now}
        assert row["locked"]["value"] == len(listed)
        assert row["absent"]["value"] == sum(at not in now and at not in left for at in listed)
        assert row["converted"]["value"] == len(done)
        staying = len(listed - left)
        assert row["rate"]["value"] == (float(F(len(done), staying)) if staying else None)
        if staying:
            model = sum(chance[at] for at in listed - left if at in now) / staying
            assert row["expected"]["value"] == pytest.approx(model, abs=1e-9)
        assert row["new"]["value"] == len((low_now & own) - lowest)
        assert row["top_locked"]["value"] == len(highest & own)
        assert row["top_kept"]["value"] == len(highest & top_now & own)


def cut(marks: Mapping[int, Fraction], share: Fraction, *, top: bool) -> set[int]:
    """The pupils of a share of all, everybody tied with the last included."""
    ordered = sorted(marks.values(), reverse=top)
    edge = ordered[max(1, math.floor(share * len(ordered) + F(1, 2))) - 1]
    return {at for at, m in marks.items() if (m >= edge if top else m <= edge)}


def expected(before: Mapping[int, Fraction], now: Mapping[int, Fraction], low_now: int) -> dict[int, float]:
    """Each matched pupil's chance to leave the group by the bivariate normal model."""
    p0, p1 = percentiles(before), percentiles(now)
    both = sorted(set(before) & set(now))
    z0, z1 = norm.ppf([p0[at] / 100 for at in both]), norm.ppf([p1[at] / 100 for at in both])
    r = float(np.corrcoef(z0, z1)[0, 1])
    edge = norm.ppf(low_now / len(now))
    return {at: float(1 - norm.cdf((edge - r * z) / math.sqrt(1 - r * r))) for at, z in zip(both, z0, strict=True)}


def test_lists_hold_no_place_among_all_pupils(county: tuple[County, Made]) -> None:
    """No list shows a rank or a percentile of a pupil among the county's pupils, nor stands in the order of marks."""
    _, made = county
    for table in made.report.lists:
        assert not [c.label for c in table.columns if "名次" in c.label or c.label.endswith("百分等级")], table.key
        keys = [column.key for column in table.columns]
        rows = [dict(zip(keys, row, strict=True)) for row in table.rows]
        schools = [row["school"] for row in rows]
        assert len(set(schools)) == sum(a != b for a, b in zip([None, *schools], schools, strict=False)), table.key
        totals = [row["total"] for row in rows if isinstance(row.get("total"), Fraction)]
        assert len(totals) < 10 or totals not in (sorted(totals), sorted(totals, reverse=True)), table.key

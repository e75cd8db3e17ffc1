"""Lines with tracks, effective scores of all methods, reach, near-line pupils, scaled scores: against the slow reference."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import pytest
import yaml
from reference import County, Rules, half_up, ranks
from report_kit import FOLDS, FULLS, Made, build, pupils_of, small_county

from jiaoheng.exams.sample import make_sample

F = Fraction
ELECTIVES = ("化学", "生物", "政治", "地理")
LINES = [
    {"name": "本科线", "places": 120, "track": "物理类"},
    {"name": "本科线", "places": 75, "track": "历史类"},
    {"name": "特控线", "score": 520, "track": "物理类"},
    {"name": "特控线", "score": 505.5, "track": "历史类"},
    {"name": "物理强基线", "places": 30, "track": "物理类"},
]


@pytest.fixture(scope="module", params=["A", "B", "C"])
def high(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[County, Made, str]:
    folder = tmp_path_factory.mktemp("high")
    make_sample(folder, schools=5, pupils=420, seed=23, stage="高中")
    settings = yaml.safe_load((folder / "exam.yaml").read_text(encoding="utf-8"))
    settings["lines"] = {"lines": LINES, "effective": request.param, "near_above": 8, "near_below": 12, "band": 15}
    made = build(folder, [folder], settings)
    roster, chosen = made.prepared.roster, made.prepared.resolution.settings
    fulls = {name: one.full for name, one in chosen.subjects.items() if name in roster.scores}
    return County(pupils_of(roster), fulls, Rules()), made, request.param


def line_marks(reference: County) -> list[tuple[str, str, Fraction]]:
    """(name, track, mark) of the declared lines."""
    total, found = reference.papers["总分"].counted, []
    for line in LINES:
        own = sorted((m for at, m in total.items() if reference.pupils[at].track == line["track"]), reverse=True)
        mark = F(str(line["score"])) if "score" in line else own[int(str(line["places"])) - 1]
        found.append((str(line["name"]), str(line["track"]), mark))
    return found


def effective(reference: County, method: str, subject: str, track: str, line: Fraction) -> Fraction | None:
    """The effective score of a subject: by ratio, by rank, by band."""
    marks, total = reference.papers[subject].counted, reference.papers["总分"].counted
    takers = [at for at in marks if at in total and reference.pupils[at].track == track]
    reached = [at for at in takers if total[at] >= line]
    if method == "C":
        band = [at for at in takers if line - 15 <= total[at] <= line + 15]
        return sum((marks[at] for at in band), F(0)) / len(band) if band else None
    if not reached:
        return None
    if method == "B":
        return sorted((marks[at] for at in takers), reverse=True)[len(reached) - 1]
    mean = sum((marks[at] for at in reached), F(0)) * line / sum((total[at] for at in reached), F(0))
    return F(math.floor(mean + F(1, 2)))


def test_lines_and_effective_scores(high: tuple[County, Made, str]) -> None:
    """By score and by places, per track; every subject's effective score."""
    reference, made, method = high
    total = reference.papers["总分"].counted
    for name, track, mark in line_marks(reference):
        row = made.rows("lines", "line", "track")[name, track]
        reached = sum(m >= mark and reference.pupils[at].track == track for at, m in total.items())
        assert (row["mark"]["value"], row["reached"]["value"]) == (float(mark), reached)
        for subject in reference.fulls:
            value = effective(reference, method, subject, track, mark)
            assert row[subject]["value"] == (None if value is None else float(value)), subject


def _reached(reference: County, name: str, at: int) -> bool:
    pupil, total = reference.pupils[at], reference.papers["总分"].counted
    return any(
        at in total and one == name and track == pupil.track and total[at] >= mark
        for one, track, mark in line_marks(reference)
    )


def test_reach_and_near_line_by_school(high: tuple[County, Made, str]) -> None:
    """Who reaches the line of the own track, of those in the line's tracks; who stands close to it."""
    reference, made, _ = high
    total, marks = reference.papers["总分"].counted, line_marks(reference)
    for name in ("本科线", "特控线", "物理强基线"):
        own = {track: mark for one, track, mark in marks if one == name}
        inside = {at: total[at] - own[t] for at in total if (t := reference.pupils[at].track) in own}
        whole = sum(gap >= 0 for gap in inside.values())
        rows = made.rows(f"line.{name}.schools", "school")
        for path, members in [*reference.units("school").items(), (("清河县",), list(range(len(reference.pupils))))]:
            gaps = [inside[at] for at in members if at in inside]
            if not gaps or path not in rows:
                assert path not in rows
                continue
            row, reached = rows[path], sum(gap >= 0 for gap in gaps)
            assert (row["n"]["value"], row["reached"]["value"]) == (len(gaps), reached)
            assert row["rate"]["value"] == float(F(reached, len(gaps)))
            assert row["rate"]["text"] == half_up(F(reached * 100, len(gaps)), 2)
            assert row["part"]["value"] == float(F(reached, whole))
            assert row["near_below"]["value"] == sum(-12 <= gap < 0 for gap in gaps)
            assert row["near_above"]["value"] == sum(0 <= gap <= 8 for gap in gaps)


def test_subjects_at_a_line(high: tuple[County, Made, str]) -> None:
    """Single, double, total reach among the takers of a subject; hit, contribution, mismatch; schools too."""
    reference, made, method = high
    for name in ("本科线", "特控线"):
        rows = made.rows(f"line.{name}.subjects", "subject")
        schools = made.rows(f"line.{name}.school_subjects", "school")
        for subject in reference.fulls:
            everybody = _reach(reference, method, name, subject, lambda at: True)
            row = rows[subject,]
            for key in ("n", "single", "double", "total"):
                assert row[key]["value"] == everybody[key], (subject, key)
            assert row["total_only"]["value"] == everybody["total"] - everybody["double"]
            assert row["single_only"]["value"] == everybody["single"] - everybody["double"]
            for key, below in (("hit", "single"), ("contribution", "total")):
                assert row[key]["value"] == float(F(everybody["double"], everybody[below]))
            assert row["mismatch"]["value"] == float(1 - F(everybody["double"], everybody["total"]))
            for (school,), one in schools.items():
                found = _reach(reference, method, name, subject, lambda at, s=school: reference.pupils[at].school == s)
                assert one[f"{subject}.double"]["value"] == found["double"]
                ratio = F(found["double"], found["single"]) if found["single"] else None
                assert one[f"{subject}.hit"]["value"] == (None if ratio is None else float(ratio))


def _reach(reference: County, method: str, name: str, subject: str, inside: Callable[[int], bool]) -> dict[str, int]:
    marks, total = reference.papers[subject].counted, reference.papers["总分"].counted
    found = dict.fromkeys(("n", "single", "double", "total"), 0)
    for one, track, line in line_marks(reference):
        own = effective(reference, method, subject, track, line) if one == name else None
        if own is None:
            continue
        for at in marks:
            if at in total and reference.pupils[at].track == track and inside(at):
                single, whole = marks[at] >= own, total[at] >= line
                for key, true in (("n", True), ("single", single), ("total", whole), ("double", single and whole)):
                    found[key] += true
    return found


def test_near_line_lists(high: tuple[County, Made, str]) -> None:
    """The list holds just the near-line pupils, by school and not by mark, and names the subjects below their score."""
    _, made, _ = high
    table = next(one for one in made.report.lists if one.key == "list.near.本科线")
    keys = [column.key for column in table.columns]
    rows = [dict(zip(keys, row, strict=True)) for row in table.rows]
    counts = made.rows("line.本科线.schools", "school")[made.data["exam"]["county"],]
    assert len(rows) == counts["near_below"]["value"] + counts["near_above"]["value"]
    for row in rows:
        assert (row["side"] == "线下") == (row["gap"] < 0)
    seen = [row["school"] for row in rows]
    assert [school for at, school in enumerate(seen) if at == 0 or seen[at - 1] != school] == list(dict.fromkeys(seen))


def scaled(pool: Sequence[Fraction]) -> dict[Fraction, int]:
    """3+1+2: raw mark → scaled mark for one pool; near ties, the higher at equal distance."""
    values = sorted(set(pool), reverse=True)
    found: dict[Fraction, int] = {}
    start, n, cumulative = 0, len(pool), F(0)
    for share, high, low in ((15, 100, 86), (35, 85, 71), (35, 70, 56), (13, 55, 41), (2, 40, 30)):
        cumulative += F(share, 100)
        steps = [(sum(m >= v for m in pool), k + 1) for k, v in enumerate(values)]
        end = min([(0, 0), *steps], key=lambda one: (abs(one[0] - n * cumulative), -one[0]))[1]
        held = values[start : max(end, start)] if low != 30 else values[start:]
        start += len(held)
        for value in held:
            width = held[0] - held[-1]
            exact = low + (value - held[-1]) * (high - low) / width if width else F(low + high, 2)
            found[value] = math.floor(exact + F(1, 2))
    return found


def test_scaled_scores(tmp_path: Path) -> None:
    """Raw electives become scaled scores of the county's pool before anything is counted, totals included."""
    make_sample(tmp_path, schools=4, pupils=300, seed=5, stage="高中")
    settings = yaml.safe_load((tmp_path / "exam.yaml").read_text(encoding="utf-8"))
    made = build(tmp_path, [tmp_path], {**settings, "scaling": {"rule": "3+1+2"}})
    chosen, roster = made.prepared.resolution.settings, made.prepared.roster
    people = pupils_of(roster)
    for name in ELECTIVES:
        table = scaled([mark for one in people if (mark := one.scores[name][1]) is not None])
        for one in people:
            state, mark = one.scores[name]
            if mark is not None:
                one.scores[name] = (state, F(table[mark]))
    fulls = {name: F(100) if name in ELECTIVES else chosen.subjects[name].full for name in chosen.subjects}
    reference = County(people, fulls, Rules(), cuts={"excellent": F(80, 100), "good": chosen.thresholds.good})
    rows = made.rows("county.papers", "paper")
    for name in reference.papers:
        one = reference.figures(name, "county", list(range(len(people))))
        assert rows[name,]["mean"]["value"] == float(one.mean or 0), name
        assert rows[name,]["median"]["value"] == float(one.median or 0), name
    assert made.table("scaling")["rows"][0]["level"] == "A"


def test_a_line_nobody_reaches_and_ties_at_the_plan(tmp_path: Path) -> None:
    """No one reaches 320 of 320: counts are 0, rates of nobody are no data, and the sentence says 0."""
    lines = {"lines": [{"name": "满分线", "score": 320}, {"name": "名额线", "places": 10}]}
    pupils, made = small_county(tmp_path, lines=lines)
    total = County(pupils, FULLS, Rules(), FOLDS).papers["总分"].counted
    assert made.rows("lines", "line")["满分线",]["reached"]["value"] == 0
    assert made.rows("lines", "line")["满分线",]["语文"]["value"] is None
    assert "line.满分线.subjects" not in made.table_keys()
    assert "没有人上线，各学科的有效分和上线人数不作统计。" in made.texts()
    assert any(text.startswith("满分线（320 分）全县上线 0 名，上线率 0.00%") for text in made.texts())
    tenth = sorted(total.values(), reverse=True)[9]
    assert made.rows("lines", "line")["名额线",]["mark"]["value"] == float(tenth)
    assert max(ranks({(str(at),): mark for at, mark in total.items() if mark >= tenth}).values()) <= 10


def test_only_one_track_has_a_line(high: tuple[County, Made, str]) -> None:
    """A line of one track is a share of that track's pupils, and the others are told apart."""
    reference, made, _ = high
    others = sum(reference.pupils[at].track == "历史类" for at in reference.papers["总分"].counted)
    assert any(f"{others} 名不属于物理类" in text for text in made.texts())


def test_totals_of_different_subjects_are_told_apart(high: tuple[County, Made, str]) -> None:
    """Raw electives make totals that do not compare: the report says so before it compares schools."""
    _, made, _ = high
    assert any(text.startswith("学生选考的学科不同，") and "是原始分" in text for text in made.texts())

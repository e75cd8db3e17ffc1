"""The synthetic county: same seed same county, rows that agree with each other and pass the checks of their registers."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from itertools import pairwise

import pytest

from jiaoheng import packs
from jiaoheng.methods.ids import check_identity, check_register, check_school_code
from jiaoheng.registers.county import STANDING, make_county
from jiaoheng.registers.loading import load_shipped
from jiaoheng.registers.model import CheckLevel, FieldType
from jiaoheng.registers.validation import check_data, validate

TERM, YEAR = ("term", "2026-1"), ("year", "2026")
MOVE = dt.date(2025, 9, 1)


@pytest.fixture(scope="module")
def small():
    return make_county(scale=0.05)


@pytest.fixture(scope="module")
def whole():
    return make_county()


def newest_rows(county, register, period=STANDING):
    key = load_shipped().newest(register).key
    return county.newest(register, period, key)


def test_the_same_seed_gives_the_same_county(small):
    again = make_county(scale=0.05)
    assert again == small
    assert make_county(seed=1, scale=0.05).accounts != small.accounts


def test_the_whole_county_has_the_size_asked_for(whole):
    today = whole.now.date()
    levels = Counter(one.level for one in whole.units if one.open_on(today))
    assert (levels["county"], levels["department"], levels["district"], levels["school"]) == (1, 8, 12, 114)
    assert 1450 <= levels["class"] <= 1550
    assert len(newest_rows(whole, "pupils")) == 60_000
    working = [row for row in newest_rows(whole, "teachers").values() if row["status"] != "7"]
    assert len(working) == 5000


def test_a_small_county_has_all_kinds_and_all_events(small, whole):
    assert {one.kind for one in small.schools} == {one.kind for one in whole.schools}
    assert [one.kind for one in small.events] == [one.kind for one in whole.events]
    assert sorted({one.kind for one in whole.events}) == ["close", "merge", "move", "open", "rename"]
    assert len(small.schools) < 30
    assert {one.demo for one in small.accounts} == {one.demo for one in whole.accounts}


def test_a_scale_outside_its_range_is_refused():
    for scale in (0, -1, 1.5):
        with pytest.raises(ValueError, match="scale"):
            make_county(scale=scale)


@pytest.mark.parametrize("register", sorted(load_shipped().registers))
def test_every_row_passes_the_checks_of_its_register(small, register):
    versions = {one.version: one for one in load_shipped().registers[register]}
    batches = small.batches_of(register)
    assert batches
    for batch in batches:
        schema = versions[batch.version]
        cells = {
            one.name: ["、".join(row[one.name]) if one.type is FieldType.ARRAY and one.name in row else row.get(one.name) for row in batch.rows]
            for one in schema.fields
            if one.type is not FieldType.FILE
        }  # fmt: skip
        checked = validate(schema, cells, at=batch.at.date(), units=batch.units)
        blocked = [
            (row, one.message) for row, told in checked.wrongs.items() for one in told if one.level is CheckLevel.BLOCK
        ]
        assert not blocked
        assert checked.data == batch.rows, "values are in their stored form"


def test_units_stand_under_one_parent_at_every_time(whole):
    for one in whole.units:
        assert one.ends_on is None or one.starts_on < one.ends_on, one
        for spans in (one.facts, one.parents):
            if not spans:
                assert one.level == "county"
                continue
            assert (spans[0].starts_on, spans[-1].ends_on) == (one.starts_on, one.ends_on), one
            for before, after in pairwise(spans):
                assert before.ends_on == after.starts_on
        for parent in one.parents:
            above = whole.by_code[parent.parent]
            assert above.starts_on <= parent.starts_on, one
            assert above.ends_on is None or (parent.ends_on is not None and parent.ends_on <= above.ends_on), one
    assert len(whole.by_code) == len(whole.units)
    order = {one.code: number for number, one in enumerate(whole.units)}
    assert all(order[parent.parent] < order[one.code] for one in whole.units for parent in one.parents)


def test_a_school_moved_merged_closed_renamed_and_opened(whole):
    moved = whole.by_name["溪口小学"]
    names = [whole.by_code[parent.parent].facts[0].short_name for parent in moved.parents]
    assert (names, moved.parents[1].starts_on) == (["双溪镇", "枫林镇"], MOVE)
    merged, receiver = whole.by_name["龙潭乡下坪小学"], whole.by_name["龙潭乡中心小学"]
    event = next(one for one in whole.events if one.kind == "merge")
    assert (event.unit, event.other, event.happened_on, merged.ends_on) == (merged.code, receiver.code, MOVE, MOVE)
    assert whole.by_name["云坪乡鹰嘴教学点"].ends_on == dt.date(2026, 9, 1)
    assert [fact.name for fact in whole.by_name["槐阳镇第五小学"].facts] == ["槐阳镇城南小学", "槐阳镇第五小学"]
    assert whole.by_name["槐阳镇第六小学"].starts_on == dt.date(2026, 9, 1)
    direct = [one for one in whole.schools if one.parent == "990000"]
    assert len(direct) == 10
    for unit, _row in (pair for batch in whole.batches if batch.period == YEAR for pair in batch):
        assert whole.by_code[unit].open_on(dt.date(2026, 10, 1)), "nobody reports for a school that is gone"


def test_class_sizes_agree_with_the_pupils(whole):
    pupils = Counter()
    for key, row in newest_rows(whole, "pupils").items():
        pupils[key[0], row["class_code"], row["gender"]] += 1
        pupils[key[0], row["class_code"], "boarders"] += row["boarding"]
    rows = newest_rows(whole, "classes", TERM)
    assert len(rows) > 1400
    for (school, code), row in rows.items():
        assert row["boys"] == pupils[school, code, "1"]
        assert row["girls"] == pupils[school, code, "2"]
        assert row["total"] == row["boys"] + row["girls"]
        assert row["boarders"] == pupils[school, code, "boarders"]


def test_school_conditions_agree_with_classes_and_teachers(whole):
    classes, pupils, teachers = Counter(), Counter(), Counter()
    for batch in whole.batches_of("classes", ("term", "2025-1")):
        for unit, row in batch:
            classes[unit] += 1
            pupils[unit] += row["total"]
    for key, row in newest_rows(whole, "teachers").items():
        teachers[key[0]] += row["status"] != "7"
    then = whole.batches_of("school_conditions", ("year", "2025"))[0]
    assert {unit: (row["classes"], row["pupils"]) for unit, row in then} == {
        unit: (classes[unit], pupils[unit]) for unit in classes
    }
    now = newest_rows(whole, "school_conditions", YEAR)
    assert {key[0]: row["teachers"] for key, row in now.items()} == {key[0]: teachers[key[0]] for key in now}


def test_class_teachers_are_teachers_of_their_school(whole):
    staff = newest_rows(whole, "teachers")
    for (school, code), row in newest_rows(whole, "classes", TERM).items():
        teacher = staff[school, row["head_teacher_number"]]
        assert (teacher["name"], teacher["head_teacher_of"]) == (row["head_teacher"], code)


def test_people_are_nobodys(whole):
    """Every identity number is of the fictitious area, right in itself and given once."""
    pupils, teachers = newest_rows(whole, "pupils").values(), newest_rows(whole, "teachers").values()
    numbers = [row["id_number"] for rows in (pupils, teachers) for row in rows]
    assert len(set(numbers)) == len(numbers) == 65_150
    assert all(number.startswith("990000") for number in numbers)
    for row in [*list(pupils)[::97], *list(teachers)[::31]]:
        found = check_identity(row["id_number"], whole.now.date())
        assert found.ok, found
        assert found.birth.isoformat() == row["birth_date"]
        assert found.sex == {"1": "男", "2": "女"}[row["gender"]]
    assert all(check_register(row["pupil_number"]).ok for row in list(pupils)[::97])
    assert all(check_school_code(one.code).ok for one in whole.schools)


def test_figures_of_the_speeches(whole):
    """M01: 9 + 2 classes and 349 + 28 pupils; M14, M17, M21, M22, M32, M38 as totals of the county."""
    school = whole.by_name["桐岭镇桐花小学"].code
    own = [row for key, row in newest_rows(whole, "classes", TERM).items() if key[0] == school]
    pre = [row["total"] for row in own if row["grade"].startswith("K")]
    rest = [row["total"] for row in own if not row["grade"].startswith("K")]
    assert (len(rest), len(pre), sum(rest), sum(pre)) == (9, 2, 349, 28)

    totals = packs.load("county")["totals"]
    posts = newest_rows(whole, "posts", YEAR).values()
    assert sum(row["exchanged_out"] for row in posts) == sum(row["exchanged_in"] for row in posts) == 59
    assert sum(row["recruited"] for row in posts) == totals["recruited"]
    lessons = [
        row for row in newest_rows(whole, "activities", ("year", "2025")).values() if row["activity_kind"] == "3"
    ]
    assert (len(lessons), sum(row["lessons"] for row in lessons)) == (150, 200)
    ways = Counter(row.get("study_way", "") for row in newest_rows(whole, "pupils").values())
    assert (ways["1"], ways["4"], ways["3"]) == (334, 258, 357)
    children = sum(row["children"] for row in newest_rows(whole, "preschool", YEAR).values())
    population = sum(row["total"] for row in newest_rows(whole, "preschool_population", YEAR).values())
    assert (children, population, round(100 * children / population, 1)) == (5544, 7943, 69.8)
    branches = newest_rows(whole, "party_branches", YEAR).values()
    assert round(100 * sum(row["five_standards"] for row in branches) / len(branches)) == 95
    assert len(newest_rows(whole, "publicity", ("year", "2025"))) == 1300


def test_history_is_in_order_and_later_rows_have_earlier_ones(whole):
    assert [one.at for one in whole.batches] == sorted(one.at for one in whole.batches)
    assert all(one.at <= whole.now for one in whole.batches)
    known = set()
    for batch in whole.batches:
        names = load_shipped().newest(batch.register).key
        keys = [(batch.register, batch.period, unit, *(str(row[name]) for name in names)) for unit, row in batch]
        assert len(set(keys)) == len(keys)
        assert all((key in known) is batch.later for key in keys), (batch.register, batch.period, batch.at)
        known.update(keys)


def test_three_years_of_class_sizes_fall(whole):
    shares = []
    for period in (("term", "2024-1"), ("term", "2025-1"), TERM):
        sizes = [row["total"] for row in newest_rows(whole, "classes", period).values()]
        shares.append(sum(size >= 56 for size in sizes) / len(sizes))
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] > 0


def test_the_rounds_stand_in_the_middle_of_their_work(whole):
    sizes, conditions = whole.rounds[-2:]
    states = Counter(one.state for one in sizes.filings)
    assert len(sizes.late(whole.now)) == 9
    assert (states["returned"], states["district"], states["county"], states["approved"]) == (6, 13, 17, 69)
    assert conditions.due_at > whole.now
    assert set(Counter(one.state for one in conditions.filings)) == {
        "empty", "draft", "returned", "district", "county", "approved",
    }  # fmt: skip
    assert sum(one.extended_to is not None for one in conditions.filings) == 1
    for one in whole.rounds:
        schools = {filing.unit for filing in one.filings}
        assert len(schools) == len(one.filings)
        assert all(whole.by_code[unit].open_on(one.reference_date) for unit in schools)


def test_steps_of_a_filing_fit_its_state_and_its_rows(whole):
    accounts = {one.username: one for one in whole.accounts}
    for one in whole.rounds:
        rows = newest_rows(whole, one.register, one.period)
        have = Counter(key[0] for key in rows)
        for filing in one.filings:
            unit = whole.by_code[filing.unit]
            kinds = [(step.kind, step.level) for step in filing.steps]
            direct = all(parent.parent == "990000" for parent in unit.parents)
            district = [] if direct else [("approve", "district")]
            expected = {
                "empty": [],
                "draft": [],
                "district": [("submit", "school")],
                "county": [("submit", "school"), *district],
                "approved": [("submit", "school"), *district, ("approve", "county")],
                "returned": [("submit", "school"), ("return", "county" if direct else "district")],
            }
            assert kinds == expected[filing.state], filing
            times = [step.at for step in filing.steps]
            assert times == sorted(times)
            assert all(one.opens_at <= at <= whole.now for at in times)
            assert all(step.by in accounts for step in filing.steps)
            assert bool(filing.comments) is (filing.state == "returned")
            if not (one.register == "school_conditions" and filing.state == "draft"):  # drafts of a form are no records
                assert have[filing.unit] == filing.filled
            for comment in filing.comments:
                assert rows[(filing.unit, *comment.key)][comment.field] == comment.value


def test_each_school_has_a_clerk_and_a_principal_and_names_are_once(whole):
    names = [one.username for one in whole.accounts]
    assert len(set(names)) == len(names)
    roles = Counter((m.role, m.unit) for one in whole.accounts for m in one.memberships)
    for school in whole.schools:
        assert roles["clerk", school.code] == roles["principal", school.code] == 1
    demo = Counter(one.demo for one in whole.accounts if one.demo)
    assert set(demo.values()) == {1}
    assert set(demo) == {
        "leader", "department", "research", "inspector", "admin", "district", "township", "principal", "clerk", "class_teacher", "teacher",
    }  # fmt: skip
    for one in whole.accounts:
        for member in one.memberships:
            assert member.unit in whole.by_code
            assert whole.by_code[member.unit].starts_on <= member.starts_on


def test_typical_mistakes_are_seen_by_the_checks(whole):
    """All but the wide digits, which are read as they are, and the unit put behind a number."""
    register = load_shipped().newest("school_conditions")
    slips = whole.mistakes
    assert {one.kind for one in slips} == {"words", "unit", "digits", "total", "blank", "choice", "swapped"}
    right = {one.field: one.right for one in slips}
    unit = slips[0].unit
    then = whole.newest("school_conditions", ("year", "2025"))[(unit,)]
    day = dt.date(2026, 11, 20)
    whole_row = {
        **then,
        **right,
        "full_time_teachers": int(right["full_time_teachers"]),
        "pupils": int(right["pupils"]),
    }
    for slip in slips:
        typed = {**whole_row, slip.field: slip.typed}
        told = {one.field for one in check_data(register, typed, at=day, previous=then)}
        if slip.kind == "blank":
            typed.pop(slip.field)
            told = {one.field for one in check_data(register, typed, at=day, previous=then)}
        if slip.kind != "digits" and slip.field != "sports_area":
            assert slip.field in told, slip

"""M34 班主任: the class book with tutors, help groups and visits; a class teacher sees the own class alone."""  # noqa: N999

from __future__ import annotations

from scenarios.conftest import Demo, totals_page

TERM, NAME = ("term", "2026-1"), "2026 年秋季学期"
REGISTERS = ("class_teacher_book", "home_contacts")


def test_m34_help_groups_and_visits_add_up(demo: Demo) -> None:
    rows = [row for _, row in demo.rows("class_teacher_book", TERM)]
    printed = demo.sums(totals_page(demo.office("department"), "class_teacher_book", NAME))
    for field in ("help_groups", "helped_pupils", "visited_families"):
        assert int(printed[field].replace(",", "")) == sum(int(str(row[field])) for row in rows), field


def test_m34_each_sees_what_is_his(demo: Demo) -> None:
    by_role = {one.demo: one for one in demo.county.accounts if one.demo}
    parents = {one.code: one.parent for one in demo.county.units}
    for register in REGISTERS:
        rows = demo.rows(register, TERM)
        own = by_role["class_teacher"].home
        expected = {
            "department": len(rows),
            "principal": sum(parents[unit] == by_role["principal"].home for unit, _ in rows),
            "class_teacher": sum(unit in {m.unit for m in by_role["class_teacher"].memberships} for unit, _ in rows),
        }
        assert own
        for role, count in expected.items():
            assert demo.office(role).count(f"/ledgers/{register}/?period=all") == count, (register, role)


def test_m34_the_ways_of_home_contact(demo: Demo) -> None:
    rows = [row for _, row in demo.rows("home_contacts", TERM)]
    shown = demo.shares("contact_way", totals_page(demo.office("department"), "home_contacts", NAME))
    assert sum(count for count, _ in shown.values()) == len(rows)
    assert len(shown) == len({row["contact_way"] for row in rows})

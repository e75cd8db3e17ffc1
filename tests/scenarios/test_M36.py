"""M36 制度、章程: status of each document, and which are due for review."""  # noqa: N999

from __future__ import annotations

from collections import Counter

from scenarios.conftest import Demo, totals_page


def test_m36_documents_by_status(demo: Demo) -> None:
    rows = [row for _, row in demo.rows("documents")]
    shown = demo.shares("status", totals_page(demo.office("leader"), "documents"))
    assert sorted(count for count, _ in shown.values()) == sorted(Counter(str(row["status"]) for row in rows).values())
    assert demo.office("leader").count("/ledgers/documents/") == len(rows)


def test_m36_what_is_due_for_review_is_found_by_its_day(demo: Demo) -> None:
    day = demo.county.now.date().isoformat()
    due = [row for _, row in demo.rows("documents") if row.get("review_on") and str(row["review_on"]) <= day]
    assert due
    rows = demo.office("leader").csv("documents", **{"f.review_on.to": day})
    assert sorted(row["文件名称"] for row in rows) == sorted(str(row["title"]) for row in due)


def test_m36_a_teacher_reads_the_rules_of_the_own_school(demo: Demo) -> None:
    account = next(one for one in demo.county.accounts if one.demo == "teacher")
    mine = [row for unit, row in demo.rows("documents") if unit == account.home]
    assert demo.office("teacher").count("/ledgers/documents/") == len(mine)

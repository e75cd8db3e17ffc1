"""The demonstration: what stands in the base is what the county says, at its times, and every role has work to do."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from jiaoheng.bureau.core import clock


def test_units_accounts_and_rows_are_those_of_the_county(standing: Any) -> None:
    from jiaoheng.bureau.core.models import Account, Unit, UnitFacts, UnitSuccession
    from jiaoheng.bureau.ledgers.models import Record, RecordVersion

    county = standing.county
    assert Unit.objects.count() == len(county.units)
    assert UnitFacts.objects.count() == sum(len(one.facts) for one in county.units)
    assert Account.objects.count() == len(county.accounts)
    assert RecordVersion.objects.count() == sum(len(one.rows) for one in county.batches)
    later = sum(len(one.rows) for one in county.batches if one.later)
    assert Record.objects.count() == RecordVersion.objects.count() - later
    assert UnitSuccession.objects.count() == sum(one.kind != "open" for one in county.events)


def test_a_school_stands_under_its_district_of_each_day(standing: Any) -> None:
    from jiaoheng.bureau.core.models import Unit
    from jiaoheng.bureau.core.tree import lines_at

    moves = [one for one in standing.county.events if one.kind == "move"]
    assert moves
    for event in moves:
        unit = Unit.objects.get(code=event.unit)
        for day, code in ((event.happened_on - dt.timedelta(days=1), event.before), (event.happened_on, event.after)):
            assert Unit.objects.get(pk=lines_at([unit.pk], day)[unit.pk].district_id).code == code


def test_every_filing_stands_where_the_county_says(standing: Any) -> None:
    from jiaoheng.bureau.ledgers.models import CellComment, Filing, Round

    for seed in standing.county.rounds:
        row = Round.objects.get(title=seed.title)
        assert row.closed_at == seed.closed_at
        filings = {one.unit.code: one for one in Filing.objects.filter(round=row).select_related("unit")}
        assert {code: one.state for code, one in filings.items()} == {one.unit: one.state for one in seed.filings}
        for one in seed.filings:
            held = filings[one.unit]
            assert held.extended_to == one.extended_to
            assert (held.approved_as_of is not None) == (one.state == "approved")
            comments = CellComment.objects.filter(filing=held)
            assert comments.count() == len(one.comments)
            assert all(each.record_id is not None for each in comments if each.field)


def test_approved_figures_are_there(standing: Any) -> None:
    from jiaoheng.bureau.ledgers.models import Filing
    from jiaoheng.bureau.ledgers.rounds.content import records_of

    for filing in Filing.objects.filter(state="approved").select_related("round"):
        assert records_of(filing, filing.approved_as_of), f"{filing.round.title}: nothing stood there when it was sent"


def test_versions_follow_without_a_gap_and_carry_their_author(standing: Any) -> None:
    from jiaoheng.bureau.ledgers.models import Record, RecordVersion

    record = Record.objects.filter(register__name="pupils", number__gt=1).first()
    versions = list(RecordVersion.objects.filter(record=record).order_by("number"))
    assert [one.number for one in versions] == list(range(1, record.number + 1))
    for before, after in pairwise(versions):
        assert before.valid_to == after.valid_from
    assert versions[-1].valid_to is None
    assert all(one.author_id and one.author_name for one in versions)


def test_the_chain_is_whole_and_in_order(standing: Any) -> None:
    from jiaoheng.bureau.core.audit_chain import verify
    from jiaoheng.bureau.core.models import AuditEntry

    verdict = verify()
    assert verdict.whole, verdict.sentence
    times = list(AuditEntry.objects.order_by("number").values_list("at", flat=True))
    assert times == sorted(times)
    assert times[-1] <= standing.county.now


def test_no_full_number_in_the_trail(standing: Any) -> None:
    from jiaoheng.bureau.core.models import AuditEntry

    entries = AuditEntry.objects.values_list("changes", "object_name", "reason")
    trail = "\n".join(json.dumps(one, ensure_ascii=False) for one in entries)
    assert len(trail) > 10_000
    assert not re.search(r"\d{17}[\dXx]", trail)


ROLES = (
    "leader",
    "department",
    "research",
    "inspector",
    "district",
    "township",
    "principal",
    "clerk",
    "class_teacher",
    "teacher",
    "admin",
)


def test_every_place_of_the_sign_in_page_has_its_person(standing: Any) -> None:
    from jiaoheng.bureau.core.demo_people import demo_account

    wanted = {one.demo: one.username for one in standing.county.accounts if one.demo}
    found = {role: account.username for role in ROLES if (account := demo_account(role)) is not None}
    assert found == wanted
    assert set(found) == set(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_the_first_page_of_each_role_opens(standing: Any, role: str) -> None:
    client = Client()
    answer = client.post("/login/demo/", {"role": role}, follow=True)
    assert answer.status_code == 200
    assert "待办" in answer.content.decode()


def test_first_pages_have_work_on_them(standing: Any) -> None:
    from jiaoheng.bureau.core.demo_people import demo_account
    from jiaoheng.bureau.ledgers.todo import todo_of

    clerk = todo_of(demo_account("clerk"))
    assert clerk.owed
    assert clerk.returned
    assert clerk.changed
    assert todo_of(demo_account("district")).approving
    office = todo_of(demo_account("department"))
    assert office.approving
    assert office.managed


def test_the_known_password_opens_and_is_not_kept_in_plain(standing: Any) -> None:
    from jiaoheng.bureau.core.models import Account
    from jiaoheng.bureau.demo.words import PASSWORD

    clerk = next(one.username for one in standing.county.accounts if one.demo == "clerk")
    answer = Client().post("/login/", {"username": clerk, "password": PASSWORD})
    assert answer.status_code == 302
    assert not Account.objects.filter(password__contains=PASSWORD).exists()


def test_people_and_pupils_are_found(standing: Any) -> None:
    from jiaoheng.bureau.core.models import SearchEntry
    from jiaoheng.bureau.ledgers.models import RecordVersion
    from jiaoheng.bureau.ledgers.models.records import CURRENT

    kinds = Counter(SearchEntry.objects.values_list("kind", flat=True))
    assert kinds["unit"] == len(standing.county.units)
    pupils = RecordVersion.objects.filter(CURRENT, register__name="pupils").count()
    assert SearchEntry.objects.filter(register="pupils").count() == pupils


def test_the_clerks_workbook_is_taken_by_the_import_and_its_slips_are_found(standing: Any, settings: Any) -> None:
    from jiaoheng.bureau.core.demo_people import demo_account
    from jiaoheng.bureau.core.models import Period, Unit
    from jiaoheng.bureau.ledgers.imports.starting import do_start_import, preview_of
    from jiaoheng.bureau.ledgers.models import RegisterRow

    settings.FILES = settings.DATA / "files"
    first = standing.county.mistakes[0]
    row = RegisterRow.objects.get(name=first.register)
    with standing.slips.open("rb") as source:
        batch = do_start_import(
            row,
            Unit.objects.get(code=first.unit),
            [(source, standing.slips.name)],
            period=Period.objects.get(code="Y2026"),
            at_once=True,
            acting_user=demo_account("clerk"),
        )
    found = preview_of(batch)
    assert found.counts["rows"] == 1
    assert found.counts["wrong_cells"] >= 4
    said = "\n".join(str(one) for one in (*found.problems, *found.questions))
    for one in standing.county.mistakes:
        # a unit written behind its number is understood
        if one.kind in ("words", "choice") and not one.typed.startswith(one.right):
            assert f"“{one.typed}”" in said, one.says


def test_refused_in_production_and_over_data(standing: Any, settings: Any) -> None:
    from jiaoheng.bureau.core.refusals import RefusedError
    from jiaoheng.bureau.demo.building import build

    with pytest.raises(RefusedError) as refused:
        build(scale=0.05)
    assert refused.value.code == "demo-not-empty"
    settings.DEMO, settings.ENVIRONMENT = False, "production"
    with pytest.raises(RefusedError) as refused:
        build(scale=0.05)
    assert refused.value.code == "demo-production"


def test_the_clock_goes_on_from_the_day_of_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from jiaoheng.bureau.core.demo_clock import mark_demo, start_demo_clock

    stands = clock.beijing(2031, 5, 6, 7, 8)
    mark_demo(tmp_path, stands)
    try:
        start_demo_clock(tmp_path)
        assert dt.timedelta(0) <= clock.now() - stands + dt.timedelta(seconds=1) < dt.timedelta(minutes=1)
        monkeypatch.setenv("JIAOHENG_DEMO_NOW", "2030-01-01T08:00:00")
        start_demo_clock(tmp_path)
        assert clock.local(clock.now()).date() == dt.date(2030, 1, 1)
    finally:
        clock.shift(dt.timedelta(0))
    assert abs(clock.now() - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)

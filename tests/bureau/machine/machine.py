"""Rounds, records and approvals driven at random against the model; what must always hold is looked at after each step."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from django.conf import settings as django_settings
from django.db import transaction
from django.test import TestCase
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bureau.ledgers.rounds_stage import listing, make_stage
from bureau.machine.model import DISTRICT_OF, GRAPH, NEXT, OWING, Book, Collection, Model, Paper
from bureau.world import make_world
from jiaoheng.bureau.core import audit_chain, clock, scope
from jiaoheng.bureau.core.actions_units_ends import do_close_unit, do_merge_unit
from jiaoheng.bureau.core.models import AuditEntry
from jiaoheng.bureau.core.refusals import ConflictError, ForbiddenError, NotFoundError, RefusedError
from jiaoheng.bureau.ledgers import registry, unit_numbers
from jiaoheng.bureau.ledgers.actions_drafts import do_save_draft
from jiaoheng.bureau.ledgers.actions_records import do_save_record
from jiaoheng.bureau.ledgers.actions_records_more import (
    do_change_many,
    do_delete_record,
    do_restore_deleted,
    do_restore_fields,
)
from jiaoheng.bureau.ledgers.models import Filing, RecordVersion, Round
from jiaoheng.bureau.ledgers.rounds.actions import (
    CellRemark,
    do_approve_filing,
    do_approve_filings,
    do_approve_unit,
    do_close_round,
    do_extend,
    do_open_filing,
    do_open_round,
    do_recall_filing,
    do_reopen,
    do_return_filing,
    do_return_filings,
    do_submit_filing,
    do_withdraw_approval,
)
from jiaoheng.bureau.ledgers.rounds.approved import Basis, rows_on
from jiaoheng.bureau.ledgers.rounds.board import board_of

REFUSED = (RefusedError, ForbiddenError, ConflictError, NotFoundError)
UNITS = st.sampled_from(list(DISTRICT_OF))
PERIODS = st.sampled_from(["now", "now", "before"])
NAMES = st.sampled_from(["一（1）班", "一（2）班", "二（1）班"])
PUPILS = st.integers(0, 160)  # above 150 the register refuses
DECIDERS = st.sampled_from(["东学区", "西学区", "股长", "股长", "甲填报"])
PICK = st.integers(0, 30)


class Filings(RuleBasedStateMachine):
    """See the module. Every example is a savepoint of the test's own transaction."""

    @initialize(units=st.lists(UNITS, max_size=4), opened=st.sampled_from([True, True, True, False]))
    def begin(self, units: list[str], opened: bool) -> None:
        """The county anew; most runs start where there is something to decide about."""
        self.savepoint = transaction.savepoint()
        _forget()
        django_settings.ANCHOR.unlink(missing_ok=True)
        self.model, self.now = Model(), clock.beijing(2025, 9, 22, 8)
        with clock.at(self.now):
            self.world = make_world()
            self.stage = make_stage(self.world, listing())
        self.periods = {"now": self.stage.period, "before": self.stage.before}
        self.seen: dict[int, str] = {}
        self.entries = AuditEntry.objects.count()
        for number, unit in enumerate(units):
            self.fill(unit=unit, period="now", name=f"三（{number}）班", pupils=40 + number)
        if opened:
            self.open_round(period="now", shift=0, later=0)

    def teardown(self) -> None:
        if hasattr(self, "savepoint"):
            transaction.savepoint_rollback(self.savepoint)
            _forget()

    # --- the frame -------------------------------------------------------------------------------------------------

    def act(self, allowed: bool, do: Callable[[], Any], *, silent: bool = False) -> Any:
        """Run an action a second later. It must succeed where the model allows it, else be refused without a trace."""
        self.now += dt.timedelta(seconds=1)
        before = AuditEntry.objects.count()
        assert before == self.entries
        result = None
        with clock.at(self.now), TestCase.captureOnCommitCallbacks(execute=True):
            try:
                result = do()
            except REFUSED:
                assert not allowed, "refused what the model allows"
            else:
                assert allowed, "done what the model forbids"
        self.entries = AuditEntry.objects.count()
        if allowed and not silent:
            assert self.entries > before, "done without a trace"
        elif not silent:
            assert self.entries == before, "a refusal left a trace"
        return result

    def paper(self, pick: int) -> Paper:
        return self.model.papers[pick % len(self.model.papers)]

    def row(self, paper: Paper) -> Filing:
        found: Filing = Filing.objects.select_related("round", "round__register", "unit").get(
            round_id=paper.round.pk, unit=self.world[paper.unit]
        )
        return found

    def book(self, pick: int) -> Book:
        return list(self.model.books.values())[pick % len(self.model.books)]

    # --- time and units --------------------------------------------------------------------------------------------

    @rule(hours=st.sampled_from([1, 5, 24, 72, 200]))
    def wait(self, hours: int) -> None:
        if self.now < clock.beijing(2025, 12, 20):
            self.now += dt.timedelta(hours=hours)

    @precondition(lambda self: "乙" not in self.model.ended and self.model.papers)
    @rule(sure=st.sampled_from([False, False, True]))
    def merge(self, sure: bool) -> None:
        if not sure:
            return
        day, units = clock.local(self.now).date(), self.world
        self.act(
            True, lambda: do_merge_unit(units["乙"], units["甲"], acting_user=units["管理员"], day=day, reason="并校")
        )
        self.model.end("乙", "merged", day)

    @precondition(lambda self: "丙" not in self.model.ended and self.model.papers)
    @rule(sure=st.sampled_from([False, False, True]))
    def close(self, sure: bool) -> None:
        if not sure:
            return
        day, units = clock.local(self.now).date(), self.world
        self.act(True, lambda: do_close_unit(units["丙"], acting_user=units["管理员"], day=day, reason="撤校"))
        self.model.end("丙", "closed", day)

    # --- rounds ----------------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.model.rounds) < 3)
    @rule(period=PERIODS, shift=st.sampled_from([-3, 0, 5]), later=st.sampled_from([0, 0, 0, 20]))
    def open_round(self, period: str, shift: int, later: int) -> None:
        reference = clock.local(self.now).date() + dt.timedelta(days=shift)
        opens = self.now + dt.timedelta(hours=later)
        due = self.now + dt.timedelta(days=20)
        allowed = not any(one.period == period and not one.closed for one in self.model.rounds)
        made = self.act(
            allowed,
            lambda: do_open_round(
                self.stage.row, self.periods[period], "班额", self.world["县"], [], reference, opens, due,
                acting_user=self.world["股长"],
            ),
        )  # fmt: skip
        if made is not None:
            self.model.plant(Collection(made.pk, period, reference, opens, due))

    @precondition(lambda self: self.model.rounds)
    @rule(pick=PICK, who=DECIDERS)
    def end_round(self, pick: int, who: str) -> None:
        one = self.model.rounds[pick % len(self.model.rounds)]
        row = Round.objects.get(pk=one.pk)
        do = (
            (lambda: do_reopen(row, acting_user=self.world[who], reason="补报"))
            if one.closed
            else (lambda: do_close_round(row, acting_user=self.world[who]))
        )
        self.act(who == "股长", do)
        if who == "股长":
            one.closed = not one.closed

    @precondition(lambda self: self.model.papers)
    @rule(pick=PICK, days=st.sampled_from([-2, 3, 25, 40]), who=st.sampled_from(["股长", "甲填报"]))
    def extend(self, pick: int, days: int, who: str) -> None:
        paper = self.paper(pick)
        until = self.now + dt.timedelta(days=days, seconds=30)
        limit = max(paper.round.due, self.now + dt.timedelta(seconds=1))
        allowed = who == "股长" and paper.state in OWING and until > limit
        self.act(allowed, lambda: do_extend(self.row(paper), until, "停电", acting_user=self.world[who]))
        if allowed:
            paper.extended = until

    # --- records ---------------------------------------------------------------------------------------------------

    @rule(unit=UNITS, period=PERIODS, name=NAMES, pupils=PUPILS)
    def fill(self, unit: str, period: str, name: str, pupils: int) -> None:
        model = self.model
        allowed = (
            model.may_write(unit, period, self.now + dt.timedelta(seconds=1))
            and pupils <= 150
            and not model.has_name(unit, period, name)
        )
        saved = self.act(
            allowed,
            lambda: do_save_record(
                self.stage.row, self.world[unit], self.periods[period], {"name": name, "pupils": str(pupils)},
                acting_user=self.world[f"{unit}填报"],
            ),
        )  # fmt: skip
        if saved is not None:
            assert (saved.is_new, saved.number) == (True, 1)
            model.books[saved.record_id] = Book(
                saved.record_id, unit, period, [({"name": name, "pupils": pupils}, False)]
            )
            model.begin(unit, period)

    def _writable(self, book: Book) -> bool:
        return self.model.may_write(book.unit, book.period, self.now + dt.timedelta(seconds=1)) and not book.deleted

    @precondition(lambda self: self.model.books)
    @rule(pick=PICK, name=NAMES, pupils=PUPILS, back=st.integers(0, 2))
    def mend(self, pick: int, name: str, pupils: int, back: int) -> None:
        """Change a record; `back`: seen so many versions ago, which is a conflict."""
        book = self.book(pick)
        base = max(1, len(book.versions) - back)
        stale = base < len(book.versions)
        new: dict[str, object] = {"name": name, "pupils": pupils}
        free = not self.model.has_name(book.unit, book.period, name, book.pk)
        same = new == book.now
        conflict = self._writable(book) and stale
        allowed = self._writable(book) and pupils <= 150 and not stale and (free or same)
        saved = self.act(
            allowed,
            lambda: do_save_record(
                self.stage.row, self.world[book.unit], self.periods[book.period],
                {"name": name, "pupils": str(pupils)}, record_id=book.pk, base=base,
                acting_user=self.world[f"{book.unit}填报"],
            ),
            silent=conflict or (allowed and same),  # a conflict keeps what was typed as a draft; the same again writes nothing
        )  # fmt: skip
        if saved is not None and not same:
            book.versions.append((new, False))
        if conflict:
            self.model.begin(book.unit, book.period)

    @precondition(lambda self: self.model.books)
    @rule(pick=PICK)
    def delete(self, pick: int) -> None:
        book = self.book(pick)
        allowed = self._writable(book)
        self.act(
            allowed,
            lambda: do_delete_record(
                book.pk, base=len(book.versions), reason="并班", acting_user=self.world[f"{book.unit}填报"]
            ),
        )
        if allowed:
            book.versions.append((dict(book.now), True))

    @precondition(lambda self: any(one.deleted for one in self.model.books.values()))
    @rule(pick=PICK)
    def take_back_deleted(self, pick: int) -> None:
        gone = [one for one in self.model.books.values() if one.deleted]
        book = gone[pick % len(gone)]
        allowed = self.model.may_write(
            book.unit, book.period, self.now + dt.timedelta(seconds=1)
        ) and not self.model.has_name(book.unit, book.period, book.now["name"])
        self.act(allowed, lambda: do_restore_deleted(book.pk, acting_user=self.world[f"{book.unit}填报"]))
        if allowed:
            book.versions.append((dict(book.now), False))
            self.model.begin(book.unit, book.period)  # a round that opened after the deletion had found nothing

    @precondition(lambda self: any(len(one.versions) > 1 for one in self.model.books.values()))
    @rule(pick=PICK, number=st.integers(1, 6))
    def restore_version(self, pick: int, number: int) -> None:
        several = [one for one in self.model.books.values() if len(one.versions) > 1]
        book = several[pick % len(several)]
        there = number <= len(book.versions)
        value = book.versions[number - 1][0]["pupils"] if there else None
        allowed = self._writable(book) and there and value != book.now["pupils"]
        self.act(
            allowed,
            lambda: do_restore_fields(
                book.pk, number, ["pupils"], base=len(book.versions), acting_user=self.world[f"{book.unit}填报"]
            ),
        )
        if allowed:
            book.versions.append(({**book.now, "pupils": value}, False))

    @precondition(lambda self: self.model.books)
    @rule(unit=UNITS, period=PERIODS, pupils=PUPILS, stale=st.booleans())
    def change_many(self, unit: str, period: str, pupils: int, stale: bool) -> None:
        """The same figure into all records of a unit, all or none."""
        books = [one for one in self.model.books.values() if (one.unit, one.period) == (unit, period)]
        bases = {one.pk: len(one.versions) for one in books if not one.deleted}
        moved = stale and any(number > 1 for number in bases.values())
        if moved:
            bases = {pk: max(1, number - 1) for pk, number in bases.items()}
        allowed = bool(bases) and pupils <= 150 and not moved
        allowed = allowed and self.model.may_write(unit, period, self.now + dt.timedelta(seconds=1))
        self.act(
            allowed,
            lambda: do_change_many(bases, {"pupils": str(pupils)}, acting_user=self.world[f"{unit}填报"]),
        )
        if allowed:
            for one in books:
                if not one.deleted and one.now["pupils"] != pupils:
                    one.versions.append(({**one.now, "pupils": pupils}, False))

    @precondition(lambda self: clock.local(self.now).second % 3 == 0)  # seldom: it does not lead far
    @rule(unit=UNITS, period=PERIODS, name=NAMES)
    def draft(self, unit: str, period: str, name: str) -> None:
        allowed = unit not in self.model.ended
        self.act(
            allowed,
            lambda: do_save_draft(
                self.stage.row, self.world[unit], self.periods[period], {"name": name, "pupils": "四十"},
                acting_user=self.world[f"{unit}填报"],
            ),
        )  # fmt: skip
        if allowed:
            self.model.begin(unit, period)

    # --- the way of a filing ---------------------------------------------------------------------------------------

    @precondition(lambda self: self.model.papers)
    @rule(picks=st.lists(PICK, min_size=1, max_size=3), steps=st.integers(1, 4))
    def go_on(self, picks: list[int], steps: int) -> None:
        """What usually comes next for a filing, so that runs get deep: fill, submit, approve, approve."""
        for pick in picks:
            paper = self.paper(pick)
            for _ in range(steps):
                if paper.state in NEXT:
                    self._approve(paper, self.model.approver(paper, paper.state), paper.version)
                elif paper.state in OWING:
                    if not self.model.rows(paper.unit, paper.round.period):
                        self.fill(unit=paper.unit, period=paper.round.period, name="二（2）班", pupils=41)
                    self._submit(paper, self.model.filer(paper) or f"{paper.unit}填报", zero=False)
                self.holds()

    @precondition(lambda self: self.model.papers)
    @rule(pick=PICK, zero=st.sampled_from([False, False, True]), district=st.sampled_from([False, False, True]))
    def submit(self, pick: int, zero: bool, district: bool) -> None:
        paper = self.paper(pick)
        self._submit(paper, f"{DISTRICT_OF[paper.unit] or '东'}学区" if district else f"{paper.unit}填报", zero)

    def _submit(self, paper: Paper, who: str, zero: bool) -> None:
        model = self.model
        right = model.filer(paper) == who
        again = right and paper.state not in OWING and paper.last == ("submit", who, zero)
        full = bool(model.rows(paper.unit, paper.round.period))
        at = self.now + dt.timedelta(seconds=1)
        allowed = right and paper.state in OWING and model.is_open(paper, at) and full != zero
        before = self.entries
        self.act(
            allowed or again,
            lambda: do_submit_filing(self.row(paper), acting_user=self.world[who], zero_report=zero),
            silent=again,
        )
        if again:
            assert self.entries == before
        if allowed:
            model.send(paper, who, zero)

    @precondition(lambda self: self.model.papers)
    @rule(pick=PICK, district=st.sampled_from([False, False, True]))
    def recall(self, pick: int, district: bool) -> None:
        paper, model = self._waiting(pick), self.model
        who = f"{DISTRICT_OF[paper.unit] or '东'}学区" if district else f"{paper.unit}填报"
        allowed = model.filer(paper) == who and paper.state in ("district", "county")
        allowed = allowed and not paper.passed and not paper.opened
        self.act(allowed, lambda: do_recall_filing(self.row(paper), acting_user=self.world[who]))
        if allowed:
            model.recall(paper, who)

    @precondition(lambda self: any(one.state in NEXT for one in self.model.papers))
    @rule(pick=PICK, who=DECIDERS)
    def look(self, pick: int, who: str) -> None:
        waiting = [one for one in self.model.papers if one.state in NEXT]
        paper = waiting[pick % len(waiting)]
        allowed = who == self.model.approver(paper, paper.state)
        self.act(allowed, lambda: do_open_filing(self.row(paper), acting_user=self.world[who]))
        if allowed:
            paper.opened = True

    @precondition(lambda self: self.model.papers)
    @rule(pick=PICK, right=st.sampled_from([True, True, True, False]), who=DECIDERS, stale=st.integers(0, 4))
    def approve(self, pick: int, right: bool, who: str, stale: int) -> None:
        paper = self._waiting(pick)
        if right and paper.state in NEXT:
            who = self.model.approver(paper, paper.state)
        self._approve(paper, who, paper.version - (stale == 1))

    def _approve(self, paper: Paper, who: str, seen: int) -> None:
        allowed = paper.state in NEXT and who == self.model.approver(paper, paper.state) and seen == paper.version
        self.act(allowed, lambda: do_approve_filing(self.row(paper), acting_user=self.world[who], version=seen))
        if allowed:
            self.model.approve(paper, who)

    def _waiting(self, pick: int) -> Paper:
        """Mostly one that waits for a decision, or the machine would hardly ever get to the end of a chain."""
        waiting = [one for one in self.model.papers if one.state in NEXT]
        return waiting[pick % len(waiting)] if waiting and pick % 5 else self.paper(pick)

    @precondition(lambda self: sum(one.state in NEXT for one in self.model.papers) > 1)
    @rule(picks=st.sets(PICK, min_size=1, max_size=4), who=DECIDERS, back=st.booleans(), stale=st.integers(0, 3))
    def decide_many(self, picks: set[int], who: str, back: bool, stale: int) -> None:
        """Approve or return several at once, all or none of those that are still as they were seen."""
        chosen = list({id(one): one for one in (self._waiting(pick) for pick in picks)}.values())
        rows = [self.row(one) for one in chosen]
        seen = {row.pk: row.version - (number == 0 and stale == 1) for number, row in enumerate(rows)}
        papers = chosen[1:] if stale == 1 else chosen
        levels = [(one, one.state if one.state in NEXT else "county") for one in papers]
        able = [one.state in NEXT or (back and one.state == "approved") for one in papers]
        allowed = bool(papers) and all(able) and all(who == self.model.approver(one, level) for one, level in levels)
        person = self.world[who]
        self.act(
            allowed,
            lambda: (
                do_return_filings(rows, reason="核对人数", seen=seen, acting_user=person)
                if back
                else do_approve_filings(rows, seen=seen, acting_user=person)
            ),
        )
        for one in papers if allowed else ():
            (self.model.give_back if back else self.model.approve)(one, who)

    @precondition(lambda self: self.model.rounds)
    @rule(pick=PICK, district=st.sampled_from(["东", "西"]), who=DECIDERS)
    def approve_unit(self, pick: int, district: str, who: str) -> None:
        made = self.model.rounds[pick % len(self.model.rounds)]
        level = "county" if who == "股长" else "district"
        due = [
            one
            for one in self.model.papers
            if one.round is made and DISTRICT_OF[one.unit] == district and not self.model.free(one)
        ]
        passed = ("approved",) if level == "county" else ("approved", "county")
        ready = [one for one in due if one.state == level]
        allowed = bool(ready) and all(one.state == level or one.state in passed for one in due)
        allowed = allowed and who in ("股长", f"{district}学区")
        row = Round.objects.get(pk=made.pk)
        self.act(allowed, lambda: do_approve_unit(row, self.world[district], acting_user=self.world[who]))
        for one in ready if allowed else ():
            self.model.approve(one, who)

    @precondition(lambda self: self.model.papers)
    @rule(pick=PICK, right=st.sampled_from([True, True, False]), who=DECIDERS, cell=st.integers(0, 3))
    def give_back(self, pick: int, right: bool, who: str, cell: int) -> None:
        """退回修改, mostly with a remark at a cell (a cell of another unit is refused)."""
        paper = self._waiting(pick)
        level = paper.state if paper.state in NEXT else "county"
        if right:
            who = self.model.approver(paper, level)
        own = list(self.model.rows(paper.unit, paper.round.period))
        strange = [pk for pk, one in self.model.books.items() if pk not in own]
        cells = strange[:1] if cell == 1 else own[:1] if cell else []
        allowed = (paper.state in NEXT or paper.state == "approved") and who == self.model.approver(paper, level)
        allowed = allowed and not (cell == 1 and strange)
        remarks = [CellRemark("应为 40 名", pk, "pupils") for pk in cells]
        self.act(
            allowed,
            lambda: do_return_filing(self.row(paper), reason="核对人数", acting_user=self.world[who], remarks=remarks),
        )
        if allowed:
            self.model.give_back(paper, who)

    @precondition(lambda self: any(one.passed for one in self.model.papers))
    @rule(pick=PICK, right=st.sampled_from([True, True, False]), who=DECIDERS)
    def withdraw(self, pick: int, right: bool, who: str) -> None:
        """撤回审核: the last approval only, by its own level, while nobody has sent the filing back."""
        passed = [one for one in self.model.papers if one.passed]
        paper = passed[pick % len(passed)]
        if right:
            who = self.model.approver(paper, paper.passed[-1])
        allowed = paper.state not in OWING and who == self.model.approver(paper, paper.passed[-1])
        self.act(allowed, lambda: do_withdraw_approval(self.row(paper), acting_user=self.world[who], reason="再核"))
        if allowed:
            self.model.withdraw(paper, who)

    # --- what always holds -----------------------------------------------------------------------------------------

    @invariant()
    def holds(self) -> None:
        self.filings_are_where_the_model_has_them()
        self.no_version_is_lost_or_changed()
        self.approved_figures_are_those_that_were_approved()
        self.the_rate_is_the_models()
        self.the_trail_is_whole()

    def filings_are_where_the_model_has_them(self) -> None:
        rows = {(one.round_id, one.unit_id): one for one in Filing.objects.all()}
        assert len(rows) == len(self.model.papers)
        for paper in self.model.papers:
            row = rows[paper.round.pk, self.world[paper.unit].pk]
            found = (row.state, row.content, row.approved_content, row.dropped_on is not None, row.version)
            wanted = (paper.state, paper.content, paper.approved, paper.dropped, paper.version)
            assert found == wanted, f"{paper.unit}, round {paper.round.pk}: {found}, wanted {wanted}"
            before = self.seen.get(row.pk)
            assert before is None or before == row.state or (before, row.state) in GRAPH
            self.seen[row.pk] = row.state

    def no_version_is_lost_or_changed(self) -> None:
        found: dict[int, list[RecordVersion]] = {}
        for one in RecordVersion.objects.order_by("record_id", "number"):
            found.setdefault(one.record_id, []).append(one)
        assert {pk: [(one.data, one.deleted) for one in rows] for pk, rows in found.items()} == {
            pk: one.versions for pk, one in self.model.books.items()
        }
        for rows in found.values():
            assert [one.number for one in rows] == list(range(1, len(rows) + 1))
            assert [one.valid_to for one in rows] == [*(one.valid_from for one in rows[1:]), None]

    def approved_figures_are_those_that_were_approved(self) -> None:
        for made in self.model.rounds:
            rows = rows_on(Round.objects.get(pk=made.pk), Basis.APPROVED)
            found = {(one.unit_id, one.record_id): one.data for one in rows}
            wanted = {
                (self.world[paper.unit].pk, pk): row
                for paper in self.model.papers
                if paper.round is made and paper.approved is not None and not paper.dropped
                for pk, row in paper.sent[paper.approved].items()
            }
            assert found == wanted

    def the_rate_is_the_models(self) -> None:
        for made in self.model.rounds:
            with clock.at(self.now):
                board = board_of(Round.objects.select_related("register", "period").get(pk=made.pk), self.world["股长"])
            filed, owed = self.model.rate(made)
            assert (board.filed, board.owed) == (filed, owed)
            tenths = int(Fraction(filed * 1000, owed) + Fraction(1, 2)) if owed else 0
            assert board.rate == (f"{tenths // 10}.{tenths % 10} %" if owed else "—")

    def the_trail_is_whole(self) -> None:
        verdict = audit_chain.verify()
        assert verdict.whole, verdict.sentence


def _forget() -> None:
    registry.forget()
    unit_numbers.forget()
    scope.forget()

"""P01 and P02: comparisons across a tree that changed, and the rows behind them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from bureau.ledgers.registers_for_tests import CONDITIONS, ROSTER, store
from bureau.world import World
from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.access import access_unit
from jiaoheng.bureau.core.actions_units import do_move_unit
from jiaoheng.bureau.core.actions_units_ends import do_close_unit, do_merge_unit, do_split_unit, turn_day
from jiaoheng.bureau.core.models import Period
from jiaoheng.bureau.core.periods import period_of
from jiaoheng.bureau.core.refusals import NotFoundError
from jiaoheng.bureau.core.search import search
from jiaoheng.bureau.core.tree_writing import Seed
from jiaoheng.bureau.core.unit_preview import preview_close, preview_merge
from jiaoheng.bureau.ledgers.access import access_record
from jiaoheng.bureau.ledgers.changes import Change
from jiaoheng.bureau.ledgers.compare import Comparison, Pair, compare, total
from jiaoheng.bureau.ledgers.models import Draft, Filing, Record, RecordVersion, RegisterRow, Round
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.rounds.owing import owed
from jiaoheng.bureau.ledgers.writing import Batch, write

DAY = dt.date(2025, 9, 1)
LAST_YEAR, THIS_YEAR = dt.date(2024, 10, 15), dt.date(2025, 10, 15)
WHY = "县政府批复"


@dataclass
class Book:
    """A register of 教师数 (the figure) and one record a unit and year."""

    world: World
    row: RegisterRow

    def period(self, day: dt.date) -> Period:
        return period_of("year", day)

    def put(self, unit: str, day: dt.date, value: int) -> int:
        """One record, written on its day."""
        period = self.period(day)
        batch = Batch(self.row, schema_of(self.row, day), period, None, "load")

        @audit.action
        def do_put(*, acting_user: object) -> int:
            audit.note("put", actor=None)
            return write(batch, [Change(self.world[unit].pk, {"teachers": value})], day=day)[0].record_id

        with clock.at(dt.datetime.combine(day, dt.time(10), clock.BEIJING)):
            return do_put(acting_user=None)

    def compare(self, unit: str) -> Comparison:
        days = (LAST_YEAR, THIS_YEAR)
        periods = self.period(LAST_YEAR), self.period(THIS_YEAR)
        return compare(self.world[unit], self.row, "teachers", *periods, days=days)

    def total(self, unit: str, day: dt.date, as_of: dt.datetime | None = None) -> Decimal | None:
        return total(self.world[unit], self.row, "teachers", self.period(day), as_of=as_of)[0]


@pytest.fixture
def book(world: World, noon: object) -> Book:
    return Book(world, store(CONDITIONS))


@pytest.fixture
def moved(book: Book) -> Book:
    """P01: S (甲) leaves 东镇 for 西镇; other schools 乙 (东) and 丙 (西)."""
    for unit, value in (("甲", 120), ("乙", 80), ("丙", 200)):
        book.put(unit, LAST_YEAR, value)
    do_move_unit(book.world["甲"], book.world["西"], acting_user=None, day=DAY, reason=WHY)
    for unit, value in (("甲", 130), ("乙", 85), ("丙", 210)):
        book.put(unit, THIS_YEAR, value)
    return book


def shown(pair: Pair | None) -> tuple[str, str, str, str]:
    assert pair is not None
    return pair.before_text, pair.after_text, pair.change_text, pair.percent_text


@pytest.fixture
def later() -> Iterator[None]:
    with clock.at(clock.beijing(2025, 11, 1, 9)):
        yield


def test_p01_figures_keep_the_tree_of_their_day(moved: Book, later: object) -> None:
    assert [moved.total(one, LAST_YEAR) for one in ("东", "西", "县")] == [200, 200, 400]
    assert [moved.total(one, THIS_YEAR) for one in ("东", "西", "县")] == [85, 340, 425]
    then = clock.beijing(2024, 10, 15, 23)
    assert [moved.total(one, LAST_YEAR, then) for one in ("东", "西", "县")] == [200, 200, 400]


def test_p01_the_change_is_marked_and_given_like_for_like(moved: Book, later: object) -> None:
    east = moved.compare("东")
    assert shown(east.as_written) == ("200", "85", "−115", "−57.5 %")
    assert east.mark_text == "口径变化：东镇甲小学 划出"
    assert shown(east.like) == ("80", "85", "+5", "+6.25 %")
    west = moved.compare("西")
    assert west.marks == ("东镇甲小学 划入",)
    assert shown(west.like) == ("320", "340", "+20", "+6.25 %")
    county = moved.compare("县")
    assert not county.scope_changed
    assert shown(county.as_written) == ("400", "425", "+25", "+6.25 %")
    assert "口径变化" in east.sentence
    assert "口径变化" not in county.sentence


def test_p01_the_old_district_opens_last_years_row_only(moved: Book, later: object) -> None:
    rows = {one.period.code: one for one in Record.objects.select_related("period").filter(unit=moved.world["甲"])}
    access_record(moved.world["东学区"], rows["Y2024"].pk)
    with pytest.raises(NotFoundError):
        access_record(moved.world["东学区"], rows["Y2025"].pk)
    access_record(moved.world["西学区"], rows["Y2025"].pk)
    access_unit(moved.world["东学区"], moved.world["甲"].pk)


def test_p01_rows_written_before_a_back_dated_move_are_put_right(book: Book) -> None:
    for unit, value in (("甲", 120), ("乙", 80), ("丙", 200)):
        book.put(unit, LAST_YEAR, value)
    for unit, value in (("甲", 130), ("乙", 85), ("丙", 210)):
        book.put(unit, THIS_YEAR, value)
    with clock.at(clock.beijing(2025, 11, 1)):
        assert book.total("东", THIS_YEAR) == 215
        do_move_unit(book.world["甲"], book.world["西"], acting_user=None, day=DAY, reason=WHY)
        assert [book.total(one, LAST_YEAR) for one in ("东", "西", "县")] == [200, 200, 400]
        assert [book.total(one, THIS_YEAR) for one in ("东", "西", "县")] == [85, 340, 425]
        assert shown(book.compare("东").like) == ("80", "85", "+5", "+6.25 %")


@pytest.fixture
def merged(book: Book) -> Book:
    """P02: 乙 goes into 甲."""
    book.put("甲", LAST_YEAR, 300)
    book.put("乙", LAST_YEAR, 120)
    do_merge_unit(book.world["乙"], book.world["甲"], acting_user=None, day=DAY, reason=WHY)
    book.put("甲", THIS_YEAR, 410)
    return book


def test_p02_the_receivers_change_counts_the_merged_unit(merged: Book, later: object) -> None:
    assert merged.total("甲", LAST_YEAR) == 300
    assert merged.total("乙", LAST_YEAR) == 120
    found = merged.compare("甲")
    assert found.marks == ("东镇乙小学 并入",)
    assert shown(found.like) == ("420", "410", "−10", "−2.38 %")
    assert shown(found.as_written)[3] == "+36.67 %"
    assert found.sentence.endswith("口径变化：东镇乙小学 并入；同口径 420 → 410 名，−10（−2.38 %）")
    gone = merged.compare("乙")
    assert gone.marks == ("并入 东镇甲小学",)
    assert "同口径" not in gone.sentence  # on one tree it has nothing of its own
    district = merged.compare("东")
    assert not district.scope_changed
    assert shown(district.as_written) == ("420", "410", "−10", "−2.38 %")


def test_p02_a_merge_into_another_district(book: Book, later: object) -> None:
    for unit, value in (("甲", 300), ("乙", 120), ("丙", 50)):
        book.put(unit, LAST_YEAR, value)
    do_merge_unit(book.world["乙"], book.world["丙"], acting_user=None, day=DAY, reason=WHY)
    book.put("甲", THIS_YEAR, 310)
    book.put("丙", THIS_YEAR, 160)
    assert book.compare("东").marks == ("东镇乙小学 并入 西镇丙小学",)
    assert shown(book.compare("东").like) == ("300", "310", "+10", "+3.33 %")
    assert shown(book.compare("西").like) == ("170", "160", "−10", "−5.88 %")


def test_p02_rows_of_the_merged_unit_written_before_a_back_dated_merge(book: Book) -> None:
    book.put("甲", THIS_YEAR, 290)
    book.put("乙", THIS_YEAR, 120)
    with clock.at(clock.beijing(2025, 11, 1)):
        do_merge_unit(book.world["乙"], book.world["甲"], acting_user=None, day=DAY, reason=WHY)
        assert book.total("甲", THIS_YEAR) == 410
        assert book.total("东", THIS_YEAR) == 410


def test_a_split_leaves_nothing_like_for_like_but_their_sum(book: Book, later: object) -> None:
    book.put("甲", LAST_YEAR, 300)
    seed = Seed("2199000021", "school", "东镇丁小学", "T01", DAY, kind="211")
    book.world.units["丁"] = do_split_unit(
        book.world["甲"], seed, [book.world["甲102"]], acting_user=None, reason="分校"
    )
    book.put("甲", THIS_YEAR, 200)
    book.put("丁", THIS_YEAR, 110)
    found = book.compare("甲")
    assert found.marks == ("东镇丁小学 分出",)
    assert found.like is None
    assert "不能拆开" in found.sentence
    assert book.compare("丁").marks == ("由 东镇甲小学 分出",)
    assert not book.compare("东").scope_changed
    assert shown(book.compare("东").as_written) == ("300", "310", "+10", "+3.33 %")


def test_nothing_is_not_zero(book: Book, later: object) -> None:
    book.put("甲", THIS_YEAR, 0)
    found = book.compare("甲")
    assert shown(found.as_written) == ("—", "0", "—", "—")
    assert book.compare("西").as_written.after is None


def test_a_closed_school_is_marked(book: Book, later: object) -> None:
    book.put("甲", LAST_YEAR, 300)
    book.put("乙", LAST_YEAR, 20)
    do_close_unit(book.world["乙"], acting_user=None, day=DAY, reason=WHY)
    book.put("甲", THIS_YEAR, 310)
    found = book.compare("东")
    assert found.marks == ("东镇乙小学 撤销",)
    assert shown(found.like) == ("300", "310", "+10", "+3.33 %")


def test_a_renamed_field_and_exact_decimals(world: World, later: object) -> None:
    row = store(CONDITIONS)
    book = Book(world, row)
    book.put("甲", LAST_YEAR, 10)
    area = next(one for one in CONDITIONS.fields if one.name == "area")
    new = (
        *(one for one in CONDITIONS.fields if one.name != "area"),
        replace(area, name="size", renamed_from=("area",)),
    )
    RecordVersion.objects.update(data={"area": "1200.50"})
    store(replace(CONDITIONS, version=2, effective_from=DAY, fields=new))
    book.put("甲", THIS_YEAR, 10)
    RecordVersion.objects.filter(period__code="Y2025").update(data={"size": "1200.75"})
    periods = book.period(LAST_YEAR), book.period(THIS_YEAR)
    found = compare(world["甲"], row, "size", *periods)
    assert shown(found.as_written) == ("1,200.50", "1,200.75", "+0.25", "+0.02 %")


def make_round(book: Book, reference: dt.date, units: str) -> Round:
    made = Round.objects.create(
        register=book.row,
        period=book.period(reference),
        title="2025秋",
        scope_unit=book.world["县"],
        reference_date=reference,
        opens_at=clock.beijing(2025, 9, 1),
        due_at=clock.beijing(2025, 10, 31),
        created_by=book.world["股长"],
        created_at=clock.now(),
    )
    for name in units:
        Filing.objects.create(round=made, unit=book.world[name], district_id=book.world["东"].pk, state="draft")
    return made


def test_p02_draft_and_filing_go_where_the_preview_says(book: Book) -> None:
    round_ = make_round(book, dt.date(2025, 10, 1), "甲乙")
    clerk = book.world["乙填报"]
    Draft.objects.create(
        account=clerk, register=book.row, unit=book.world["乙"], period=round_.period, typed={}, saved_at=clock.now()
    )
    preview = preview_merge(book.world["乙"], book.world["甲"], DAY)
    said = {one.key: (one.count, one.goes) for one in preview.hanging}
    assert said["drafts"] == (1, "转到东镇甲小学，由其填报员接着填")
    assert said["filings"] == (1, "统计时点在 2025-09-01 及以后，退出填报范围")
    assert said["accounts"][0] == 1
    do_merge_unit(book.world["乙"], book.world["甲"], acting_user=None, day=DAY, reason=WHY, basis=preview.basis)
    draft = Draft.objects.get()
    assert (draft.unit, draft.account) == (book.world["甲"], book.world["甲填报"])
    assert "乙填报" in draft.note
    filing = Filing.objects.get(unit=book.world["乙"])
    assert (filing.dropped_on, filing.dropped_why) == (DAY, "东镇乙小学已于 2025-09-01 并入东镇甲小学")
    assert Filing.objects.get(unit=book.world["甲"]).dropped_on is None


def test_p02_a_filing_that_the_receiver_lacks_becomes_its_own(book: Book) -> None:
    make_round(book, dt.date(2025, 10, 1), "乙")
    do_merge_unit(book.world["乙"], book.world["丙"], acting_user=None, day=DAY, reason=WHY)
    filing = Filing.objects.get()
    assert (filing.unit, filing.dropped_on) == (book.world["丙"], None)
    assert (filing.school_id, filing.district_id) == (book.world["丙"].pk, book.world["西"].pk)


def test_filings_follow_a_move(book: Book) -> None:
    make_round(book, dt.date(2025, 10, 1), "甲")
    make_round(book, dt.date(2024, 10, 1), "甲")
    do_move_unit(book.world["甲"], book.world["西"], acting_user=None, day=DAY, reason=WHY)
    rows = Filing.objects.order_by("round__reference_date").values_list("district_id", flat=True)
    assert list(rows) == [book.world["东"].pk, book.world["西"].pk]


def put_pupil(book: Book, row: RegisterRow, unit: str, code: str, at: dt.datetime) -> int:
    batch = Batch(row, schema_of(row), None, None, "load")

    @audit.action
    def do_put(*, acting_user: object) -> int:
        audit.note("put", actor=None)
        change = Change(book.world[unit].pk, {"code": code, "name": f"学生{code}"})
        return write(batch, [change])[0].record_id

    with clock.at(at):
        return do_put(acting_user=None)


def test_a_roster_moves_with_its_school_and_keeps_its_past(book: Book) -> None:
    roster = store(ROSTER)
    record_id = put_pupil(book, roster, "甲", "01", clock.beijing(2024, 9, 5))
    do_move_unit(book.world["甲"], book.world["西"], acting_user=None, day=DAY, reason=WHY)
    old, new = RecordVersion.objects.filter(record_id=record_id).order_by("number")
    assert (old.district_id, new.district_id) == (book.world["东"].pk, book.world["西"].pk)
    assert (old.data, old.valid_to) == (new.data, new.valid_from)
    with pytest.raises(NotFoundError):
        access_record(book.world["东学区"], record_id)
    assert not search(book.world["东学区"], "学生01")
    assert search(book.world["西学区"], "学生01")


def test_a_roster_goes_to_the_receiver_unless_its_key_is_taken(book: Book) -> None:
    roster = store(ROSTER)
    goes = put_pupil(book, roster, "乙", "01", clock.beijing(2024, 9, 5))
    stays = put_pupil(book, roster, "乙", "02", clock.beijing(2024, 9, 5))
    put_pupil(book, roster, "甲", "02", clock.beijing(2024, 9, 5))
    do_merge_unit(book.world["乙"], book.world["甲"], acting_user=None, day=DAY, reason=WHY)
    assert Record.objects.get(pk=goes).unit == book.world["甲"]
    assert Record.objects.get(pk=stays).unit == book.world["乙"]
    newest = RecordVersion.objects.get(record_id=goes, valid_to__isnull=True)
    assert (newest.number, newest.school_id, newest.reason) == (
        2,
        book.world["甲"].pk,
        "东镇乙小学已于 2025-09-01 并入东镇甲小学",
    )


def test_a_roster_waits_for_the_day(book: Book) -> None:
    roster = store(ROSTER)
    record_id = put_pupil(book, roster, "甲", "01", clock.beijing(2024, 9, 5))
    later = dt.date(2025, 10, 1)
    do_move_unit(book.world["甲"], book.world["西"], acting_user=None, day=later, reason=WHY)
    access_record(book.world["东学区"], record_id)
    with clock.at(clock.beijing(2025, 10, 1, 1)):
        turn_day(later)
        access_record(book.world["西学区"], record_id)
        with pytest.raises(NotFoundError):
            access_record(book.world["东学区"], record_id)


def test_rows_of_a_merged_unit_follow_the_receivers_later_move(book: Book) -> None:
    book.put("甲", THIS_YEAR, 290)
    book.put("乙", THIS_YEAR, 120)
    with clock.at(clock.beijing(2025, 11, 1)):
        do_merge_unit(book.world["乙"], book.world["甲"], acting_user=None, day=DAY, reason=WHY)
        do_move_unit(book.world["甲"], book.world["西"], acting_user=None, day=dt.date(2025, 9, 15), reason=WHY)
        assert (book.total("东", THIS_YEAR), book.total("西", THIS_YEAR)) == (None, 410)


def test_a_merge_of_districts(book: Book, later: object) -> None:
    for unit, value in (("甲", 120), ("乙", 80), ("丙", 200)):
        book.put(unit, LAST_YEAR, value)
    do_merge_unit(book.world["东"], book.world["西"], acting_user=None, day=DAY, reason=WHY)
    for unit, value in (("甲", 130), ("乙", 85), ("丙", 210)):
        book.put(unit, THIS_YEAR, value)
    west = book.compare("西")
    assert west.marks == ("东镇学区 并入",)
    assert shown(west.like) == ("400", "425", "+25", "+6.25 %")
    assert not book.compare("县").scope_changed
    assert book.total("东", LAST_YEAR) == 200


def test_the_preview_names_what_was_still_to_be_filed(book: Book) -> None:
    make_round(book, dt.date(2025, 8, 20), "乙")
    merge = {one.key: one.sentence for one in preview_merge(book.world["乙"], book.world["甲"], DAY).hanging}
    assert merge["owed"] == "1 项未报送任务：统计时点在 2025-09-01 之前，尚未报送，并入后不再欠报"
    close = {one.key: one.sentence for one in preview_close(book.world["乙"], DAY).hanging}
    assert close["owed"] == "1 项未报送任务：统计时点在 2025-09-01 之前，尚未报送，转由东镇学区办理"
    do_merge_unit(book.world["乙"], book.world["甲"], acting_user=None, day=DAY, reason=WHY)
    filings = list(Filing.objects.select_related("unit"))
    assert filings[0].dropped_on is None
    assert owed(filings, dt.date(2025, 9, 15)) == []

"""Rows of a file against current records: who is new, changed, the same; what others changed meanwhile stays."""

from __future__ import annotations

from pathlib import Path

from register_kit import AT, judged, register, sheets

from jiaoheng.registers.differences import (
    Conflict,
    Current,
    Differences,
    Matched,
    RowState,
    clashes,
    compare,
    match,
    settle,
)
from jiaoheng.registers.judging import previous_key
from jiaoheng.registers.model import Data, Field, FieldType, Register
from jiaoheng.registers.validation import check_rows, parse_rows


def rooms() -> Register:
    return register(
        Field("n", FieldType.STRING, "编号"),
        Field("teachers", FieldType.INTEGER, "教师数"),
        Field("classes", FieldType.INTEGER, "班级数"),
        key=["n"],
    )


def run(
    cells: dict[str, list[object]], current: list[Current], records: list[str | None], versions: list[int | None]
) -> Differences:
    parsed = parse_rows(rooms(), cells, at=AT)  # type: ignore[arg-type]
    units = ["U1"] * parsed.count
    matched = match(parsed, current, records=records, units=units)
    settle(parsed, matched, versions)
    checked = check_rows(parsed, units=units, base=[one.data if one else None for one in matched.records])
    return compare(checked, matched, current=current, versions=versions)


V3: Data = {"n": "1", "teachers": 45, "classes": 11}
V4: Data = {"n": "1", "teachers": 46, "classes": 11}


def test_p10_a_stale_row_never_undoes_what_another_did() -> None:
    """Made from v3 (45/11), now v4 46/11. The file has 45 unedited and 12: the result is 46/12, no conflict."""
    current = [Current("r1", 4, V4, "U1", older={3: V3})]
    found = run({"n": ["1"], "teachers": [45.0], "classes": [12.0]}, current, ["r1"], [3])
    row = found.rows[0]
    assert row.state is RowState.CHANGED
    assert row.data == {"n": "1", "teachers": 46, "classes": 12}
    assert [(c.field, c.old, c.new) for c in row.changes] == [("classes", 11, 12)]
    assert row.conflicts == ()


def test_p10_the_same_cell_changed_by_both_is_a_conflict() -> None:
    current = [Current("r1", 4, V4, "U1", older={3: V3})]
    found = run({"n": ["1"], "teachers": [47.0], "classes": [12.0]}, current, ["r1"], [3])
    assert found.rows[0].conflicts == (Conflict("teachers", 45, 46, 47),)
    assert found.conflicts == 1
    assert "1 处在您下载之后已被他人改动" in found.sentence(rooms())


def test_without_the_older_data_every_changed_cell_of_a_stale_row_is_shown() -> None:
    found = run({"n": ["1"], "teachers": [45.0], "classes": [12.0]}, [Current("r1", 4, V4, "U1")], ["r1"], [3])
    assert [(c.field, c.theirs, c.mine) for c in found.rows[0].conflicts] == [("teachers", 46, 45), ("classes", 11, 12)]


def test_rows_are_matched_by_record_then_by_key() -> None:
    current = [
        Current("r1", 1, V3, "U1"),
        Current("r2", 1, {"n": "2", "teachers": 5}, "U1"),
        Current("r9", 1, {"n": "9"}, "U1"),
        Current("x", 1, {"n": "3"}, "U2"),
    ]
    found = run(
        {"n": ["7", "2", "3"], "teachers": [45.0, 5.0, 1.0], "classes": [11.0, None, None]},
        current,
        ["r1", None, None],
        [1, None, None],
    )
    assert [row.state for row in found.rows] == [RowState.CHANGED, RowState.SAME, RowState.NEW]
    assert [(c.field, c.old, c.new) for c in found.rows[0].changes] == [("n", "1", "7")]
    assert [one.id for one in found.missing] == ["r9", "x"]


def test_a_copied_or_unknown_record_is_wrong_and_never_a_second_record() -> None:
    current = [Current("r1", 1, V3, "U1")]
    found = run({"n": ["1", "2", "3"]}, current, ["r1", "r1", "gone"], [1, 1, 1])
    assert [row.state for row in found.rows] == [RowState.SAME, RowState.WRONG, RowState.WRONG]
    assert [w.code for row in found.rows for w in row.wrongs] == ["record-twice", "record-unknown"]


def test_a_unique_value_of_a_record_outside_the_file_is_told() -> None:
    one = register(Field("n", FieldType.STRING, "编号"), Field("u", FieldType.STRING, "机身号", unique=True), key=["n"])
    parsed = parse_rows(one, {"n": ["1", "2"], "u": ["a", "b"]}, at=AT)
    current = [Current("r1", 1, {"n": "1", "u": "a"}, "U1"), Current("r2", 1, {"n": "5", "u": "b"}, "U1")]
    assert [(row, w.field) for row, w in clashes(parsed, Matched([current[0], None]), current)] == [(1, "u")]


def test_p05_a_row_of_a_foreign_unit_reads_like_one_that_does_not_exist(tmp_path: Path) -> None:
    """The fourth school's code and a made-up code get the same sentence; nothing of either is stored."""
    rows = [["单位代码", "编号", "教师数"], ["U1", "1", 5], ["U4", "2", 5], ["nothing", "3", 5], ["", "4", 5]]
    found = judged(
        sheets(tmp_path / "a.xlsx", {"表": rows}), rooms(), units={"U1": "甲", "U2": "乙", "U3": "丙"}, unit=""
    )
    told = {p.place.row: (p.code, p.message) for p in found.problems if p.severity == "error"}
    assert told[3] == ("unit-unknown", "无此单位：“U4”")
    assert told[4] == ("unit-unknown", "无此单位：“nothing”")
    assert told[5][0] == "unit-missing"
    assert [row.state for row in found.differences.rows] == [RowState.NEW, *[RowState.WRONG] * 3]


def test_units_by_name_and_a_name_of_two_units_names_neither(tmp_path: Path) -> None:
    rows = [["学校", "编号", "教师数"], ["东镇小学", "1", 5], ["中心小学", "2", 5]]
    units = {"U1": "东镇小学", "U2": "中心小学", "U3": "中心小学"}
    found = judged(sheets(tmp_path / "a.xlsx", {"表": rows}), rooms(), units=units, unit="")
    assert found.units == ("U1", None)


def test_a_record_is_not_moved_by_another_unit_in_its_row(tmp_path: Path) -> None:
    rows = [["记录编号", "记录版本", "单位代码", "编号", "教师数"], ["r1", 1, "U2", "1", 5]]
    current = [Current("r1", 1, {"n": "1", "teachers": 5}, "U1")]
    found = judged(sheets(tmp_path / "a.xlsx", {"表": rows}), rooms(), current, units={"U1": "甲", "U2": "乙"}, unit="")
    assert [p.code for p in found.problems] == ["unit-changed"]


def test_jumps_find_last_periods_record() -> None:
    assert previous_key("U1", {"n": "7"}, ["n"]) == ("U1", "7")

"""Sets of OneRoster 1.2 as files: written and read unchanged; everything wrong told with file and line; no bomb opened."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiaoheng.registers.oneroster.checking import check_roster
from jiaoheng.registers.oneroster.model import TABLES, Mode, RosterError, RosterSet, Row, joined, parted
from jiaoheng.registers.oneroster.reading import read_roster
from jiaoheng.registers.oneroster.writing import write_roster

MOMENT = "2025-09-01T08:00:00.000Z"
WHOLE: dict[str, Row] = {
    "orgs": {"sourcedId": "o1", "name": "县", "type": "local"},
    "academicSessions": {"sourcedId": "s1", "title": "秋", "type": "term", "startDate": "2025-09-01", "endDate": "2026-02-01", "schoolYear": "2026"},
    "courses": {"sourcedId": "k1", "title": "三年级", "orgSourcedId": "o1", "schoolYearSourcedId": "s1"},
    "classes": {"sourcedId": "c1", "title": "一班", "courseSourcedId": "k1", "classType": "homeroom", "schoolSourcedId": "o1", "termSourcedIds": "s1"},
    "users": {"sourcedId": "u1", "enabledUser": "true", "username": "u1", "givenName": "伟", "familyName": "张"},
    "roles": {"sourcedId": "r1", "userSourcedId": "u1", "roleType": "primary", "role": "student", "orgSourcedId": "o1"},
    "enrollments": {"sourcedId": "e1", "classSourcedId": "c1", "schoolSourcedId": "o1", "userSourcedId": "u1", "role": "student"},
}  # fmt: skip


def whole(mode: Mode = Mode.BULK, **changes: Row) -> RosterSet:
    rows = {name: [{**row, **changes.get(name, {})}] for name, row in WHOLE.items()}
    return RosterSet(dict.fromkeys(TABLES, mode), rows)


def archive(path: Path, **files: str | bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, text in files.items():
            out.writestr(f"{name}.csv", text)
    return path


MANIFEST = "propertyName,value\nmanifest.version,1.0\noneroster.version,1.2\n"


def test_a_whole_set_is_whole_and_comes_back(tmp_path: Path) -> None:
    assert check_roster(whole()) == []
    write_roster(tmp_path / "a.zip", whole())
    found = read_roster(tmp_path / "a.zip")
    assert {name: [{k: v for k, v in row.items() if v} for row in rows] for name, rows in found.rows.items()} == {
        name: [row] for name, row in WHOLE.items()
    }
    write_roster(tmp_path / "b.zip", found)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


@pytest.mark.parametrize(
    ("table", "change", "told"),
    [
        ("users", {"sourcedId": ""}, "users.csv 第 2 行：sourcedId 空着"),
        ("users", {"sourcedId": "张"}, "users.csv 第 2 行：sourcedId“张”应是"),
        ("users", {"enabledUser": "yes"}, "users.csv 第 2 行：enabledUser“yes”应为 true 或 false"),
        ("users", {"status": "active"}, "users.csv 第 2 行：status 在 bulk 文件里应空着"),
        ("orgs", {"type": "county"}, "orgs.csv 第 2 行：type“county”应为"),
        ("orgs", {"parentSourcedId": "o9"}, "orgs.csv 第 2 行：parentSourcedId“o9”在 orgs 里没有"),
        ("enrollments", {"role": "pupil"}, "enrollments.csv 第 2 行：role“pupil”应为"),
        ("enrollments", {"beginDate": "2025-13-01"}, "enrollments.csv 第 2 行：beginDate“2025-13-01”不是日期"),
        ("enrollments", {"beginDate": "2025-09-02", "endDate": "2025-09-01"}, "endDate 2025-09-01 早于 beginDate"),
        ("classes", {"termSourcedIds": "s1,s9"}, "classes.csv 第 2 行：termSourcedIds“s9”在 academicSessions 里没有"),
        ("academicSessions", {"schoolYear": "25"}, "schoolYear“25”不是年份"),
    ],
)
def test_what_the_standard_does_not_take(table: str, change: Row, told: str) -> None:
    found = [str(one) for one in check_roster(whole(**{table: change}))]
    assert any(one.startswith(told) or told in one for one in found), found


def test_a_delta_needs_status_and_moment_and_may_point_outside() -> None:
    row = {**WHOLE["enrollments"], "status": "active", "dateLastModified": MOMENT}
    delta = RosterSet({"enrollments": Mode.DELTA}, {"enrollments": [row]})
    known = {name: frozenset({one["sourcedId"]}) for name, one in WHOLE.items()}
    assert check_roster(delta, known) == []
    assert len(check_roster(delta)) == 3
    bare = RosterSet({"enrollments": Mode.DELTA}, {"enrollments": [WHOLE["enrollments"]]})
    assert [one.message for one in check_roster(bare, known)] == [
        "status 在 delta 文件里必填",
        "dateLastModified 在 delta 文件里必填",
    ]
    gone = {"sourcedId": "e1", "status": "tobedeleted", "dateLastModified": MOMENT}
    assert check_roster(RosterSet({"enrollments": Mode.DELTA}, {"enrollments": [gone]}), known) == []


def test_the_same_id_twice_names_both_lines() -> None:
    rows = [WHOLE["orgs"], WHOLE["orgs"]]
    (problem,) = check_roster(RosterSet({"orgs": Mode.BULK}, {"orgs": rows}))
    assert str(problem) == "orgs.csv 第 3 行：sourcedId“o1”与第 2 行相同。请只留一行"


ORGS = "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\n"


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "manifest.csv：压缩包里没有 manifest.csv"),
        ({"manifest": "a,b\n"}, "manifest.csv 第 1 行：第一行应是 propertyName,value"),
        ({"manifest": MANIFEST.replace("1.2", "1.1")}, "manifest.csv 第 3 行：oneroster.version 是“1.1”，应为 1.2"),
        ({"manifest": "propertyName,value\n"}, "manifest.csv：没有 manifest.version"),
        (
            {"manifest": MANIFEST + "file.orgs,bulk\n"},
            "orgs.csv：manifest.csv 写 file.orgs 为 bulk，压缩包里没有这个文件",
        ),
        ({"manifest": MANIFEST + "file.orgs,full\n"}, "manifest.csv 第 4 行：file.orgs 是“full”"),
        ({"manifest": MANIFEST + "file.cats,bulk\n"}, "manifest.csv 第 4 行：OneRoster 1.2 没有“file.cats”"),
        ({"manifest": MANIFEST + "file.orgs,bulk\nfile.orgs,bulk\n", "orgs": ORGS}, "第 5 行：file.orgs 写了两次"),
        ({"manifest": MANIFEST, "orgs": ORGS}, "orgs.csv：在压缩包里，manifest.csv 没有写"),
        ({"manifest": MANIFEST + "file.orgs,absent\n", "orgs": ORGS}, "orgs.csv：在压缩包里，manifest.csv 没有写"),
        ({"manifest": MANIFEST + "file.orgs,bulk\n", "orgs": "sourcedId,name\n"}, "orgs.csv 第 1 行：缺少列 type"),
        ({"manifest": MANIFEST + "file.orgs,bulk\n", "orgs": ORGS.replace("name", "nom")}, "没有这样的列：nom"),
        (
            {"manifest": MANIFEST + "file.orgs,bulk\n", "orgs": ORGS + "o1,,\n"},
            "orgs.csv 第 2 行：有 3 格，列名有 7 个",
        ),
        (
            {"manifest": MANIFEST + "file.orgs,bulk\n", "orgs": ORGS + 'o1,,,"a\nb,local,,\n'},
            "orgs.csv 第 2 行：这一行的引号不成对",
        ),
        (
            {"manifest": MANIFEST + "file.orgs,bulk\n", "orgs": ORGS.encode() + "县".encode("gb18030")},
            "orgs.csv 第 2 行：不是 UTF-8",
        ),
        ({"manifest": MANIFEST + "file.orgs,bulk\n", "orgs": ""}, "orgs.csv 第 1 行：没有列名行"),
        ({"manifest": MANIFEST, **{f"x{n}": "" for n in range(80)}}, "压缩包里有 81 个文件"),
    ],
)
def test_an_archive_that_is_none(tmp_path: Path, files: dict[str, str | bytes], told: str) -> None:
    with pytest.raises(RosterError) as error:
        read_roster(archive(tmp_path / "a.zip", **files))
    assert any(str(one).startswith(told) or told in str(one) for one in error.value.problems), str(error.value)


def test_a_bomb_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from jiaoheng.registers.oneroster import reading

    monkeypatch.setattr(reading, "MOST_BYTES", 1_000_000)
    files = {"manifest": MANIFEST + "file.orgs,bulk\n", "orgs": ORGS + "x" * 2_000_000}
    with pytest.raises(RosterError, match="解开后超过 1 MB"):
        read_roster(archive(tmp_path / "a.zip", **files))
    (tmp_path / "b.zip").write_bytes(b"PK\x03\x04nothing")
    with pytest.raises(RosterError, match="不是可以打开的 zip"):
        read_roster(tmp_path / "b.zip")


def test_lines_are_of_the_file_also_behind_breaks_in_cells(tmp_path: Path) -> None:
    text = ORGS + 'o1,,,"县\n一",local,,\no2,,,乙,bad,,\n'
    found = read_roster(archive(tmp_path / "a.zip", manifest=MANIFEST + "file.orgs,bulk\n", orgs=text))
    assert [str(one).split("：")[0] for one in check_roster(found)] == ["orgs.csv 第 4 行"]


@given(st.text("张王李欧阳司马伟强花a 1", min_size=1, max_size=6).filter(lambda text: text.strip() == text and text))
def test_names_come_together_again(name: str) -> None:
    assert joined(*parted(name)) == name

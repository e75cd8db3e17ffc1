"""Who changed what, when, from what: found by those whose scope it is, said in a sentence; every action has its word."""

from __future__ import annotations

import ast
import datetime as dt
import re
from pathlib import Path

import pytest

import jiaoheng
from bureau.world import World
from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.audit_search import Wanted, find_entries, history_of, verb_of
from jiaoheng.bureau.core.models import Account, AuditEntry, UnitPath
from jiaoheng.packs import load

ACTION = re.compile(r"[a-z_]+([.-][a-z_-]+)*")
WHEN = clock.beijing(2025, 9, 3, 14, 5)


def change(world: World, who: str, unit: str, old: int, new: int, *, at: dt.datetime = WHEN, reason: str = "") -> None:
    with clock.at(at), audit.through("page"):
        audit.note(
            "record.change",
            actor=world[who],
            about=("record", f"r-{unit}", "学校办学条件 2025"),
            unit_id=world[unit].pk,
            changes=[{"field": "teachers", "title": "教师数", "old": old, "new": new}],
            reason=reason,
        )


def units_seen(account: Account, **wanted: object) -> list[int | None]:
    return [line.unit_id for line in find_entries(account, Wanted(**wanted)).lines]  # type: ignore[arg-type]


def test_p22_an_entry_reads_as_a_sentence_of_that_day(world: World) -> None:
    change(world, "甲填报", "甲", 45, 46, reason="新招 1 人")
    world["甲填报"].name = "改名"
    world["甲填报"].save()
    (line,) = find_entries(world["甲校长"], Wanted()).lines
    assert (
        line.sentence
        == "甲填报（东镇甲小学） 2025-09-03 14:05 修改 学校办学条件 2025：把 教师数 由 45 改为 46，因 新招 1 人"
    )
    assert line.door == "网页"
    assert (line.changes[0].old, line.changes[0].new) == ("45", "46")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [(None, 5, "教师数 为 5"), (5, None, "教师数 去掉 5"), (0, 5, "把 教师数 由 0 改为 5"), (False, True, "由 否 改为 是"),
     (["优"], ["优", "良"], "由 优 改为 优、良")],
)  # fmt: skip
def test_blank_and_zero_are_told_apart(world: World, old: object, new: object, told: str) -> None:
    change(world, "甲填报", "甲", old, new)  # type: ignore[arg-type]
    assert told in find_entries(world["局长"], Wanted()).lines[0].sentence


def test_only_the_readers_own_scope(world: World) -> None:
    for who, unit in (("甲填报", "甲"), ("甲班主任", "甲101"), ("乙填报", "乙"), ("丙填报", "丙"), ("股长", "县")):
        change(world, who, unit, 1, 2)
    audit.note("pack.load", actor=None)
    ids = {name: world[name].pk for name in ("甲", "甲101", "乙", "丙", "县")}
    assert set(units_seen(world["甲校长"])) == {ids["甲"], ids["甲101"]}
    assert set(units_seen(world["东学区"])) == {ids["甲"], ids["甲101"], ids["乙"]}
    assert len(units_seen(world["局长"])) == len(units_seen(world["股长"])) == 6
    assert units_seen(world["甲填报"]) == units_seen(world["督学"]) == []
    assert history_of(world["乙填报"], "record", "r-乙") == ()
    assert len(history_of(world["东学区"], "record", "r-乙")) == 1


def test_a_district_reads_what_happened_while_the_school_stood_under_it(world: World) -> None:
    moved = dt.date(2025, 9, 10)
    UnitPath.objects.filter(unit=world["乙"], ancestor=world["东"]).update(ends_on=moved)
    UnitPath.objects.create(unit=world["乙"], ancestor=world["西"], depth=1, starts_on=moved)
    change(world, "乙填报", "乙", 1, 2, at=clock.beijing(2025, 9, 9, 23, 59))
    change(world, "乙填报", "乙", 2, 3, at=clock.beijing(2025, 9, 10, 0, 1))
    east, west = find_entries(world["东学区"], Wanted()).lines, find_entries(world["西学区"], Wanted()).lines
    assert [line.changes[0].new for line in east] == ["2"]
    assert [line.changes[0].new for line in west] == ["3"]


def test_finding_by_person_object_action_and_days(world: World) -> None:
    change(world, "甲填报", "甲", 1, 2, at=clock.beijing(2025, 9, 3, 0, 0))
    change(world, "甲校长", "甲", 2, 3, at=clock.beijing(2025, 9, 3, 23, 59, 59))
    change(world, "乙填报", "乙", 3, 4, at=clock.beijing(2025, 9, 4, 0, 0))
    audit.note("sign_in", actor=world["乙填报"])
    leader = world["局长"]
    day = dt.date(2025, 9, 3)

    def news(**wanted: object) -> list[str]:
        found = find_entries(leader, Wanted(**wanted)).lines  # type: ignore[arg-type]
        return [line.changes[0].new for line in found if line.changes]

    assert news(since=day, until=day) == ["3", "2"]
    assert news(since=dt.date(2025, 9, 4)) == ["4"]
    assert news(person="甲校长") == ["3"]
    assert news(person="U006") == ["2"]
    assert news(account_id=world["乙填报"].pk) == ["4"]
    assert news(object_type="record", object_id="r-乙") == ["4"]
    assert news(unit_id=world["甲"].pk, action="record.change") == ["3", "2"]
    assert news(object_name="办学条件", person="无此人") == []
    assert len(find_entries(leader, Wanted(action="sign_in")).lines) == 1


def test_paging_by_number_shows_each_entry_once(world: World) -> None:
    for number in range(25):
        change(world, "甲填报", "甲", number, number + 1)
    seen: list[int] = []
    before: int | None = None
    for _ in range(5):
        page = find_entries(world["局长"], Wanted(before=before), limit=10)
        seen += [line.number for line in page.lines]
        change(world, "甲填报", "甲", 0, 9)
        before = page.next
        if before is None:
            break
    assert seen == list(range(25, 0, -1))


def notes_of(tree: ast.AST) -> set[str]:
    """Every action named in a file: among the first two arguments of a call of …note, or given as `action=`."""
    found: set[str] = set()
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        given = [pair.value for pair in call.keywords if pair.arg == "action"]
        if name.endswith(("note", "note_try")):
            given += call.args[:2]
        for value in given:
            texts = [part.value for part in ast.walk(value) if isinstance(part, ast.Constant)]
            found |= {text for text in texts if isinstance(text, str) and ACTION.fullmatch(text)}
    return found


def test_every_action_of_the_program_has_a_word() -> None:
    used: set[str] = set()
    for path in (Path(jiaoheng.__file__).parent / "bureau").rglob("*.py"):
        used |= notes_of(ast.parse(path.read_text(encoding="utf-8")))
    assert {"account.add", "sign_in.failed", "record.change", "filing.return"} <= used
    words = load("audit_words")["actions"]
    assert sorted(used - set(words)) == [], "words missing in packs/audit_words.yaml"
    assert verb_of("nobody.knows") == "nobody.knows"
    assert AuditEntry._meta.get_field("action").max_length >= max(map(len, words))

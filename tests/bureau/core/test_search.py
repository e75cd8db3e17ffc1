"""P24: search for two characters, with the same answers on both databases."""

from __future__ import annotations

import pytest

from bureau.world import START, World
from jiaoheng.bureau.core.models import Account, SearchEntry, SearchGram, Unit
from jiaoheng.bureau.core.search import Group, drop, index_accounts, index_records, index_units, search
from jiaoheng.bureau.core.tree import Line, lines_at
from jiaoheng.bureau.core.tree_writing import Seed, plant
from jiaoheng.methods.grams import words_of


@pytest.fixture
def indexed(world: World, noon: object) -> World:
    planted = plant([Seed("2199000009", "school", "东镇第二小学", "T01", START, kind="211")])
    world.units["二小"] = planted["2199000009"]
    index_units(Unit.objects.all())
    lines = lines_at([world["甲"].pk, world["丙"].pk], START)
    east, west = lines[world["甲"].pk], lines[world["丙"].pk]
    people = [(1, "张伟强", ["G1"], west), (2, "张伟", ["G2"], east), (3, "李张伟", [], west), (4, "王芳", [], west)]
    index_records("pupils", people)
    return world


def names(groups: list[Group], kind: str = "record") -> list[str]:
    return [hit.name for group in groups if group.kind == kind for hit in group.hits]


def test_p24_two_characters_one_character_and_parts(indexed: World) -> None:
    head = indexed["局长"]
    assert names(search(head, "张伟")) == ["张伟", "张伟强", "李张伟"]
    assert set(names(search(head, "伟"))) == {"张伟", "张伟强", "李张伟"}
    assert names(search(head, "二小学"), "unit") == ["东镇第二小学"]
    assert names(search(head, "第二"), "unit") == ["东镇第二小学"]


def test_p24_every_word_must_be_there(indexed: World) -> None:
    head = indexed["局长"]
    assert names(search(head, "张伟 东镇")) == ["张伟"]
    assert names(search(head, "东镇 张伟")) == ["张伟"]
    assert search(head, "王芳 赵") == []
    assert names(search(head, "张　伟")) == ["张伟", "张伟强", "李张伟"]


def test_p24_only_ones_own_units(indexed: World) -> None:
    assert names(search(indexed["东学区"], "张伟")) == ["张伟"]
    assert names(search(indexed["西学区"], "张伟")) == ["张伟强", "李张伟"]
    assert names(search(indexed["西学区"], "东镇"), "unit") == []
    assert search(indexed["甲教师"], "张伟") == []  # a teacher reads other registers than the pupils


def test_initials_and_codes(indexed: World) -> None:
    head = indexed["局长"]
    assert names(search(head, "zw")) == ["张伟", "张伟强", "李张伟"]
    assert names(search(head, "dzdexx"), "unit") == ["东镇第二小学"]
    assert names(search(head, "21990000"), "unit")
    assert names(search(head, "2199000009"), "unit") == ["东镇第二小学"]
    assert names(search(head, "g2")) == ["张伟"]
    assert search(head, "，。") == []


def test_people_are_found_by_those_who_manage_them(indexed: World) -> None:
    index_accounts(Account.objects.all())
    assert names(search(indexed["管理员"], "甲填报"), "account") == ["甲填报"]
    assert names(search(indexed["局长"], "甲填报"), "account") == []
    closed = indexed["甲填报"]
    closed.closed_at = closed.created_at
    index_accounts([closed])
    assert names(search(indexed["管理员"], "甲填报"), "account") == []


def test_again_and_out(indexed: World) -> None:
    before = SearchEntry.objects.count()
    index_records("pupils", [(2, "张薇", [], Line(indexed["甲"].pk, county_id=indexed["县"].pk))])
    assert SearchEntry.objects.count() == before
    assert names(search(indexed["局长"], "张薇")) == ["张薇"]
    assert "张伟" not in names(search(indexed["局长"], "张伟"))
    drop("record", [1, 2, 3, 4])
    assert search(indexed["局长"], "张伟") == []
    assert not SearchGram.objects.exclude(entry__in=SearchEntry.objects.all()).exists()


@pytest.mark.parametrize("query", ["张", "伟强", "zw", "张 伟", "李 伟", "甲小学", "东 小", "一1", "w"])
def test_the_index_finds_what_reading_every_name_finds(indexed: World, query: str) -> None:
    """The same words looked for in every name by brute force."""
    found = {name for kind in ("unit", "record") for name in names(search(indexed["局长"], query, 100), kind)}
    words = words_of(query)
    if query.isascii():
        expected = {e.name for e in SearchEntry.objects.all() if _initials(e, query)}
    else:
        expected = {e.name for e in SearchEntry.objects.all() if all(word in e.folded for word in words)}
    assert expected <= found


def _initials(entry: SearchEntry, query: str) -> bool:
    initials = entry.folded.split("\n\n")[1].split("\n")
    return any(one.startswith(query) if len(query) == 1 else query in one for one in initials)


def test_limit_says_that_more_are_there(indexed: World) -> None:
    line = lines_at([indexed["甲"].pk], START)[indexed["甲"].pk]
    index_records("pupils", [(100 + n, f"赵{'子丑寅卯辰'[n % 5]}{n}", [], line) for n in range(60)])
    group = search(indexed["局长"], "赵", 20)[0]
    assert (len(group.hits), group.more) == (20, True)

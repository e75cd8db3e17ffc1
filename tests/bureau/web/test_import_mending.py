"""The second step of an import with many mistakes: rules over several cells, equal mistakes, pages, filters, kept mends."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bureau.ledgers import import_kit as kit
from bureau.ledgers.import_kit import now_stands
from bureau.ledgers.registers_for_tests import GRADES, store
from bureau.web.test_import_pages import fields_of, signed, text, upload
from bureau.world import START, World
from jiaoheng.bureau.core.models import AuditEntry
from jiaoheng.bureau.core.refusals import NotFoundError
from jiaoheng.bureau.ledgers.imports.answers import Said
from jiaoheng.bureau.ledgers.imports.review import review_of
from jiaoheng.bureau.ledgers.imports.review_fixes import Asked
from jiaoheng.bureau.ledgers.imports.review_questions import answers_of_all, question_page
from jiaoheng.bureau.ledgers.imports.sheet_lines import EMPTY, Stored
from jiaoheng.bureau.ledgers.imports.starting import preview_of
from jiaoheng.bureau.ledgers.models import ImportBatch, Record
from jiaoheng.registers.model import Field, FieldType, Level, PeriodKind, Register, RowCheck, Sensitive

pytestmark = pytest.mark.django_db
HEADS = ["编号", "等级", "教师数", "班级数", "电话"]
CLUBS = Register(
    "t_clubs",
    "社团台账",
    1,
    START,
    Level.SCHOOL,
    PeriodKind.NONE,
    (
        Field("code", FieldType.STRING, "编号", required=True, identity=True),
        Field("grade", FieldType.STRING, "等级", codes="test_grade"),
        Field("teachers", FieldType.INTEGER, "教师数", unit="名"),
        Field("classes", FieldType.INTEGER, "班级数", unit="个"),
        Field("phone", FieldType.STRING, "电话", sensitive=Sensitive.PHONE, max_length=11),
    ),
    key=("code",),
    tables={"test_grade": GRADES},
    checks=(
        RowCheck("enough", "teachers >= classes", "教师 {teachers} 名少于班级 {classes} 个", fields=("teachers",)),
        RowCheck("most", "classes <= 100", "班级 {classes} 个太多"),
    ),
)


@pytest.fixture
def clubs(world: World, noon: Any) -> Any:
    return store(CLUBS)


@pytest.fixture
def web(world: World, clubs: Any) -> Client:
    return signed(world["甲填报"])


def brought_in(web: Client, world: World, rows: list[list[Any]]) -> str:
    answer = upload(web, world, kit.sheet([HEADS, *rows]), register="t_clubs")
    assert answer.status_code == 303, answer.content.decode()
    return str(answer["Location"])


def batch_of(address: str) -> ImportBatch:
    return ImportBatch.objects.get(pk=int(address.rstrip("/").rpartition("/")[2]))


def place(address: str, cell: str) -> str:
    """The place key of a cell of the only sheet."""
    found = next(one.place for one in preview_of(batch_of(address)).problems if one.place.row)
    return f"{found.sheet_key}|{cell}"


def rows(count: int, grade: Any = "甲级", teachers: Any = 5, classes: Any = 2) -> list[list[Any]]:
    return [[f"A{number:03d}", grade, teachers, classes, None] for number in range(count)]


@pytest.mark.parametrize(("cell", "value"), [("C2", "9"), ("D2", "1")])
def test_a_rule_between_two_cells_is_mended_at_either_of_them(
    web: Client, world: World, clubs: Any, cell: str, value: str
) -> None:
    address = brought_in(web, world, [["A1", "甲级", 3, 7, None]])
    page = text(web.get(address))
    assert page.count('class="fix"') == 1
    assert page.count("教师 3 名少于班级 7 个") == 1
    sent = fields_of(page)
    names = [name for name in sent if name.startswith("cell-")]
    assert [(name.rpartition("|")[2], sent[name]) for name in names] == [("C2", "3"), ("D2", "7")]
    assert ">C2 教师数</label>" in page
    assert ">D2 班级数</label>" in page
    done = web.post(f"{address}answer", {**sent, f"cell-{place(address, cell)}": value})
    assert done["Location"].endswith("?step=confirm")
    web.post(f"{address}confirm")
    [row] = now_stands(clubs)
    assert (row["teachers"], row["classes"]) == ((9, 7) if cell == "C2" else (3, 1))


def test_two_rules_over_one_cell_are_one_entry_with_both_sentences(web: Client, world: World) -> None:
    address = brought_in(web, world, [["A1", "甲级", 200, 300, None]])
    page = text(web.get(address))
    assert page.count('class="fix"') == 1
    assert "教师 200 名少于班级 300 个" in page
    assert "班级 300 个太多" in page
    assert page.count(f'name="cell-{place(address, "C2")}"') == 1


def test_a_cell_that_no_rule_of_its_row_names_is_not_taken(web: Client, world: World) -> None:
    address = brought_in(web, world, [["A1", "甲级", 3, 7, None], ["A2", "甲级", 5, 2, None]])
    refused = web.post(f"{address}answer", {f"cell-{place(address, 'D3')}": "1", f"was-{place(address, 'D3')}": "2"})
    assert refused.status_code == 400
    assert "不在要改正的格子里" in text(refused)


def test_one_choice_mends_every_cell_with_the_same_wrong_word(web: Client, world: World, clubs: Any) -> None:
    address = brought_in(web, world, [*rows(120, "优等"), ["B1", "差等", 5, 2, None], ["B2", "甲级", 5, 2, None]])
    page = text(web.get(address))
    assert page.count('class="fix"') == 2  # one for 优等, one for 差等
    assert "同样的共 <b>120 格</b>" in page
    assert "120 格都改为" in page
    assert "<option>良好</option>" in page  # the choices of the day
    assert "<option>丙级</option>" not in page  # ended
    first, other = place(address, "B2"), place(address, "B122")
    sent = {f"same-{first}": "良好", f"was-{first}": "优等", f"cell-{other}": "甲级", f"was-{other}": "差等"}
    done = web.post(f"{address}answer", sent)
    assert done["Location"].endswith("?step=confirm"), text(web.get(address))
    assert "其中 121 格按您在本页改的写入" in text(web.get(done["Location"]))
    web.post(f"{address}confirm")
    assert sorted(row["grade"] for row in now_stands(clubs)) == ["A", "A", *["B"] * 120]


def test_a_group_is_mended_one_by_one_where_the_cells_differ(web: Client, world: World) -> None:
    address = brought_in(web, world, rows(60, "优等"))
    first = place(address, "B2")
    each = f"{address}?{urlencode({'each': first})}"
    page = text(web.get(each))
    assert page.count('class="fix"') == 50
    assert "第 1—50 项，共 60 项" in page
    assert f'name="cell-{first}"' in page
    assert text(web.get(f"{each}&fixes=2")).count('class="fix"') == 10


def test_repeated_keys_and_protected_values_are_never_mended_together(web: Client, world: World) -> None:
    twice = [["A1", "甲级", 5, 2, None], ["A1", "甲级", 5, 2, None], ["A1", "甲级", 5, 2, None]]
    secret = [["B1", "甲级", 5, 2, "138001380001"], ["B2", "甲级", 5, 2, "138001380001"]]
    page = text(web.get(brought_in(web, world, [*twice, *secret])))
    assert "same-" not in page
    assert page.count('class="fix"') == 4
    assert "138001380001" not in page


def test_a_group_that_is_not_there_is_refused(web: Client, world: World) -> None:
    address = brought_in(web, world, rows(3, "优等"))
    key = place(address, "C9")
    assert web.post(f"{address}answer", {f"same-{key}": "良好", f"was-{key}": "优等"}).status_code == 400


def test_pages_and_filters_count_and_keep_what_was_mended(web: Client, world: World, clubs: Any) -> None:
    wrong = [[f"A{number:03d}", "甲级", f"约{number}", 2, None] for number in range(70)]
    address = brought_in(web, world, [*wrong, ["B1", "优等", 5, 2, None], ["B2", "甲级", 1, 2, None]])
    page = text(web.get(address))
    assert "有误 72 格" in page
    assert page.count('class="fix"') == 50
    assert "第 1—50 项，共 72 项" in page
    for words in ("数不对 70", "不在可选范围 1", "几项对不上 1", "教师数 71", "等级 1"):
        assert words in page
    only = text(web.get(f"{address}?wrong=code"))
    assert only.count('class="fix"') == 1
    assert "“优等”不在可选范围" in only
    assert text(web.get(f"{address}?wrong=rule&column=教师数")).count('class="fix"') == 1
    assert text(web.get(f"{address}?wrong=nothing")).count('class="fix"') == 0

    sent = fields_of(page)
    first = next(name for name in sent if name.startswith("cell-"))
    turned = web.post(f"{address}answer", {**sent, first: "9", "go": "fixes=2&evil=1&next=//x"})
    assert turned["Location"] == f"{address}?fixes=2"
    second = text(web.get(turned["Location"]))
    assert "第 51—72 项，共 72 项" in second
    assert "已改 1 格，还没核对" in second
    back = web.post(f"{address}answer", {**fields_of(second), "go": "fixes=1"})
    again = fields_of(text(web.get(back["Location"])))
    assert again[first] == "9"
    assert Said.of(batch_of(address).answers).kept
    assert not Record.objects.filter(register=clubs).exists()

    # nothing more changed on this page: what was kept is judged all the same
    judged = web.post(f"{address}answer", again)
    assert judged["Location"] == address
    assert "有误 71 格" in text(web.get(address))
    assert not Said.of(batch_of(address).answers).kept
    assert AuditEntry.objects.filter(action="import.answer").count() == 2


def test_every_page_together_holds_every_wrong_cell_once(web: Client, world: World) -> None:
    address = brought_in(web, world, [[f"A{number:03d}", "甲级", f"约{number}", 2, None] for number in range(230)])
    names: list[str] = []
    for number in range(1, 6):
        names += [name for name in fields_of(text(web.get(f"{address}?fixes={number}"))) if name.startswith("cell-")]
    assert len(names) == len(set(names)) == 230
    assert len(review_of(batch_of(address), fixes=Asked(number="99")).fixes.fixes) == 30  # the nearest page


def test_a_kept_mend_is_judged_before_anything_is_written(web: Client, world: World, clubs: Any) -> None:
    address = brought_in(web, world, [["A1", "优等", 5, 2, None]])
    key = place(address, "B2")
    web.post(f"{address}answer", {f"cell-{key}": "甲级", f"was-{key}": "优等", "go": "fixes=1"})
    told = web.post(f"{address}confirm")
    assert told.status_code == 303
    assert not Record.objects.filter(register=clubs).exists()
    assert "确认导入 1 条" in text(web.get(f"{address}?step=confirm"))


def test_questions_alike_are_answered_at_once() -> None:
    asked = [
        {
            "key": ["conflict", str(number), "points", "2"],
            "text": f"“生{number}”用哪个？",
            "place": f"E{number}",
            "default": "theirs",
            "choices": [["theirs", f"留现在的 {number}"], ["mine", f"用文件中的 {number + 1}"]],
            "code": "cell-moved",
        }
        for number in range(120)
    ]
    other = {"key": ["x"], "text": "哪一列？", "place": "", "default": "忽略", "choices": [["忽略", "不导入这一列"]],
             "code": "column-unknown"}  # fmt: skip
    lines = Stored({}, [], [], {}, {}, {}, [*asked, other], 0)
    waiting = frozenset(tuple(one["key"]) for one in [*asked, other])
    page = question_page(lines, waiting, {}, "", 1)
    assert [one.words for one in page.at_once] == ["这 120 个都留现在的", "这 120 个都用文件中的"]
    assert [(one.words, one.count) for one in page.kinds] == [("下载之后被他人改过", 120), ("认不出的列", 1)]
    assert (len(page.questions), page.words) == (50, "第 1—50 个，共 121 个")
    assert len(question_page(lines, waiting, {}, "column-unknown", 1).questions) == 1
    everything = {one.name for number in (1, 2, 3) for one in question_page(lines, waiting, {}, "", number).questions}
    assert len(everything) == 121
    answers = answers_of_all(lines, waiting, "cell-moved|mine")
    assert len(answers) == 120
    assert set(answers.values()) == {"mine"}
    for wrong in ("cell-moved|other", "column-unknown|忽略", "", "x"):
        with pytest.raises(NotFoundError):
            answers_of_all(lines, waiting, wrong)
    assert not question_page(EMPTY, frozenset(), {}, "", 1)


def test_the_page_asks_as_many_questions_for_many_mistakes_as_for_one(web: Client, world: World) -> None:
    def count(address: str) -> int:
        web.get(address)
        with CaptureQueriesContext(connection) as asked:
            assert web.get(address).status_code == 200
        return len(asked)

    few = brought_in(web, world, [["A1", "优等", "约1", 2, None]])
    many = brought_in(web, world, [[f"A{number:03d}", f"优{number}", f"约{number}", 2, None] for number in range(300)])
    assert count(many) == count(few) <= 15
    assert len(web.get(many).content) < 150_000


def test_the_address_of_a_filter_is_escaped(web: Client, world: World) -> None:
    address = brought_in(web, world, [*rows(3, "优等"), ["B1", "甲级", "约", 2, None]])
    page = text(web.get(address))
    sent = [html.unescape(one) for one in re.findall(r'name="go" value="([^"]*)"', page)]
    assert any(one.startswith("column=") or "&column=" in one for one in sent)
    turned = web.post(f"{address}answer", {"go": next(one for one in sent if "column=" in one)})
    assert text(web.get(turned["Location"])).count('aria-pressed="true"') == 1

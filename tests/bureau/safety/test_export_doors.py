"""Every door that gives a workbook out: what runs nothing, what is masked, and what a stranger gets."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.test import Client

from bureau.ledgers import import_kit as kit
from bureau.ledgers.registers_for_tests import ROSTER, store
from bureau.safety.test_bad_input import EVIL, count_of_texts, put, runs
from bureau.world import World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.files import open_file
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.refusals import ForbiddenError, NotFoundError
from jiaoheng.bureau.ledgers.imports.files import plain
from jiaoheng.bureau.ledgers.imports.marked import do_take_marked
from jiaoheng.bureau.ledgers.models import Filing, Round
from jiaoheng.bureau.ledgers.rounds.actions import do_merge, do_open_round
from jiaoheng.bureau.ledgers.templates import make_template

pytestmark = pytest.mark.django_db
NUMBER = "990000201204070001"
MASKED = "990000********0001"


@pytest.fixture
def roster(world: World, noon: Any) -> Any:
    from jiaoheng.bureau.core.calendar import seed_calendar

    seed_calendar(range(2025, 2027))
    made = store(ROSTER)
    rows = [
        {"code": str(number), "name": text, "class_name": text, "id_number": NUMBER}
        for number, text in enumerate(EVIL, 1)
    ]
    put(rows, world["甲"], acting_user=world["甲填报"])
    return made


@pytest.fixture
def round_(world: World, roster: Any) -> Round:
    now = clock.now()
    return do_open_round(
        roster, None, "=cmd|' /C calc'!A0", world["县"], [], clock.today(), now, now + (clock.beijing(2025, 10, 1) - now),
        acting_user=world["股长"], note="@SUM(A1)",
    )  # fmt: skip


def signed(account: Account) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    return client


def texts(data: bytes) -> str:
    book = openpyxl.load_workbook(io.BytesIO(data))
    return "\n".join(str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.value)


def merged(world: World, round_: Round, who: str = "股长") -> bytes:
    with plain(do_merge(round_, acting_user=world[who])) as path:
        return path.read_bytes()


def template(world: World, roster: Any, tmp_path: Path, who: str = "甲填报", unit: str = "甲") -> bytes:
    path = tmp_path / f"{who}.xlsx"
    make_template(path, roster, world[unit], account=world[who])
    return path.read_bytes()


def marked(world: World, roster: Any) -> Any:
    """A workbook with faults and with texts that would run, marked and taken away."""
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active.append(kit.HEADS)
    for line, text in enumerate(EVIL, 2):
        for column, value in enumerate((text, text, text, "不是数"), 1):
            book.active.cell(line, column, value).data_type = "s"  # text, as a person's program stores it
    book.save(out)
    out.seek(0)
    return do_take_marked(kit.start(world, roster, (out, "表.xlsx")), acting_user=world["甲填报"])


def test_a_merged_workbook_runs_nothing_and_shows_no_full_number(world: World, round_: Round) -> None:
    data = merged(world, round_)
    assert count_of_texts(data, "xlsx") >= len(EVIL)
    assert runs(data, "xlsx") == []
    assert NUMBER not in texts(data)
    assert texts(data).count(MASKED) == len(EVIL)


def test_a_template_runs_nothing_and_shows_no_full_number(
    world: World, roster: Any, round_: Round, tmp_path: Path
) -> None:
    data = template(world, roster, tmp_path)
    assert count_of_texts(data, "xlsx") >= len(EVIL)
    assert runs(data, "xlsx") == []
    assert NUMBER not in texts(data)
    assert MASKED in texts(data)


def test_a_marked_workbook_adds_nothing_that_runs(world: World, roster: Any) -> None:
    """It is the sender's own file: what he wrote as text stays text, what we write beside it begins with no sign."""
    made = marked(world, roster)
    data = open_file(world["甲填报"], made.pk).read()
    assert count_of_texts(data, "xlsx") >= len(EVIL)
    assert runs(data, "xlsx") == []


def test_a_stranger_merges_only_what_he_reads(world: World, round_: Round) -> None:
    """The district of another school gets none of its rows; a school is told where its own are."""
    told = texts(merged(world, round_, "西学区"))
    assert "东镇甲小学" not in told
    assert MASKED not in told
    with pytest.raises(ForbiddenError):
        do_merge(round_, acting_user=world["乙填报"])


@pytest.mark.parametrize("who", ["乙填报", "西学区", "丙填报"])
def test_a_stranger_gets_no_template_of_a_school(world: World, roster: Any, tmp_path: Path, who: str) -> None:
    with pytest.raises((NotFoundError, ForbiddenError)):
        template(world, roster, tmp_path, who)
    client = signed(world[who])
    theirs = client.get("/ledgers/t_roster/template", {"unit": world["甲"].pk})
    none = client.get("/ledgers/t_roster/template", {"unit": 424242424})
    assert theirs.status_code == none.status_code
    assert theirs.status_code >= 400


@pytest.mark.parametrize("who", ["乙填报", "甲教师", "东学区", "股长"])
def test_a_marked_or_merged_file_belongs_to_who_made_it(world: World, roster: Any, round_: Round, who: str) -> None:
    mine = [marked(world, roster).pk]
    if who != "股长":
        mine.append(do_merge(round_, acting_user=world["股长"]).pk)
    for pk in mine:
        with pytest.raises(NotFoundError):
            open_file(world[who], pk)
        answer = signed(world[who]).get(f"/files/{pk}")
        assert answer.status_code == 404
    assert Filing.objects.filter(round=round_).exists()

"""Lists, choosers, counts, search, downloads: nothing of another side; ids in queries and posts: as if they were missing."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from bureau.web.walk_kit import ask, entered, own_unit
from bureau.web.walk_stage import ACTORS, ID_NUMBERS, MARKS, MISSING, Ground
from bureau.web.walk_table import COUNTY, DISTRICT, ROUTES, SCHOOL, Route, may, reads
from jiaoheng.bureau.core.capabilities import ROLES, Can

pytestmark = pytest.mark.django_db
_SCHOOLS = {"甲": "东镇甲小学", "乙": "东镇乙小学", "丙": "西镇丙小学"}
_OWN = ("草稿", "视图", "新生", ".xlsx", ".csv")  # endings of what belongs to one person


def pages(ground: Ground, role: str) -> list[str]:
    """Addresses that list or offer things."""
    registers = ("classes", "staffing", "roster", "activities", "class_book")
    words = [*MARKS.values(), "记号", "填报", "小学", "西镇"]
    own = own_unit(ground, role)
    found = ["/", "/ledgers/", "/rounds/", "/rounds/new", "/units/", "/people/", "/people/new", "/audit/", "/exams/"]
    found += ["/me", "/codes/", "/calendar/", "/ledgers/make", "/people/import", "/units/new", f"/units/{own}/"]
    found += [f"/search?{urlencode({'q': word})}" for word in words]
    found += [f"/ledgers/{name}/{tail}" for name in registers for tail in ("?period=all", "about")]
    found += [
        f"/ledgers/{name}/{tail}" for name in ("roster", "classes") for tail in ("new", "import", f"new?unit={own}")
    ]
    found += [f"/ledgers/roster/?{urlencode({'q': '记号'})}", "/ledgers/roster/?as_of=2025-10-20"]
    found += [f"/rounds/{pk}/{tail}" for pk in ground.things["round"].values() for tail in _BOARD]
    found += ["/rounds/new?register=roster", "/rounds/new?register=activities"]
    found += [f"/people/?{urlencode({'q': '填报'})}", "/people/?closed=1", f"/audit/?{urlencode({'who': '填报'})}"]
    return found


_BOARD = ("", "?show=all", "?show=late", "?show=all&sort=-unit", "reminders", "deadline", "decide?what=approve")


def foreign_words(role: str, *, trail: bool = False) -> list[str]:
    """Words that no page may hold for a role; the trail of one's own units names what their people did."""
    words = []
    for side, mark in MARKS.items():
        if side == "西":
            words += [] if role in COUNTY else [mark]
            continue
        if side == "甲101":
            words += [] if reads(role, "book", side) else [mark]
            continue
        if not reads(role, "record", side):
            words += [f"{mark}生", f"{mark}1班"]
        if not reads(role, "deed", side):
            words += [f"{mark}活动"]
        if not reads(role, "unit", side):
            words += [_SCHOOLS[side]] if side != "甲" else []  # a class's page names its school
        if not reads(role, "draft", side) and not (trail and reads(role, "record", side)):
            words += [f"{mark}{ending}" for ending in _OWN]
    return words


@pytest.mark.parametrize("role", ACTORS)
def test_p05_lists_choosers_counts_and_search_hold_ones_own(ground: Ground, role: str) -> None:
    client, wrong, everything = entered(ground, role), [], []
    for address in pages(ground, role):
        answer, body, written = ask(client, "get", address, {})
        text = body.decode()
        if answer.status_code != 200:
            assert answer.status_code in (302, 303, 400, 403, 404), f"{address}: {answer.status_code}"
        if written:
            wrong.append(f"{address}: wrote {set(written)}")
        asked = re.sub(r'value="[^"]*"', "", text) if "?" in address else text  # what was typed stays in its field
        asked = re.sub(r"“[^”]*”", "", asked) if address.startswith("/search") else asked
        words = foreign_words(role, trail=address.startswith("/audit"))
        wrong += [f"{address}: {word}" for word in words if word in asked]
        wrong += [f"{address}: a number in full" for one in ID_NUMBERS.values() if one in text]
        everything.append(text)
    whole = "\n".join(everything)
    for side, mark in MARKS.items():  # what is one's own is there: the search for words can fail
        if side in _SCHOOLS and reads(role, "record", side):
            assert f"{mark}生" in whole, side
            assert f"{mark}1班" in whole, side
    assert not wrong, "\n".join(dict.fromkeys(wrong))


@pytest.mark.parametrize("role", ACTORS)
def test_p05_files_and_counts_hold_ones_own_rows(ground: Ground, role: str) -> None:
    client = entered(ground, role)
    mine = sum(reads(role, "record", side) for side in _SCHOOLS)
    _, page, _ = ask(client, "get", "/ledgers/roster/", {})
    assert len(set(re.findall(r"(..记号)生", page.decode()))) == mine
    hits = ask(client, "get", f"/search?{urlencode({'q': '记号生'})}", {})[1].decode()
    assert len(set(re.findall(r"(..记号)生<", hits))) == mine
    for sent in ({"form": "csv"}, {"form": "csv", "q": "记号"}, {"form": "csv", "sort": "-points"}):
        answer, body, _ = ask(client, "post", "/ledgers/roster/export", sent)
        assert answer.status_code == 200, body.decode()
        rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
        assert sum("记号生" in "".join(row) for row in rows) == mine, rows
        assert not any(one in body.decode("utf-8-sig") for one in ID_NUMBERS.values())
    answer, body, _ = ask(client, "post", "/ledgers/roster/export", {"form": "xlsx"})
    book = openpyxl.load_workbook(io.BytesIO(body))
    text = "\n".join(str(cell.value) for one in book.worksheets for row in one.iter_rows() for cell in row)
    assert len(set(re.findall(r"(..记号)生", text))) == mine
    assert not any(word in text for word in (*foreign_words(role), *ID_NUMBERS.values()))


@pytest.mark.parametrize("role", [*DISTRICT, *COUNTY])
def test_p05_the_merged_workbook_holds_ones_own_units(ground: Ground, role: str) -> None:
    client = entered(ground, role)
    answer, body, _ = ask(client, "post", f"/rounds/{ground.things['round']['县']}/merge", {})
    if not any(one in ROLES[role].can for one in (Can.ROUNDS, Can.APPROVE_DISTRICT, Can.AUDIT)):
        assert answer.status_code == 403
        return
    book = openpyxl.load_workbook(io.BytesIO(body))
    text = "\n".join(str(cell.value) for one in book.worksheets for row in one.iter_rows() for cell in row)
    assert {side for side, name in _SCHOOLS.items() if name in text} == {
        side for side in _SCHOOLS if reads(role, "filing", side)
    }
    assert not any(word in text for word in foreign_words(role))


def _upload() -> Any:
    return SimpleUploadedFile("表.csv", "姓名,积分\n新,1\n".encode())


def parameters(ground: Ground, role: str) -> Iterator[tuple[str, str, str, dict[str, Any], str, str]]:
    """(method, address, parameter, what else is sent, kind, how the value is written) of every id outside of a path."""
    own, things = own_unit(ground, role), ground.things
    whole = things["round"]["县"]
    yield "get", "/ledgers/classes/", "unit", {"period": "all"}, "unit", "{}"
    for name in ("roster",):
        yield "get", f"/ledgers/{name}/", "unit", {"period": "all"}, "unit", "{}"
        yield "get", f"/ledgers/{name}/", "id", {}, "record", "{}"
        yield "get", f"/ledgers/{name}/template", "unit", {}, "unit", "{}"
        yield "get", f"/ledgers/{name}/new", "unit", {}, "unit", "{}"
        yield "get", f"/ledgers/{name}/import", "unit", {}, "unit", "{}"
        yield "get", f"/ledgers/{name}/import", "round", {"unit": own}, "round", "{}"
        yield "get", f"/ledgers/{name}/import", "time", {"unit": own}, "round", "r{}"
        yield "post", f"/ledgers/{name}/export", "unit", {"form": "csv"}, "unit", "{}"
        yield "post", f"/ledgers/{name}/import", "unit", {"files": _upload()}, "unit", "{}"
        yield "post", f"/ledgers/{name}/import", "time", {"files": _upload(), "unit": own}, "round", "round-{}"
        yield "post", f"/ledgers/{name}/new", "unit", {"f-name": "新"}, "unit", "{}"
        yield "post", "/drafts/", "unit", {"register": name, "f-name": "新"}, "unit", "{}"
        yield "post", "/drafts/", "record", {"register": name, "f-name": "新"}, "record", "{}"
    for kind in ("record", "row", "deed", "book"):
        yield "post", "/ledgers/roster/export", "chosen", {"form": "csv"}, kind, "{}"
        yield "get", "/ledgers/roster/edit-many", "chosen", {}, kind, "{}"
        sent = {"act": "change", "field": "name", "value": "改", "reason": "试"}
        yield "post", "/ledgers/roster/edit-many", "chosen", sent, kind, "{}"
    files = {"many": "papers", "f-name": "", "unit": own}
    for kind in ("photo", "workbook", "result"):
        yield "post", "/ledgers/roster/new", "f-papers", files, kind, "{}"
        yield "post", "/ledgers/roster/new", "f-papers", {**files, "f-name": "新"}, kind, "{}"
    yield "post", "/ledgers/roster/views", "drop", {}, "view", "{}"
    yield "get", f"/rounds/{whole}/", "district", {"show": "all"}, "unit", "{}"
    yield "post", f"/rounds/{whole}/remind", "chosen", {}, "filing", "{}"
    yield "get", f"/rounds/{whole}/decide", "chosen", {"what": "approve"}, "filing", "{}"
    yield "post", f"/rounds/{whole}/decide", "chosen", {"what": "approve"}, "filing", "{}"
    yield "post", f"/rounds/{whole}/decide", "chosen", {"what": "return", "reason": "试"}, "filing", "{}"
    yield "post", f"/rounds/{whole}/unit", "unit", {}, "unit", "{}"
    yield "post", f"/rounds/{whole}/deadline", "unit", {"act": "extend", "until_date": "2025-12-01"}, "unit", "{}"
    mine = things["filing"]["甲"]
    yield "get", f"/filings/{mine}/", "cell", {}, "row", "{}:pupils"
    yield "post", f"/filings/{mine}/remark", "cell", {"text": "看"}, "row", "{}:pupils"
    yield "post", f"/filings/{mine}/approve", "next", {}, "filing", "{}"
    yield "get", "/people/", "unit", {}, "unit", "{}"
    yield "get", "/people/new", "unit", {}, "unit", "{}"
    yield "post", "/people/new", "unit", {"name": "新人", "role": "clerk"}, "unit", "{}"
    account = things["account"]["甲"]
    yield "post", f"/people/{account}/", "unit", {"act": "add", "role": "clerk"}, "unit", "{}"
    yield "post", f"/people/{account}/", "membership", {"act": "end", "reason": "试"}, "membership", "{}"
    yield "get", "/audit/", "unit", {}, "unit", "{}"
    yield "get", "/audit/", "id", {"type": "record"}, "record", "{}"
    yield "get", "/audit/", "id", {"type": "account"}, "account", "{}"
    yield "post", "/people/slips", "token", {}, "slips", "{}"
    yield "post", "/me", "deputy", {"first": "2025-10-21", "last": "2025-10-22"}, "stranger", "{}"
    yield "post", "/login/", "next", {"username": "x", "password": "y"}, "record", "/records/{}/"


_READ_AS = {"membership": "account"}
_NOT_COUNTED = {"slips": "no-such-token", **dict.fromkeys(("photo", "workbook", "result"), MISSING["uuid"])}


@pytest.mark.parametrize("role", ACTORS)
def test_ids_in_queries_and_posts_say_nothing_of_foreign_things(ground: Ground, role: str) -> None:
    client, wrong, asked = entered(ground, role), [], 0
    ground.things["membership"] = {side: ground.world[f"{side}填报"].memberships.get().pk for side in _SCHOOLS}
    ground.things["stranger"] = {
        side: ground.things["account"][side] for side in ("乙", "丙")
    }  # no colleague of anybody
    for method, address, name, sent, kind, form in parameters(ground, role):
        nothing = _NOT_COUNTED.get(kind, MISSING["number"])
        blank = None
        for side, value in ground.things[kind].items():
            if side in ("股", "直", "甲102"):
                continue
            if reads(role, _READ_AS.get(kind, kind), side) and kind != "stranger":
                continue
            if blank is None:
                blank = _answered(client, method, address, {**sent, name: form.format(nothing)}, nothing)
            asked += 1
            found = _answered(client, method, address, {**sent, name: form.format(value)}, value)
            if found != blank:
                wrong.append(
                    f"{method} {address} {name}={kind} of {side}: {found[0]} unlike {blank[0]} of a missing one"
                )
            wrong += [f"{method} {address} {name}: {word}" for word in foreign_words(role) if word in found[1]]
    print(f"{role}: {asked} ids in queries and posts")
    assert not wrong, "\n".join(wrong)


def _answered(client: Any, method: str, address: str, sent: dict[str, Any], value: Any) -> tuple[int, str, str, Any]:
    for one in sent.values():
        if hasattr(one, "seek"):
            one.seek(0)
    answer, body, written = ask(client, method, address, sent)
    if body[:2] == b"PK":  # the time of its making stands in every workbook
        book = openpyxl.load_workbook(io.BytesIO(body))
        body = "\n".join(str(c.value) for one in book.worksheets for row in one.iter_rows() for c in row).encode()
    text = re.sub(rf"(?<!\d){re.escape(str(value))}(?!\d)", "ID", body.decode("utf-8-sig"))
    to = re.sub(rf"(?<!\d){re.escape(str(value))}(?!\d)", "ID", answer.headers.get("Location", ""))
    return answer.status_code, text, to, sorted(set(written))


@pytest.mark.parametrize("role", ACTORS)
def test_pages_without_a_thing_open_by_right(ground: Ground, role: str) -> None:
    client, wrong = entered(ground, role), []
    for name, route in ROUTES.items():
        if route.kinds or route.open or name == "draft_save":
            continue
        for method, rights in (("get", route.get), ("post", route.post)):
            if rights is None:
                continue
            answer, _, written = ask(client, method, reverse(name), route.sent)
            wrong += [f"{method} {name}: {one}" for one in _opened(role, method, rights, route, answer, written)]
    assert not wrong, "\n".join(wrong)


def _opened(role: str, method: str, rights: Any, route: Route, answer: Any, written: list[str]) -> Iterator[str]:
    if not may(role, rights, route) and answer.status_code != 403:
        yield f"{answer.status_code} without the right"
    if may(role, rights, route) and answer.status_code not in (200, 302, 303, 400):
        yield f"{answer.status_code} with the right"
    if method == "get" and written and not route.writes:
        yield f"a get wrote {set(written)}"


def test_protected_columns_are_neither_sorted_nor_filtered_by_anybody(ground: Ground) -> None:
    for role in (*COUNTY, *DISTRICT, *SCHOOL):
        client = entered(ground, role)
        for query in ("sort=id_number", "sort=-id_number", "f.id_number.from=99", "f.id_number.begins=99"):
            assert ask(client, "get", f"/ledgers/roster/?{query}", {})[0].status_code == 400, (role, query)

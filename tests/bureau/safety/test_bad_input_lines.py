"""The bad-input list line by line: each kind at every door it can come to, refused like a missing thing, logged, counted."""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from bureau.api.kit import Program, token_of
from bureau.ledgers import import_kit as kit
from bureau.ledgers.registers_for_tests import ROSTER, store
from bureau.world import World
from jiaoheng.bureau.core import clock, limits
from jiaoheng.bureau.core.actions_files import store_file
from jiaoheng.bureau.core.actions_tokens import do_revoke_token
from jiaoheng.bureau.core.models import Account, ApiToken, Attachment
from jiaoheng.bureau.core.refused import refused_by_day
from jiaoheng.bureau.ledgers.models import Record
from jiaoheng.bureau.operations.figures import running

pytestmark = pytest.mark.django_db
NOWHERE = 424_242_424
NO_FILE = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(autouse=True)
def own_counts(settings: Any, tmp_path: Path, noon: Any) -> None:
    """Counts of this test alone."""
    settings.DATA = tmp_path
    limits.forget()


@pytest.fixture
def foreign(world: World) -> dict[str, Any]:
    """Things of 甲, whom 乙 does not read."""
    roster = store(ROSTER)
    kit.bring(world, roster, [["1", "张三", "一班", 3]])
    pdf = store_file(b"%PDF-1.4 x", "证明.pdf", "document", unit=world["甲"], acting_user=world["甲填报"])
    return {"record": Record.objects.get().pk, "unit": world["甲"].pk, "file": pdf.pk, "roster": roster}


def signed(account: Account) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    return client


def counts() -> Counter[tuple[int, str]]:
    return refused_by_day(1)[clock.today()]


def bare(answer: Any, *ids: object) -> str:
    """The body without what the asker wrote himself (long enough to be nothing else) and without its form token."""
    text = re.sub(
        r"CSRFToken&quot;: &quot;[^&]*|CSRFToken\": \"[^\"]*|value=\"[A-Za-z0-9]{64}\"", "", answer.content.decode()
    )
    for one in ids:
        text = text.replace(str(one), "#") if len(str(one)) > 5 else text
    return text


@pytest.mark.parametrize(
    ("path", "key", "missing"),
    [
        ("/records/{}/", "record", NOWHERE),
        ("/records/{}/history", "record", NOWHERE),
        ("/units/{}/", "unit", NOWHERE),
        ("/files/{}", "file", NO_FILE),
    ],
)
def test_a_foreign_id_in_an_address(
    world: World, foreign: dict[str, Any], path: str, key: str, missing: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = signed(world["乙填报"])
    with caplog.at_level(logging.INFO, logger="jiaoheng.refused"):
        theirs, none = client.get(path.format(foreign[key])), client.get(path.format(missing))
    assert (theirs.status_code, none.status_code) == (404, 404)
    assert bare(theirs, foreign[key]) == bare(none, missing)
    assert sum(counts().values()) == 2
    assert len({route for _status, route in counts()}) == 1
    said = [one.getMessage() for one in caplog.records if one.name == "jiaoheng.refused"]
    assert [f"account={world['乙填报'].pk}" in one for one in said] == [True, True]
    assert str(foreign[key]) not in "".join(said).replace(f"account={world['乙填报'].pk}", "")


@pytest.mark.parametrize("bulk", [False, True])
def test_a_foreign_id_in_a_form(world: World, foreign: dict[str, Any], bulk: bool) -> None:
    """A unit or a record that somebody wrote into a field himself."""
    client = signed(world["乙填报"])
    if bulk:
        ask = [{"ids": [str(one)], "id": str(one), "record": str(one)} for one in (foreign["record"], NOWHERE)]
        path = "/ledgers/t_roster/bulk"
    else:
        ask = [{"unit": str(one), "code": "9", "name": "王"} for one in (foreign["unit"], NOWHERE)]
        path = "/ledgers/t_roster/import"
    theirs, none = (client.post(path, one) for one in ask)
    assert theirs.status_code == none.status_code
    assert theirs.status_code >= 400
    assert bare(theirs, foreign["unit"], foreign["record"]) == bare(none, NOWHERE)
    assert Record.objects.count() == 1
    assert sum(counts().values()) == 2


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd.pdf", "..\\..\\甲\\证明.pdf", "/etc/证明.pdf", "file:///x/证明.pdf"]
)
def test_a_foreign_place_in_a_file_name(world: World, settings: Any, name: str) -> None:
    """A name names nothing: the file lies under a random name below the folder, and is shown without a path."""
    made = store_file(b"%PDF-1.4 x", name, "document", unit=world["甲"], acting_user=world["甲填报"])
    lies = (Path(settings.FILES) / made.path).resolve()
    assert Path(settings.FILES).resolve() in lies.parents
    assert "/" not in made.name
    assert "\\" not in made.name
    assert ".." not in made.path
    again = Program(world["乙填报"]).send("GET", f"/files/{made.pk}/content", status=404)
    assert again.content == Program(world["乙填报"]).send("GET", f"/files/{NO_FILE}/content", status=404).content


@pytest.mark.parametrize("field", ["unit", "sort", "f.code.is"])
def test_a_foreign_id_in_a_filter_and_a_sort_field_of_the_api(
    world: World, foreign: dict[str, Any], field: str
) -> None:
    """Nothing of another school comes by a filter, and a strange column is told, not asked of the base."""
    program = Program(world["乙填报"])
    asked = {"unit": foreign["unit"], "sort": "unit__accounts__password", "f.code.is": "1"}[field]
    other = {"unit": NOWHERE, "sort": "nothing_of_the_kind", "f.code.is": "77"}[field]
    theirs = program.send("GET", f"/registers/t_roster/records?{field}={asked}")
    none = program.send("GET", f"/registers/t_roster/records?{field}={other}")
    assert theirs.status_code == none.status_code
    told = [json.loads(one.content) for one in (theirs, none)]
    if theirs.status_code == 200:
        assert [one["items"] for one in told] == [[], []]
    else:
        assert str(told[0]).replace(str(asked), "#") == str(told[1]).replace(str(other), "#")
        assert sum(counts().values()) == 2


@pytest.mark.parametrize(
    ("method", "path", "body", "kind", "status"),
    [
        ("GET", "/registers/t_roster/records?sort=name;DROP TABLE core_account", None, "", 400),
        ("GET", "/registers/t_roster/records?filter=data__id_number", None, "", 400),
        ("POST", "/registers/t_roster/records", '{"unit":1,"values":{"s0":"x","record__versions":"y"}}', "", None),
        ("POST", "/registers/t_roster/records", '{"a":"' + "x" * 2_100_000 + '"}', "", 413),
        ("GET", "/me?" + "&".join(f"p{n}=1" for n in range(3_000)), None, "", 400),
        ("GET", "/me?x=%ff%fe", None, "", 400),
        ("POST", "/registers/t_roster/records", b'{"unit": "\xff\xfe"}', "", 400),
        ("POST", "/registers/t_roster/records", "<x/>", "application/xml", 415),
        ("DELETE", "/me", None, "", 405),
        ("GET", "/nothing/of/the/kind", None, "", 404),
    ],
)
def test_refusals_of_the_api_are_logged_and_counted(
    world: World,
    foreign: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
    body: Any,
    kind: str,
    status: int | None,
) -> None:
    heads = {"Content_Type": kind} if kind else {}
    with caplog.at_level(logging.INFO):
        answer = Program(world["乙填报"]).send(method, path, body, **heads)
    assert answer.status_code in ((status,) if status else (400, 404))
    assert sum(counts().values()) == 1
    ((counted, route),) = counts()
    assert counted == answer.status_code
    assert route.startswith("/api/") or route == "-"
    written = (Path(_data()) / "refused" / f"{clock.today():%Y-%m-%d}.txt").read_text()
    said = " ".join(one.getMessage() for one in caplog.records if one.name in ("jiaoheng.refused", "jiaoheng.api"))
    assert f"refused {answer.status_code}" in said
    for text in (written, said):
        assert "DROP" not in text
        assert "xxx" not in text
    if route != "-" and counted not in (404, 405):
        assert written.split()[-1] == str(world["乙填报"].pk)


def _data() -> str:
    from django.conf import settings

    return str(settings.DATA)


def test_tokens_that_open_nothing_get_one_answer_and_are_counted(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Unknown, expired, revoked, of a closed account, cut, of another server: one body, one status, one count each."""
    gone = Program(world["甲教师"])
    revoked = Program(world["乙填报"])
    do_revoke_token(ApiToken.objects.get(owner=world["乙填报"]).pk, acting_user=world["乙填报"])
    closed = Program(world["丙填报"])
    Account.objects.filter(pk=world["丙填报"].pk).update(closed_at=clock.now())
    bodies = []
    with caplog.at_level(logging.INFO):
        for one in (Program(token="jh_" + "c" * 43), revoked, closed, Program(token=gone.token[:-1])):
            answer = one.send("GET", "/me", status=401)
            bodies.append((answer.content, answer["WWW-Authenticate"]))
        with clock.at(clock.now() + dt.timedelta(days=40)):
            answer = gone.send("GET", "/me", status=401)
            bodies.append((answer.content, answer["WWW-Authenticate"]))
            assert sum(counts().values()) == 1
    assert len(set(bodies)) == 1
    assert counts() == {(401, "/api/v1/me"): 4}
    said = " ".join(one.getMessage() for one in caplog.records)
    assert not any(one.token and one.token in said for one in (revoked, closed, gone))


def test_a_foreign_token_reads_no_foreign_thing(world: World, foreign: dict[str, Any]) -> None:
    """A good token of another person: what he may not read is what is not there."""
    program = Program(world["乙填报"])
    theirs = program.send("GET", f"/records/{foreign['record']}", status=404).content
    assert theirs == program.send("GET", f"/records/{NOWHERE}", status=404).content
    assert token_of(world["甲填报"]) != program.token


def test_the_page_of_figures_tells_what_was_refused(world: World, foreign: dict[str, Any]) -> None:
    stranger = signed(world["乙填报"])
    for _ in range(3):
        stranger.get(f"/records/{foreign['record']}/")
    Program(token="jh_" + "c" * 43).send("GET", "/me", status=401)
    with clock.at(clock.now() - dt.timedelta(days=2)):
        Program(token="jh_" + "c" * 43).send("GET", "/me", status=401)
    found = running(world["管理员"])
    assert found.refused_words == "今天 4 次，近 7 天 5 次，其中接口 2 次"
    assert [(one.words, one.route, one.today, one.week) for one in found.refused] == [
        ("找不到或不在范围内", "/records/<int:record_id>/", 3, 3),
        ("没有登录或令牌无效", "/api/v1/me", 1, 2),
    ]
    text = signed(world["管理员"]).get("/operations/").content.decode()
    assert "被拒绝的请求" in text
    assert "/records/&lt;int:record_id&gt;/" in text
    assert signed(world["甲填报"]).get("/operations/").status_code == 403


def test_a_full_disk_and_half_a_line_spoil_no_count(world: World, settings: Any) -> None:
    signed(world["甲填报"]).get(f"/units/{NOWHERE}/")
    path = Path(settings.DATA) / "refused" / f"{clock.today():%Y-%m-%d}.txt"
    path.write_text(path.read_text() + "40\n\n4x4 /a -\n")
    assert counts()[404, "/units/<int:unit_id>/"] == 1
    assert running(world["管理员"]).refused


# --- slow uploads: the server of one PC, with its own settings -----------------------------------------------------


@pytest.fixture
def slow_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, list[int]]]:
    """The waitress of `serve` with the settings of `serve`, a silent channel ended after a second, an application that
    counts the requests that reached it."""
    import waitress

    from jiaoheng.cli import serve

    given: dict[str, Any] = {}
    monkeypatch.setattr(waitress, "serve", lambda app, **settings: given.update(settings))
    serve._run_waitress("127.0.0.1", 0)
    assert given["channel_timeout"] <= 120
    reached: list[int] = []

    def app(environ: dict[str, Any], start: Any) -> list[bytes]:
        reached.append(len(environ["wsgi.input"].read()))
        start("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    kept = {key: given[key] for key in given if key not in ("host", "port", "listen", "channel_timeout")}
    server = waitress.create_server(app, host="127.0.0.1", port=0, channel_timeout=1, cleanup_interval=1, **kept)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield server.effective_port, reached
    server.close()


def test_slow_uploads_hold_nobody_up(slow_server: tuple[int, list[int]]) -> None:
    """Forty senders that begin an upload and go silent: others are answered, none of the forty reaches a page, and each
    is cut off."""
    port, reached = slow_server
    slow = []
    for _ in range(40):
        one = socket.create_connection(("127.0.0.1", port))
        one.sendall(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc")
        slow.append(one)
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as quick:
            quick.sendall(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
            assert quick.recv(100).startswith(b"HTTP/1.1 200")
    assert reached == [2] * 20
    until = time.monotonic() + 60
    while slow and time.monotonic() < until:
        for one in list(slow):
            one.settimeout(0.05)
            try:
                if one.recv(100) == b"":
                    slow.remove(one)
            except TimeoutError:
                continue
            except ConnectionError:
                slow.remove(one)
    assert not slow, "silent senders are still held"
    assert reached == [2] * 20
    assert not Attachment.objects.exists()

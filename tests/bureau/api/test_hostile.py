"""What no program should send: refused with problem details, nothing stored, no fault of ours."""

from __future__ import annotations

from typing import Any

import pytest

from bureau.api.kit import Program
from bureau.world import World
from jiaoheng.bureau.core.models import Attachment
from jiaoheng.bureau.ledgers.models import Record

pytestmark = pytest.mark.django_db
PATH = "/registers/t_roster/records"


def _body(unit: int, inner: str = '"code": "1", "name": "张"') -> str:
    return f'{{"unit": {unit}, "values": {{{inner}}}}}'


@pytest.mark.parametrize(
    ("inner", "code"),
    [
        ('"code": "1", "code": "2", "name": "张"', "json-wrong"),  # two readers would read two things
        ('"code": NaN', "json-wrong"),
        ('"code": Infinity', "json-wrong"),
        ('"code": 1' + "0" * 5000, "json-wrong"),
        ('"points": 1e999999', "json-wrong"),
        ('"code": "\\u0000"', "json-wrong"),
        ('"code": "\\ud800"', "json-wrong"),
        ('"name": "\\ud83d"', "json-wrong"),
        ('"code": {"$ne": null}', "request-wrong"),
        ('"code": ' + "[" * 50 + "]" * 50, "json-wrong"),
        ('"code": ' + "[" * 100_000, "json-wrong"),
        ("".join(f'"f{n}": 1,' for n in range(10_000)) + '"code": "1"', "json-wrong"),
        ("".join(f'"f{n}": 1,' for n in range(400)) + '"code": "1"', "request-wrong"),
        ('"code": "' + "x" * 30_000 + '"', "request-wrong"),
        ('"code": "1"', "values-wrong"),
        ('"code": "1", "name": "张", "__class__": 1', "values-wrong"),
        ('"code": "1", "name": "张", "s0": "x"', "values-wrong"),
    ],
)
def test_a_content_that_is_not_taken(world: World, roster: Any, inner: str, code: str) -> None:
    told = Program(world["甲填报"]).send("POST", PATH, _body(world["甲"].pk, inner), status=400).json()
    assert told["code"] == code, told
    assert not Record.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"1",
        b'"x"',
        b"{",
        b"\xff\xfe{\x00}\x00",
        '{"unit": 1}'.encode("utf-16"),
        b"\xef\xbb\xbf{}",
        '{"unit": "张"}'.encode("gb18030"),
        b'{"unit": true, "values": {}}',
        b'{"unit": 1.5, "values": {}}',
        b'{"unit": -1, "values": {}}',
        b'{"unit": 1, "values": [], "more": 1}',
        b'{"unit": 1, "values": {}, "period": "\\u0000"}',
    ],
)
def test_a_content_of_the_wrong_shape(world: World, roster: Any, body: bytes) -> None:
    told = Program(world["甲填报"]).send("POST", PATH, body, status=400).json()
    assert told["code"] in ("json-wrong", "request-wrong"), told


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json; charset=gb18030",
    ],
)
def test_a_wrong_content_type(world: World, roster: Any, kind: str) -> None:
    Program(world["甲填报"]).send("POST", PATH, _body(world["甲"].pk), status=415, Content_Type=kind)
    assert not Record.objects.exists()


def test_too_much_is_told_with_both_numbers(world: World, roster: Any) -> None:
    body = _body(world["甲"].pk, '"code": "' + "x" * 2_000_000 + '"')
    told = Program(world["甲填报"]).send("POST", PATH, body, status=413).json()
    assert told["detail"].startswith("发来 2,000,0")
    assert "最多 2,000,000 字节" in told["detail"]


def test_wrong_methods_and_addresses(world: World, roster: Any) -> None:
    program = Program(world["甲填报"])
    assert program.send("PUT", "/me", {}, status=405)["Allow"] == "GET"
    for path in (
        "/nope",
        "/records/x",
        "/records/-1",
        "/records/%00",
        "/registers/a%00b",
        "/registers/a'b/records",
        "/records/1/",
    ):
        program.send("GET", path, status=404)
    program.send("GET", "/records/999999999999999999999999", status=400)
    program.send("GET", "/api/v2/me", status=404)
    program.send("GET", "/files/..%2f..%2fetc%2fpasswd", status=404)
    program.send("GET", "/files/nope/content", status=404)
    program.send("GET", "/jobs/nope", status=404)


def test_idempotency_keys_and_versions_that_are_none(world: World, roster: Any) -> None:
    program = Program(world["甲填报"])
    sent = {"unit": world["甲"].pk, "values": {"code": "1", "name": "张"}}
    for key in ("x" * 65, "a b", "键"):
        heads = {"Idempotency_Key": key.encode().decode("latin-1")}
        program.send("POST", PATH, sent, status=400, **heads)
    made = program.post(PATH, sent, 201)
    for match in ("*", '"x"', '"1", "2"', '"99999999999999999999"'):
        program.patch(f"/records/{made['id']}", {"values": {"name": "李"}}, 400, If_Match=match)


def _multipart(parts: list[tuple[str, bytes]], boundary: str = "BB") -> bytes:
    made = b""
    for head, data in parts:
        made += f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + data + b"\r\n"
    return made + f"--{boundary}--\r\n".encode()


def test_a_file_goes_in_and_comes_out(world: World, roster: Any) -> None:
    program = Program(world["甲填报"])
    unit = str(world["甲"].pk).encode()
    pdf = b"%PDF-1.4 a small document"
    parts = [('name="unit"', unit), ('name="key"', b"K"), ('name="file"; filename="a.pdf"', pdf)]
    kind = "multipart/form-data; boundary=BB"
    made = program.send("POST", "/files", _multipart(parts), status=201, Content_Type=kind).json()
    again = program.send("POST", "/files", _multipart(parts), status=201, Content_Type=kind).json()
    assert again["id"] == made["id"]
    assert (made["name"], made["media_type"], made["size"]) == ("a.pdf", "application/pdf", len(pdf))
    response = program.send("GET", f"/files/{made['id']}/content", status=200)
    assert b"".join(response.streaming_content) == pdf
    assert response["X-Content-Type-Options"] == "nosniff"
    stranger = Program(world["乙填报"])
    missing = stranger.send("GET", "/files/00000000-0000-0000-0000-000000000000", status=404).content
    assert stranger.send("GET", f"/files/{made['id']}", status=404).content == missing
    assert stranger.send("GET", f"/files/{made['id']}/content", status=404).content == missing


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([], 400),
        ([('name="unit"', b"1")], 400),
        ([('name="unit"', b"x"), ('name="file"; filename="a.pdf"', b"%PDF-1")], 400),
        ([('name="unit"', b"@"), ('name="file"; filename="a.exe"', b"MZ\x90")], 400),
        ([('name="unit"', b"@"), ('name="file"; filename="a.pdf"', b"")], 400),
        ([('name="unit"', b"@"), ('name="kind"', b"workbook"), ('name="file"; filename="a.pdf"', b"%PDF-1")], 400),
        ([('name="unit"', b"@"), ('name="key"', b"\x00"), ('name="file"; filename="a.pdf"', b"%PDF-1")], 400),
        ([('name="unit"', b"999999"), ('name="file"; filename="a.pdf"', b"%PDF-1")], 404),
    ],
)
def test_a_file_that_is_not_taken(world: World, roster: Any, parts: list[tuple[str, bytes]], status: int) -> None:
    unit = str(world["甲"].pk).encode()
    sent = _multipart([(head, unit if data == b"@" else data) for head, data in parts])
    program = Program(world["甲填报"])
    program.send("POST", "/files", sent, status=status, Content_Type="multipart/form-data; boundary=BB")
    assert not Attachment.objects.exists()


@pytest.mark.parametrize("body", [b"--BB\r\nbroken", b"--", b"--CC\r\n\r\n--CC--"])
def test_a_form_that_breaks_off(world: World, roster: Any, body: bytes) -> None:
    Program(world["甲填报"]).send("POST", "/files", body, status=400, Content_Type="multipart/form-data; boundary=BB")


def test_a_form_with_too_many_fields(world: World, roster: Any) -> None:
    sent = _multipart([(f'name="f{number}"', b"1") for number in range(6000)])
    Program(world["甲填报"]).send("POST", "/files", sent, status=400, Content_Type="multipart/form-data; boundary=BB")

"""What a browser fetches for its first page, as it travels."""

from __future__ import annotations

import datetime as dt
import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.http import FileResponse, HttpRequest, HttpResponse
from django.test import Client

from bureau.world import World
from jiaoheng.bureau.web.compressing import Compress

pytestmark = pytest.mark.django_db
FIRST_PAGE = 150 * 1024


def fetched(client: Client, path: str) -> tuple[Any, bytes]:
    response = client.get(path, headers={"accept-encoding": "gzip"})
    assert response.status_code == 200, path
    return response, b"".join(response.streaming_content) if response.streaming else response.content


def test_the_first_page_with_all_it_needs_is_light(
    world: World, noon: dt.datetime, settings: Any, tmp_path: Path
) -> None:
    settings.STATIC_ROOT = tmp_path / "static"
    call_command("collectstatic", interactive=False, verbosity=0)
    client = Client()
    client.force_login(world["甲填报"])
    page, body = fetched(client, "/")
    assert page["Content-Encoding"] == "gzip"
    linked = re.findall(r'(?:href|src)="(/static/[^"]+)"', gzip.decompress(body).decode())
    parts = [fetched(client, one) for one in linked]
    heavy = [
        one
        for one, (response, part) in zip(linked, parts, strict=True)
        if len(part) > 10_000 and "Content-Encoding" not in response
    ]
    assert len(linked) > 4
    assert heavy == []
    assert len(body) + sum(len(part) for _response, part in parts) < FIRST_PAGE


def test_a_file_is_left_as_it_is(tmp_path: Path) -> None:
    request = HttpRequest()
    request.META["HTTP_ACCEPT_ENCODING"] = "gzip"
    path = tmp_path / "本校.csv"
    path.write_text("名称\n" * 500, encoding="utf-8")
    kept = Compress(lambda _request: FileResponse(path.open("rb")))(request)
    assert int(kept["Content-Length"]) == path.stat().st_size
    page = Compress(lambda _request: HttpResponse("名称" * 500))(request)
    assert page["Content-Encoding"] == "gzip"

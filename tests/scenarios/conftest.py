"""The demo county as people meet it: built by the command line, served by the command line, used over HTTP.

The process of the tests never touches the county's database. What it should show is worked out here, slowly and in
plain Python, from the rows that the generator made.
"""

from __future__ import annotations

import csv
import http.cookiejar
import io
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from jiaoheng.registers.county import STANDING, County, make_county
from jiaoheng.registers.loading import load_shipped

SCALE = 0.1
SEED = 20261128  # of `jiaoheng demo build`


class Office:
    """One person's browser at the served county."""

    def __init__(self, address: str) -> None:
        self.address, self.inside = address, False
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def read(self, path: str, sent: dict[str, Any] | None = None) -> tuple[int, bytes]:
        """Status and body; `sent` makes it a post with the page's own mark."""
        data = None
        if sent is not None:
            page = self.text("/me" if self.inside else "/login/")
            mark = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
            data = urllib.parse.urlencode({**sent, "csrfmiddlewaretoken": mark[1] if mark else ""}, doseq=True).encode()
        try:
            with self.opener.open(self.address + path, data) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def text(self, path: str) -> str:
        """A page that has to open."""
        status, body = self.read(path)
        assert status == 200, f"{path}: {status}"
        return unescape(body.decode())

    def enter(self, role: str) -> Office:
        """One press into a role on the sign-in page."""
        status, _ = self.read("/login/demo/", {"role": role})
        assert status == 200
        self.inside = True
        return self

    def unit(self, name: str) -> str:
        """The address of a unit's page, found by its name as a person finds it."""
        found = re.search(
            rf'href="(/units/[0-9]+/)">{name}<', self.text(f"/search?{urllib.parse.urlencode({'q': name})}")
        )
        assert found, name
        return found[1]

    def count(self, path: str) -> int:
        """How many records the head of a list says it holds."""
        found = re.search(r"<h1>[^<]*?([0-9,]+) 条", self.text(path))
        assert found, path
        return int(found[1].replace(",", ""))

    def period(self, register: str, name: str) -> str:
        """The id of a period, from the list's own tabs."""
        found = re.search(rf'href="\?period=(\d+)[^"]*"[^>]*>{name}<', self.text(f"/ledgers/{register}/?period=all"))
        assert found, f"{register}: no period {name}"
        return found[1]

    def csv(self, register: str, **asked: str) -> list[dict[str, str]]:
        """A list downloaded as it stands."""
        status, body = self.read(f"/ledgers/{register}/export", {"form": "csv", **asked})
        assert status == 200
        heads, *rows = csv.reader(io.StringIO(body.decode("utf-8-sig")))
        names = [re.sub(r"（.*）|[*＊ ]", "", head) for head in heads]  # 合计（名）*
        return [dict(zip(names, row, strict=True)) for row in rows]


class Demo:
    """The county's rows and its served office."""

    def __init__(self, county: County, address: str) -> None:
        self.county, self.address, self._offices = county, address, {}

    def office(self, role: str) -> Office:
        """The browser of a role, signed in once."""
        if role not in self._offices:
            self._offices[role] = Office(self.address).enter(role)
        return self._offices[role]

    def rows(self, register: str, period: tuple[str, str] = STANDING) -> list[tuple[str, dict[str, Any]]]:
        """(unit code, newest row) of a register: a row later written again counts once."""
        key = load_shipped().newest(register).key
        return [(at[0], dict(row)) for at, row in self.county.newest(register, period, key).items()]

    def sums(self, page: str) -> dict[str, str]:
        """field → printed sum of a page of totals."""
        return dict(re.findall(r'data-sum="(\w+)">([^<]*)<', page))

    def shares(self, field: str, page: str) -> dict[str, tuple[int, str]]:
        """label → (count, part) of a column of choices on a page of totals."""
        found = re.findall(
            rf'<th scope="row">([^<]*)</th><td class="num" data-share="{field}">([^<]*)</td><td class="num">([^<]*)</td>',
            page,
        )
        return {label: (int(count.replace(",", "").replace(" ", "")), part) for label, count, part in found}


def plain(page: str) -> str:
    """The words of a page, one blank between them."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def totals_page(office: Office, register: str, period: str = "") -> str:
    """The page of totals of a register for the whole county, in the period with this name."""
    query = f"?period={office.period(register, period)}" if period else ""
    return office.text(f"/ledgers/{register}/totals{query}")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A tenth of the county, once for all scenarios."""
    with served(tmp_path_factory.mktemp("county") / "data", SCALE) as found:
        yield found


@contextmanager
def served(data: Path, scale: float) -> Iterator[Demo]:
    """`jiaoheng demo build` and `jiaoheng serve` of a county of this scale."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JIAOHENG_", "DJANGO_"))}
    environment.pop("DATABASE_URL", None)
    environment["JIAOHENG_ENV"] = "demo"
    command = [str(Path(sys.executable).with_name("jiaoheng"))]
    build = [*command, "demo", "build", "--data", str(data), "--scale", str(scale)]
    built = subprocess.run(build, env=environment, capture_output=True, check=False)
    assert built.returncode == 0, built.stderr.decode()
    port = _free_port()
    log = data.parent / "serve.log"
    serve = [*command, "serve", "--data", str(data), "--port", str(port), "--no-worker"]
    with log.open("wb") as out, subprocess.Popen(serve, env=environment, stdout=out, stderr=out) as server:
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_for(address, server, log)
            yield Demo(make_county(SEED, scale), address)
        finally:
            server.terminate()
            server.wait(timeout=20)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert server.poll() is None, log.read_text(encoding="utf-8", errors="replace")
        try:
            with urllib.request.urlopen(f"{address}/healthz") as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not start")

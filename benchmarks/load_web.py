"""A person's browser for the load run: cookies, one connection that is kept as a browser keeps it, forms, the clock.

One click is one sample: the request with the redirects that it is answered with, until the last byte is here.
"""

from __future__ import annotations

import gzip
import html
import http.client
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

IDLE = 3.0  # seconds after which a connection is opened anew: the server ends idle ones at five
WAIT = 30.0  # seconds until a person gives up: a timeout
_FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
_CONTROL = re.compile(
    r"<(input|button)\b([^>]*)>|<select\b([^>]*)>(.*?)</select>|<textarea\b([^>]*)>(.*?)</textarea>", re.DOTALL
)
_OPTION = re.compile(r"<option\b([^>]*)>")
_ATTRIBUTE = re.compile(r'([\w-]+)(?:="([^"]*)")?')

Fields = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Sample:
    """One click: its kind, when it ended (seconds of the run), how long it took, what was wrong with it."""

    kind: str
    at: float
    ms: float
    wrong: str = ""


@dataclass
class Samples:
    """What all people of a process measured."""

    began: float = field(default_factory=time.perf_counter)
    rows: list[Sample] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)  # sentences why not (somebody was faster): right answers too
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: str, seconds: float, wrong: str = "") -> None:
        """Keep one sample."""
        with self._lock:
            self.rows.append(Sample(kind, time.perf_counter() - self.began, seconds * 1000, wrong))

    def refused(self, who: str, page: str) -> None:
        """Keep the sentence of a page that refuses a write."""
        said = re.findall(r'<li><a href="#[^"]*">([^<]+)|<p class="note[^"]*"[^>]*>([^<]+)|<h1>([^<]+)', page)
        with self._lock:
            self.refusals.append(f"{who}: " + "; ".join(filter(None, ("".join(one).strip() for one in said[:4]))))


@dataclass(frozen=True, slots=True)
class Page:
    """An answer: where it stands after redirects, its status, its content."""

    status: int
    address: str
    content: bytes
    kind: str = ""  # of the content

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    def links(self, pattern: str) -> list[str]:
        """What the one group of a pattern holds in the page's text, each once, in their order."""
        return list(dict.fromkeys(re.findall(pattern, self.text)))

    def form(self, has: str) -> Fields | None:
        """The fields of the first form whose text has `has`, as a browser sends them; None where there is none."""
        for attributes, body in _FORM.findall(self.text):
            if has in attributes or has in body:
                return list(_fields(body))
        return None


class WrongError(Exception):
    """An answer that is none: a failure of the server, silence, or a page that says something else."""


def _fields(body: str) -> Iterable[tuple[str, str]]:
    for tag, plain, chosen, options, area, text in _CONTROL.findall(body):
        found = dict(_ATTRIBUTE.findall(plain or chosen or area))
        name = found.get("name")
        if not name or tag == "button":
            continue
        if area:
            yield name, html.unescape(text).removeprefix("\n")
        elif chosen:
            picked = [dict(_ATTRIBUTE.findall(one)) for one in _OPTION.findall(options)]
            value = next(
                (one["value"] for one in picked if "selected" in one), picked[0].get("value", "") if picked else ""
            )
            yield name, html.unescape(value)
        elif found.get("type") == "file" or (found.get("type") in ("checkbox", "radio") and "checked" not in found):
            continue
        else:
            yield name, html.unescape(found.get("value", ""))


def with_values(fields: Fields, values: dict[str, str]) -> Fields:
    """The fields with some of them filled in."""
    return [*((name, text) for name, text in fields if name not in values), *values.items()]


class Browser:
    """One session. Every answer is measured; one that is wrong raises WrongError after it was counted."""

    def __init__(self, port: int, samples: Samples, agent: str = "Mozilla/5.0 (Windows NT 10.0) Chrome/130.0") -> None:
        self.port, self.samples, self.agent = port, samples, agent
        self.cookies: dict[str, str] = {}
        self.heads: dict[str, str] = {}  # of every request: a program's token
        self._line: http.client.HTTPConnection | None = None
        self._used = 0.0

    def get(self, kind: str, path: str, says: str = "</html>", ok: Sequence[int] = (200,)) -> Page:
        """Open an address; the answer must have one of the statuses, and the words `says` in it."""
        return self._measured(kind, lambda: self._follow("GET", path, b"", {}), says, ok)

    def post(
        self, kind: str, path: str, fields: Fields, says: str = "</html>", ok: Sequence[int] = (200,), file: Any = None
    ) -> Page:
        """Send a form. `file`: (field, name, content)."""
        if file is None:
            body, of = urlencode(fields).encode(), "application/x-www-form-urlencoded"
        else:
            body, of = _multipart(fields, file)
        heads = {"Content-Type": of, "Origin": f"http://127.0.0.1:{self.port}"}
        return self._measured(kind, lambda: self._follow("POST", path, body, heads), says, ok)

    def call(
        self, kind: str, method: str, path: str, body: bytes = b"", ok: Sequence[int] = (200,), **heads: str
    ) -> Page:
        """A program's request: `heads` are written with _ for -."""
        named = {name.replace("_", "-"): text for name, text in heads.items()}
        if body:
            named["Content-Type"] = "application/json"
        return self._measured(kind, lambda: self._follow(method, path, body, named), "", ok)

    def close(self) -> None:
        """Leave."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _measured(self, kind: str, ask: Callable[[], Page], says: str, ok: Sequence[int]) -> Page:
        begin = time.perf_counter()
        try:
            page = ask()
        except TimeoutError:
            wrong = "timeout"
        except (OSError, http.client.HTTPException) as error:
            wrong = f"connection: {type(error).__name__}"
        else:
            wrong = ""
            if page.status not in ok:
                wrong = f"status {page.status} at {urlsplit(page.address).path}"
            elif says and says.encode() not in page.content:
                wrong = f"content at {urlsplit(page.address).path}: no “{says}”"
        self.samples.add(kind, time.perf_counter() - begin, wrong)
        if wrong:
            self.close()
            raise WrongError(wrong)
        return page

    def _follow(self, method: str, path: str, body: bytes, heads: dict[str, str]) -> Page:
        for _ in range(6):
            status, content, found = self._ask(method, path, body, heads)
            if status not in (301, 302, 303):
                return Page(status, path, content, found.get("Content-Type", ""))
            target = urlsplit(urljoin(path, found.get("Location", "/")))
            path = target.path + (f"?{target.query}" if target.query else "")
            method, body, heads = "GET", b"", {}
        raise http.client.HTTPException("redirected in a circle")

    def _ask(
        self, method: str, path: str, body: bytes, heads: dict[str, str]
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        if self._line is None or time.monotonic() - self._used > IDLE:
            self.close()
            self._line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {"User-Agent": self.agent, "Accept-Encoding": "gzip", **self.heads, **heads}
        if cookies:
            sent["Cookie"] = cookies
        kept = self._line.sock is not None
        try:
            self._line.request(method, path, body or None, sent)
            answer = self._line.getresponse()
        except (ConnectionError, http.client.BadStatusLine):
            if not kept or method != "GET":
                raise
            self.close()  # the server ended the kept connection at this moment: browsers ask again without a word
            return self._ask(method, path, body, heads)
        content = answer.read()
        self._used = time.monotonic()
        for one in answer.headers.get_all("Set-Cookie", []):
            name, _, value = one.partition(";")[0].partition("=")
            if value.strip('"'):
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        if answer.headers.get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        if answer.will_close:
            self.close()
        return answer.status, content, answer.headers


def _multipart(fields: Fields, file: tuple[str, str, bytes]) -> tuple[bytes, str]:
    mark = secrets.token_hex(12)
    parts = [f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in fields]
    field_name, name, content = file
    head = f'--{mark}\r\nContent-Disposition: form-data; name="{field_name}"; filename="{name}"\r\n'
    body = "".join(parts).encode() + head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + content
    return body + f"\r\n--{mark}--\r\n".encode(), f"multipart/form-data; boundary={mark}"

"""The days of the people of a load run: what each role opens, looks for and writes, with the pauses of a person.

    python benchmarks/load_days.py PORT PEOPLE.json LEDGER OUT.json SECONDS RISE SHORTEST LONGEST

runs all people as threads of this process: everybody signs in within the first RISE seconds.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

from load_web import Browser, Page, Samples, WrongError, with_values
from load_writes import Ledger, Writer, mark

PASSWORD = "jiaoheng-demo"  # noqa: S105 (of every account of the demonstration)
STATIC = (
    "bootstrap/css/bootstrap.min.css",
    "web/theme.css",
    "web/pages.css",
    "django_htmx/htmx-2.min.js",
    "web/app.js",
)
NAMES = ("王", "李", "张", "陈", "小学", "实验")
_FILTERS = ("", "&f.gender.is=1", "&f.gender.is=2", "&sort=name", "&sort=-grade", "&sort=-name&f.gender.is=1")


class Person(Writer):
    """One person at one machine."""

    def __init__(
        self, port: int, samples: Samples, ledger: Ledger, person: dict[str, Any], day: str, think: tuple[float, float]
    ) -> None:
        super().__init__(Browser(port, samples), ledger, samples, person, day)
        self.port, self.think, self.ends = port, think, float("inf")
        self.program: Browser | None = None

    def pause(self) -> None:
        """As long as a person looks at a page."""
        time.sleep(max(0.0, min(random.uniform(*self.think), self.ends - time.monotonic())))

    def live(self, seconds: float, late: float) -> None:
        """Come, sign in, do one thing after the other until the end. A failed page is counted, and life goes on."""
        self.ends = time.monotonic() + seconds
        time.sleep(late)
        things = self._things()
        signed_in = False
        while time.monotonic() < self.ends:
            try:
                if not signed_in:
                    self.sign_in()
                    signed_in = True
                else:
                    random.choices([one for one, _ in things], [weight for _, weight in things])[0]()
            except WrongError:
                pass
            except Exception as error:  # a fault of the run itself must be seen, not silence a person
                self.samples.add("the run", 0.0, f"fault: {type(error).__name__}: {error}")
            self.pause()
        self.web.close()

    def sign_in(self) -> None:
        """The door, with what its page loads, and the first look at what there is to do."""
        door = self.web.get("sign-in page", "/login/")
        for name in STATIC:
            self.web.get("static file", f"/static/{name}", says="")
        form = door.form('action="/login/"')
        if form is not None:  # else signed in already: only the page behind the door had not come in time
            fields = with_values(form, {"username": self.person["username"], "password": PASSWORD})
            self.pause()
            self.web.post("sign in", "/login/", fields, says="待办")
        if self.person["role"] == "program":
            self._make_token()

    def _things(self) -> list[tuple[Callable[[], None], int]]:
        role = self.person["role"]
        if role == "program":
            return [(self.read_by_program, 6), (self.write_by_program, 3)]
        seeing = [(self.home, 10), (self.look, 25), (self.place, 8), (self.search, 8), (self.rounds, 10)]
        if role == "clerk":
            writing = [(self.change_one, 22), (self.new, 10), (self.table, 5), (self.workbook, 7), (self.hand_in, 5)]
            return [*seeing, *writing, (self.export, 4)]
        if role in ("district", "department"):
            return [*seeing, (self.approve, 10), (self.totals, 5), (self.export, 2)]
        if role in ("leader", "research", "inspector", "principal"):
            return [*seeing, (self.totals, 6), (self.export, 2)]
        if role == "admin":
            return [*seeing, (self.people, 10), (self.trail, 10)]
        return [(self.home, 10), (self.ledgers, 10), (self.search, 4)]

    def home(self) -> None:
        """What is to be done."""
        self.web.get("home", "/", says="待办")

    def ledgers(self) -> None:
        """The list of registers."""
        self.web.get("registers", "/ledgers/", says="台账")

    def look(self) -> None:
        """A list of many, narrowed and sorted, turned over, one of it opened."""
        name = random.choice(("pupils", "pupils", "teachers", "classes", "activities"))
        page = self.web.get("list", f"/ledgers/{name}/", says="筛选")
        self.pause()
        if name in ("pupils", "teachers"):
            narrowed = f"/ledgers/{name}/?period=all{random.choice(_FILTERS if name == 'pupils' else _FILTERS[:4])}"
            page = self.web.get("list, narrowed", narrowed, says="筛选")
            self.pause()
        if random.random() < 0.3:
            self.web.get("list, by a word", f"/ledgers/{name}/?q={quote(random.choice(NAMES))}", says="筛选")
            self.pause()
        for link in page.links(r'href="(\?[^"]*after=[^"]*)"')[:1]:
            path = page.address.partition("?")[0] + link.replace("&amp;", "&")
            page = self.web.get("list, next page", path, says="筛选")
            self.pause()
        self._open_one(page)

    def _open_one(self, page: Page) -> None:
        records = page.links(r'href="/records/(\d+)/"')
        if records:
            self.web.get("record", f"/records/{random.choice(records)}/")

    def change_one(self) -> None:
        """A record of one's own school, found in the list, changed."""
        page = self.web.get("list", f"/ledgers/{random.choice(('pupils', 'pupils', 'teachers'))}/", says="筛选")
        records = page.links(r'href="/records/(\d+)/"')
        if records:
            self.pause()
            self.change(random.choice(records))

    def place(self) -> None:
        """One's own unit, or one below it."""
        page = self.web.get("units", "/units/")
        found = page.links(r'href="/units/(\d+)/"')
        if found:
            self.pause()
            self.web.get("unit", f"/units/{random.choice(found)}/")

    def search(self) -> None:
        """A name in the field at the top."""
        self.web.get("search", f"/search?q={quote(random.choice(NAMES))}")

    def rounds(self) -> None:
        """What is being collected, and how far it is."""
        page = self.web.get("collections", "/rounds/")
        found = page.links(r'href="/rounds/(\d+)/"')
        if found:
            self.pause()
            self.web.get("board", f"/rounds/{random.choice(found)}/")

    def approve(self) -> None:
        """The filings that wait for this person."""
        page = self.web.get("home", "/", says="待办")
        found = page.links(r'href="/filings/(\d+)/"')
        if found:
            self.pause()
            self.decide(random.choice(found))

    def totals(self) -> None:
        """A register as figures."""
        self.web.get("totals", f"/ledgers/{random.choice(('pupils', 'teachers', 'classes'))}/totals")

    def export(self) -> None:
        """What the list shows as a file."""
        name = random.choice(("pupils", "teachers"))
        page = self.web.get("list", f"/ledgers/{name}/", says="筛选")
        fields = page.form("/export")
        if fields is None:
            return
        self.pause()
        form = random.choice(("xlsx", "csv"))
        made = self.web.post("export", f"/ledgers/{name}/export", [*fields, ("form", form)], says="")
        if "text/html" in made.kind and "/jobs/" not in made.address:
            self.samples.add("export", 0.0, "content: a page instead of a file")

    def people(self) -> None:
        """The accounts."""
        page = self.web.get("people", "/people/")
        found = page.links(r'href="/people/(\d+)/"')
        if found:
            self.pause()
            self.web.get("person", f"/people/{random.choice(found)}/")

    def trail(self) -> None:
        """Who did what."""
        self.web.get("trail", "/audit/")

    def _make_token(self) -> None:
        page = self.web.get("tokens", "/me/tokens")
        fields = [one for one in page.form('name="last_day"') or [] if one[0] != "scopes"]
        fields += [("scopes", one) for one in ("read", "write", "export")]
        made = self.web.post("make a token", "/me/tokens", with_values(fields, {"name": mark("汇总")}))
        self.program = Browser(self.port, self.samples, "program/1")
        secret = made.links(r'id="secret" value="([^"]+)"')[0]
        self.program.heads["Authorization"] = f"Bearer {secret}"

    def read_by_program(self) -> None:
        """The registers, a page of records, one of them."""
        if self.program is None:
            return self._make_token()
        self.program.call("API, read", "GET", "/api/v1/registers")
        page = self.program.call("API, read", "GET", "/api/v1/registers/pupils/records?sort=name&limit=100")
        items = json.loads(page.content)["items"]
        if items:
            self.program.call("API, read", "GET", f"/api/v1/records/{random.choice(items)['id']}/history")
        return None

    def write_by_program(self) -> None:
        """A new record, sent twice as after a broken line: one record; then its change."""
        if self.program is None:
            return self._make_token()
        text, key = mark("程序报送"), str(uuid.uuid4())
        values = {
            "published_on": self.day,
            "title": text,
            "medium": "7",
            "medium_name": "网站",
            "level": "6",
            "author": "处",
        }
        periods = json.loads(self.program.call("API, read", "GET", "/api/v1/periods?kind=year").content)
        now = next(one for one in periods["items"] if one["starts_on"] <= self.day < one["ends_on"])
        sent = json.dumps({"unit": self.person["unit"], "values": values, "period": now["code"]}).encode()
        made: dict[str, Any] = {}
        for again in range(2):
            ok = (200,) if again else (201,)
            made = self._written("POST", "/api/v1/registers/publicity/records", sent, ok, Idempotency_Key=key)
        self.ledger.note("API new", record=made["id"], texts=[text], versions=1, records=1)
        self.pause()
        remark = mark("程序改")
        changed = json.dumps({"values": {"remark": remark}, "base": made["version"]}).encode()
        self._written("PATCH", f"/api/v1/records/{made['id']}", changed, (200,))
        self.ledger.note("API change", record=made["id"], texts=[remark], versions=1)
        return None

    def _written(self, method: str, path: str, body: bytes, ok: tuple[int, ...], **heads: str) -> dict[str, Any]:
        assert self.program is not None
        try:
            found: dict[str, Any] = json.loads(self.program.call("API, write", method, path, body, ok, **heads).content)
        except WrongError:
            self.ledger.note("API", sure=False)
            raise
        return found


def main() -> None:
    port, people, ledger, out = int(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()), sys.argv[3], sys.argv[4]
    seconds, rise, shortest, longest = (float(one) for one in sys.argv[5:9])
    threading.stack_size(512 << 10)
    samples, book = Samples(), Ledger(Path(ledger))
    threads = []
    for number, one in enumerate(people["people"]):
        person = Person(port, samples, book, one, people["day"], (shortest, longest))
        late = rise * number / len(people["people"])
        threads.append(threading.Thread(target=person.live, args=(seconds, late), name=one["username"]))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = {"samples": [asdict(one) for one in samples.rows], "refusals": samples.refusals}
    Path(out).write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()

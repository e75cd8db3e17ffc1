"""The generator of writes, a process of its own: `python -m faults.generator SETTINGS.json`.

Each stream is a thread that sends one write after the other to a server, with its line in the ledger before and after.
It ends when the file `stop` appears; a connection that breaks ends the stream's present write as unanswered and is
tried anew, as a browser's owner would.
"""

from __future__ import annotations

import io
import json
import random
import re
import sys
import threading
import time
from pathlib import Path
from typing import Any

import requests

from faults.accounts_book import Book
from faults.county import PEOPLE, ROSTER

_WAIT = 60.0  # seconds for an answer


class Sender:
    """One person's way to one server."""

    def __init__(self, base: str, plan: dict[str, Any], who: str) -> None:
        self.base, self.person, self.csrf = base, plan["people"][who], plan["csrf"]
        self.http = requests.Session()
        self.http.trust_env = False

    def api(self, method: str, path: str, **more: Any) -> requests.Response:
        """A request of a program."""
        heads = {"Authorization": f"Bearer {self.person['token']}", **more.pop("headers", {})}
        return self.http.request(method, f"{self.base}/api/v1{path}", headers=heads, timeout=_WAIT, **more)

    def page(self, method: str, path: str, **more: Any) -> requests.Response:
        """A request of a browser; redirects are answers."""
        cookies = {"sessionid": self.person["session"], "csrftoken": self.csrf}
        heads = {"X-CSRFToken": self.csrf, "Accept": "text/html"}
        return self.http.request(
            method, f"{self.base}{path}", cookies=cookies, headers=heads, timeout=_WAIT, allow_redirects=False, **more
        )


class Stream(threading.Thread):
    """A kind of write, again and again."""

    def __init__(self, settings: dict[str, Any], kind: str, number: int, book: Book) -> None:
        super().__init__(name=f"{kind}-{number}", daemon=True)
        self.settings, self.plan, self.kind, self.book = settings, settings["plan"], kind, book
        self.base = settings["bases"][number % len(settings["bases"])]
        self.name_ = f"{settings['run']}-{kind}-{number}"
        self.random = random.Random(f"{settings['seed']}-{self.name_}")
        self.stop = Path(settings["stop"])
        self.count = 0
        self.last: dict[str, Any] = {}

    def run(self) -> None:
        """Until the stop file is there or the stream has nothing left to do."""
        while not self.stop.exists():
            self.count += 1
            try:
                if not getattr(self, f"do_{self.kind}")(f"{self.name_}-{self.count}"):
                    return
            except requests.RequestException:
                time.sleep(0.3)
            time.sleep(self.settings.get("pause", 0.0))

    def _send(self, key: str, kind: str, ask: Any, what: dict[str, Any], told: Any = lambda _found: {}) -> Any:
        self.book.asked(key, kind, **what)
        try:
            found = ask()
        except requests.RequestException as error:
            self.book.answered(key, 0, error=type(error).__name__)
            raise
        self.book.answered(key, found.status_code, **(told(found) if found.ok else {"said": _sentence(found)}))
        return found

    def do_records(self, key: str) -> bool:
        """A new record; one that got no answer is sent again under its key; then a change of it."""
        sender = Sender(self.base, self.plan, "clerk")
        values = {"code": key, "name": f"名{key}"[:20], "points": "1"}
        body = {"unit": self.plan["unit"], "values": values}

        def create() -> requests.Response:
            return sender.api("POST", f"/registers/{PEOPLE}/records", json=body, headers={"Idempotency-Key": key})

        try:
            made = self._send(
                key, "record", create, {"code": key, "points": 1}, lambda found: {"id": found.json()["id"]}
            )
        except requests.RequestException:
            time.sleep(0.5)
            self._send(f"{key}-again", "record", create, {"code": key, "points": 1}, lambda f: {"id": f.json()["id"]})
            return True
        if made.ok and self.random.random() < 0.5:
            number, version = made.json()["id"], made.json()["version"]
            points = self.random.randrange(2, 10_000)
            self._send(
                f"{key}-change",
                "change",
                lambda: sender.api(
                    "PATCH",
                    f"/records/{number}",
                    json={"values": {"points": str(points)}},
                    headers={"If-Match": f'"{version}"'},
                ),
                {"code": key, "points": points},
            )
        return True

    def do_photos(self, key: str) -> bool:
        """A photo, then a record that names it."""
        from PIL import Image

        sender = Sender(self.base, self.plan, "clerk")
        out = io.BytesIO()
        Image.effect_noise((160, 120), self.random.randrange(20, 200)).convert("RGB").save(out, "JPEG")
        form = {"unit": str(self.plan["unit"]), "kind": "photo", "key": key}
        files = {"file": (f"{key}.jpg", out.getvalue(), "image/jpeg")}
        sent = self._send(
            key,
            "photo",
            lambda: sender.api("POST", "/files", data=form, files=files),
            {"upload": key},
            lambda found: {"id": found.json()["id"], "sha256": found.json()["sha256"]},
        )
        if sent.ok:
            body = {"unit": self.plan["unit"], "values": {"code": key, "name": "有照片", "photo": [sent.json()["id"]]}}
            self._send(
                f"{key}-record",
                "record",
                lambda: sender.api("POST", f"/registers/{PEOPLE}/records", json=body, headers={"Idempotency-Key": key}),
                {"code": key, "photo": sent.json()["id"]},
                lambda found: {"id": found.json()["id"]},
            )
        return True

    def do_imports(self, key: str) -> bool:
        """A file is sent, answered with its preview, confirmed."""
        sender, rows = Sender(self.base, self.plan, "importer"), self.settings.get("rows", 600)
        lines = [
            "学号,姓名,班级,积分",
            *(f"{key}-{number:05d},学生{number},1班,{number % 50}" for number in range(rows)),
        ]
        files = {"files": (f"{key}.csv", "\n".join(lines).encode(), "text/csv")}
        found = self._send(
            f"{key}-start",
            "start",
            lambda: sender.page("POST", f"/ledgers/{ROSTER}/import", data={"unit": self.plan["unit"]}, files=files),
            {},
            lambda found: {"to": found.headers.get("Location", "")},
        )
        to = found.headers.get("Location", "")
        if not to:
            return True
        if not self._previewed(sender, to):
            return True
        what = {"prefix": f"{key}-", "rows": rows, "import": int(to.strip("/").split("/")[-1])}
        self._send(
            key, "import", lambda: sender.page("POST", f"{to}confirm"), what, lambda f: {"to": f.headers["Location"]}
        )
        return self.count < self.settings.get("imports", 10**6)

    def _previewed(self, sender: Sender, to: str) -> bool:
        """Wait until the file is read, answer what is asked with the defaults."""
        while not self.stop.exists():
            shown = sender.page("GET", f"{to}?step=confirm")
            text = shown.text
            if "/confirm" in text:
                return True
            if "/rerun" in text:  # its worker was killed
                sender.page("POST", f"{to}rerun")
            elif "/answer" in text:
                asked = re.findall(r'name="(q-[^"]+)" value="([^"]*)" checked', text)
                if not asked:
                    return False
                sender.page("POST", f"{to}answer", data=[(name.replace("&quot;", '"'), value) for name, value in asked])
            time.sleep(0.5)
        return False

    def do_approvals(self, key: str) -> bool:
        """Filings of the round of this run passed one by one by the district, then by the office."""
        left = self.settings["single"]
        if self.count > 2 * len(left):
            return False
        filing, _version = left[(self.count - 1) // 2]
        first = self.count % 2 == 1
        sender = Sender(self.base, self.plan, "district" if first else "office")
        seen = sender.api("GET", f"/filings/{filing}").headers.get("ETag", "")
        self._send(
            key,
            "approval",
            lambda: sender.api("POST", f"/filings/{filing}/approve", json={}, headers={"If-Match": seen}),
            {"filings": [filing], "level": "district" if first else "county", "seen": seen},
        )
        return True

    def do_bulk(self, key: str) -> bool:
        """All filings of a round at once, first by the district, then by the office."""
        if self.count > 2 * len(self.settings["bulk"]):
            return False
        round_ = self.settings["bulk"][(self.count - 1) // 2]
        first = self.count % 2 == 1
        sender = Sender(self.base, self.plan, "district" if first else "office")
        ids = [pk for pk, _version in round_["filings"]]
        path = f"/rounds/{round_['id']}/decide"
        page = sender.page("GET", f"{path}?what=approve&" + "&".join(f"chosen={pk}" for pk in ids))
        form = re.findall(r'<input type="hidden" name="([a-z]\w*(?:-\d+)?)" value="([^"]*)"', page.text)
        self._send(
            key,
            "bulk",
            lambda: sender.page("POST", path, data=form),
            {"filings": ids, "level": "district" if first else "county"},
        )
        return True

    def do_mergers(self, key: str) -> bool:
        """A school goes into another one: preview, then confirm."""
        if self.count > len(self.settings["merging"]):
            return False
        unit = self.settings["merging"][self.count - 1]
        sender = Sender(self.base, self.plan, "admin")
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 8 * 3600))
        form = {"receiver": str(self.plan["receiver"]), "day": day, "reason": f"并入 {key}"}
        path = f"/units/{unit}/change/merge/"
        shown = sender.page("POST", path, data={**form, "act": "preview"})
        basis = re.search(r'name="basis" value="([^"]*)"', shown.text)
        form |= {"act": "confirm", "basis": basis[1] if basis else ""}
        self._send(key, "merger", lambda: sender.page("POST", path, data=form), {"unit": unit, "reason": f"并入 {key}"})
        return True

    def do_workbooks(self, key: str) -> bool:
        """The merged workbook of a round."""
        sender = Sender(self.base, self.plan, "office")
        round_ = self.settings["bulk"][0]["id"]
        self._send(key, "workbook", lambda: sender.page("POST", f"/rounds/{round_}/merge"), {"round": round_})
        time.sleep(0.2)
        return True


def _sentence(found: requests.Response) -> str:
    text = re.sub(r"<(style|script).*?</\1>|<[^>]+>", " ", found.text, flags=re.DOTALL)
    return " ".join(text.split())[:300]


def main(settings: dict[str, Any]) -> None:
    """Start every stream and wait for their ends."""
    book = Book(Path(settings["book"]))
    streams = [
        Stream(settings, kind, number, book) for kind, many in settings["streams"].items() for number in range(many)
    ]
    for one in streams:
        one.start()
    for one in streams:
        one.join()


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))

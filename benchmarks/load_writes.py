"""What people of a load run write, each with its line in the ledger: change, new record, table, workbook, filing.

A write is first noted as sent; when the server has said that it is done it is noted as sure, with what it must have
left. What was sent and never answered stays in doubt, and the check afterwards says so.
"""

from __future__ import annotations

import io
import json
import random
import re
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import openpyxl

from load_web import Browser, Page, Samples, WrongError, with_values

ROW = 4  # the first row of a fill-in workbook with content; row 2 holds the hidden ids of the columns
_SAVED = re.compile(r"/records/(\d+)/")
_NUMBER = re.compile(r"/imports/(\d+)/")


class Ledger:
    """The run's own book of writes, one JSON a line, on the disk before the person goes on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def note(self, what: str, *, sure: bool = True, **more: Any) -> None:
        """One write. `sure`: the server acknowledged it. `texts`: marks that must be found exactly once."""
        line = json.dumps({"what": what, "sure": sure, **more}, ensure_ascii=False) + "\n"
        with self._lock, self.path.open("a", encoding="utf-8") as out:
            out.write(line)


def mark(words: str) -> str:
    """A text that nobody wrote before."""
    return f"{words}{uuid.uuid4().hex[:12]}"


class Writer:
    """The writing part of a person's day. `day`: what is written into fields of dates."""

    def __init__(self, web: Browser, ledger: Ledger, samples: Samples, person: dict[str, Any], day: str) -> None:
        self.web, self.ledger, self.samples, self.person, self.day = web, ledger, samples, person, day

    def pause(self) -> None:
        """As long as a person looks at a page before going on. Set by the day (the run may be short)."""
        time.sleep(random.uniform(2, 8))

    def _sent(self, what: str, kind: str, path: str, fields: Any, **more: Any) -> Page:
        """Post a write; where no answer came, whether it was done is in doubt."""
        try:
            return self.web.post(kind, path, fields, ok=(200, 400, 409), **more)
        except WrongError:
            self.ledger.note(what, sure=False)
            raise

    def _refused(self, page: Page, done: str) -> bool:
        """Whether the server answered a write with a sentence why not (somebody was faster, a round holds it)."""
        if page.status == 200 and done in page.text:
            return False
        self.samples.refused(self.person["role"], page.text)
        return True

    def change(self, record: str) -> None:
        """Open a record, its form, change its remark, save, and look whether the page says what was typed."""
        self.web.get("record", f"/records/{record}/")
        self.pause()
        form = self.web.get("form", f"/records/{record}/edit")
        fields = form.form("data-draft=")
        if fields is None or "disabled>保存到台账" in form.text:
            return
        text = mark("改")
        self.pause()
        fields = [*with_values(fields, {"f-remark": text}), ("act", "save")]
        page = self._sent("change", "save a form", f"/records/{record}/edit", fields)
        if self._refused(page, "已保存"):
            return
        self.ledger.note("change", record=int(record), texts=[text], versions=1)
        if text not in page.text:
            self.samples.add("save a form", 0.0, "content: the saved text is not on the page")

    def new(self) -> None:
        """A new record by its form."""
        form = self.web.get("form", "/ledgers/publicity/new?fresh=1")
        fields = form.form("data-draft=")
        if fields is None:
            return
        self.pause()
        text = mark("运动会报道")
        typed = {
            "f-published_on": self.day, "f-title": text, "f-medium": "7", "f-medium_name": "学校网站", "f-level": "6",
            "f-author": "办公室", "act": "save",
        }  # fmt: skip
        page = self._sent("new", "save a form", form.address, with_values(fields, typed))
        if self._refused(page, "已保存"):
            return
        found = _SAVED.search(page.address)
        self.ledger.note("new", record=int(found[1]) if found else None, texts=[text], versions=1, records=1)

    def table(self, rows: int = 3) -> None:
        """Some rows in the table on the page, saved at once."""
        form = self.web.get("table", "/ledgers/activities/grid")
        fields = form.form('id="grid"')
        if fields is None:
            return
        there = dict(fields)
        blank = [
            name[1:-6] for name, text in fields if re.fullmatch(r"r\d+-title", name) and not text
            and f"r{name[1:-6]}-=id" not in there
        ][:rows]  # fmt: skip
        typed: dict[str, str] = {}
        texts = [mark("读书节") for _ in blank]
        for number, text in zip(blank, texts, strict=True):
            self.pause()
            row = {"held_on": self.day, "title": text, "activity_kind": "8", "level": "6", "award_object": "0"}
            typed |= {f"r{number}-{name}": value for name, value in {**row, "winner": "全校"}.items()}
        page = self._sent("table", "save a table", form.address, [*with_values(fields, typed), ("act", "save")])
        if self._refused(page, "已保存"):
            return
        self.ledger.note("table", texts=texts, versions=len(texts), records=len(texts))

    def workbook(self) -> None:
        """The school's own roster of teachers: take the workbook, write into each row, upload, check, confirm."""
        taken = self.web.get("take a workbook", "/ledgers/teachers/template", says="PK")
        content, texts = filled(taken.content)
        self.pause()
        door = self.web.get("import, first page", "/ledgers/teachers/import")
        fields = door.form('id="upload"') or []
        self.pause()
        file = ("files", "教师花名册.xlsx", content)
        page = self._sent("upload", "upload and check", "/ledgers/teachers/import", fields, file=file)
        found = _NUMBER.search(page.address)
        if found is None or "去确认" not in page.text:
            self._refused(page, "去确认")
            return
        for _ in range(3):  # somebody else may have changed a teacher meanwhile: then it is shown and confirmed again
            self.pause()
            last = self.web.get("import, last look", f"/imports/{found[1]}/?step=confirm")
            confirm = last.form("/confirm")
            if confirm is None:
                return
            done = self._sent("import", "confirm an import", f"/imports/{found[1]}/confirm", confirm)
            if not self._refused(done, "看台账"):
                self.ledger.note("import", **{"import": int(found[1])}, texts=texts, versions=len(texts))
                return

    def hand_in(self) -> None:
        """The filing that stands in one's list: hand it in, or take it back while nobody has looked."""
        home = self.web.get("home", "/")
        links = home.links(r'href="/filings/(\d+)/"')
        if not links:
            return
        number = random.choice(links)
        self.pause()
        page = self.web.get("filing", f"/filings/{number}/")
        back, hand = page.form(f"/filings/{number}/recall"), page.form(f"/filings/{number}/submit")
        if hand is not None and 'id="blocking"' not in page.text:
            said = [
                (name, text or "已与原始记录核对无误") if name.startswith("why-") else (name, text)
                for name, text in hand
            ]
            self._step("submit", number, said, "已提交")
        elif back is not None:
            self._step("recall", number, back, "已撤回")

    def decide(self, number: str) -> None:
        """An approver looks at a filing and passes it."""
        page = self.web.get("filing", f"/filings/{number}/")
        form = page.form(f"/filings/{number}/approve")
        if form is not None:
            self.pause()
            self._step("approve", number, [one for one in form if one[0] != "next"], "已通过")

    def _step(self, what: str, number: str, fields: Any, done: str) -> None:
        self.pause()
        page = self._sent(what, "hand in, decide", f"/filings/{number}/{what}", fields)
        if not self._refused(page, done):
            self.ledger.note(what, filing=int(number), account=self.person["account"])


def filled(content: bytes) -> tuple[bytes, list[str]]:
    """A fill-in workbook with a mark in the remark of every row it has, and the marks."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book.worksheets[0]
    heads = {cell.value: cell.column for cell in sheet[2]}
    texts = []
    for row in range(ROW, sheet.max_row + 1):
        if sheet.cell(row, heads["jh:_record"]).value:
            texts.append(mark("表"))
            sheet.cell(row, heads["jh:remark"], texts[-1])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue(), texts

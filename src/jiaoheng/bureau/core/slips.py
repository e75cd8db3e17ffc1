"""Slips 账号条: the first passwords on paper. They exist once: in the answer to the one who made them."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import xlsxwriter
from django.conf import settings

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.refusals import NotFoundError

_HEADS = ("单位", "姓名", "角色", "账号", "初始密码", "说明")
_SAYS = "首次登录请改密码；本条只发本人"
_WIDTHS = (28, 12, 14, 16, 20, 34)
_LIVES = 30 * 60  # seconds until slips that nobody fetched are thrown away


@dataclass(frozen=True, slots=True)
class Slip:
    """One person's slip."""

    name: str
    unit: str
    role: str
    username: str
    password: str


def keep(slips: Sequence[Slip], account: Account) -> str:
    """Lay slips aside until the page fetches them once; returns the token of `take`."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _sweep(folder)
    token = secrets.token_urlsafe(24)
    body = {"account": account.pk, "at": clock.now().timestamp(), "slips": [asdict(slip) for slip in slips]}
    descriptor = os.open(folder / token, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump(body, out, ensure_ascii=False)
    return token


def take(token: str, account: Account) -> list[Slip]:
    """The slips laid aside, once: afterwards they are gone. Raises NotFoundError for everything else."""
    if not token or not all(one.isascii() and (one.isalnum() or one in "-_") for one in token):
        raise NotFoundError
    path, taken = _folder() / token, _folder() / f"{token}.taken"
    try:
        body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if body["account"] != account.pk or clock.now().timestamp() - body["at"] > _LIVES:
            raise NotFoundError
        path.rename(taken)  # of two at once only one gets them
    except FileNotFoundError:
        raise NotFoundError from None
    taken.unlink()
    return [Slip(**one) for one in body["slips"]]


def write_slips(path: Path, slips: Sequence[Slip]) -> None:
    """A workbook to print and cut, one line a person, A4 landscape."""
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet("账号条")
        head = book.add_format({"bold": True, "border": 1, "bg_color": "#E8EEF0"})
        text = book.add_format({"border": 1, "num_format": "@"})
        for column, (title, width) in enumerate(zip(_HEADS, _WIDTHS, strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, title, head)
        for row, slip in enumerate(slips, start=1):
            for column, value in enumerate((slip.unit, slip.name, slip.role, slip.username, slip.password, _SAYS)):
                sheet.write_string(row, column, value, text)
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)


def _folder() -> Path:
    return Path(settings.FILES) / "slips"


def _sweep(folder: Path) -> None:
    limit = clock.now().timestamp() - _LIVES
    for path in folder.iterdir():
        if path.stat().st_mtime < limit:
            path.unlink(missing_ok=True)

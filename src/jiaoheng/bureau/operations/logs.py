"""Logs as JSON lines without anything that names a person.

What is written of a log record is its template (never its filled-in text: arguments may be names), numbers among its
arguments, and of an exception its kind and places, never its text. Requests carry the route's pattern, not the path,
and the account's number, not its name.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import re
import time
import traceback
import uuid
from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

REQUESTS = "jiaoheng.requests"
KEEP_DAYS = 30
request_id: ContextVar[str] = ContextVar("request_id", default="")
_PLACEHOLDER = re.compile(r"%(?:\((?P<name>\w+)\))?[-#0 +]*\d*(?:\.\d+)?[diouxXeEfFgGcrsa]")
_WORD = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_.:-]{1,60}")  # a name of the program's own: kinds, duties, modules
_DIGITS = re.compile(r"\d{6,}")
_TEXT = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+|[\w.+-]+@[\w.-]+")


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """See the module."""
        body: dict[str, Any] = {
            "at": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, Mapping):
            body.update(fields)
        else:
            body["message"] = template_of(record)
        if "request" not in body and request_id.get():
            body["request"] = request_id.get()
        if record.exc_info and record.exc_info[1] is not None:
            body["exception"] = _kinds(record.exc_info[1])
            body["places"] = _places(record.exc_info[1])
        return json.dumps(body, ensure_ascii=False)


def template_of(record: logging.LogRecord) -> str:
    """A record's template with its harmless arguments put in: numbers, ids, and words of the program's own loggers."""
    template, arguments = str(record.msg), record.args
    own = record.name.startswith("jiaoheng.")
    if not arguments:
        # without arguments the text may have been put together by its maker
        return template if own and template.isascii() and not _DIGITS.search(template) else _masked(template)
    values = iter(() if isinstance(arguments, Mapping) else arguments)

    def put(found: re.Match[str]) -> str:
        named = found["name"]
        value = arguments.get(named) if named and isinstance(arguments, Mapping) else next(values, None)
        return _harmless(value, own)

    return _masked(_PLACEHOLDER.sub(put, template)) if not own else _PLACEHOLDER.sub(put, template)


def _harmless(value: object, own: bool) -> str:
    if isinstance(value, bool | float | uuid.UUID) or (isinstance(value, int) and abs(value) < 10**9):
        return str(value)
    if own and isinstance(value, str) and _WORD.fullmatch(value) and not _DIGITS.search(value):
        return value
    return "…"


def _masked(text: str) -> str:
    return _TEXT.sub("…", _DIGITS.sub("…", text))[:300]


def _kinds(error: BaseException) -> list[str]:
    kinds: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(kinds) < 5:
        kinds.append(type(seen).__name__)
        seen = seen.__cause__ or seen.__context__
    return kinds


def _places(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{Path(frame.filename).name}:{frame.lineno}:{frame.name}" for frame in frames[-12:]]


class DayFile(logging.Handler):
    """Appends to `NAME-2025-09-15.jsonl` in the logs folder; several processes may, a line is one write.

    The folder is DATA/logs. Files older than `KEEP_DAYS` are removed when a day begins. Logging never stops the work:
    a full disk loses lines, not requests.
    """

    def __init__(self, folder: str, name: str) -> None:
        super().__init__()
        self._folder, self._name = Path(folder), name
        self._day, self._descriptor = "", -1

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            line = (self.format(record) + "\n").encode()
            os.write(self._open(), line)
        except OSError:
            self._forget()

    def _open(self) -> int:
        day = time.strftime("%Y-%m-%d")
        if day != self._day:
            self._forget()
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f"{self._name}-{day}.jsonl"
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            self._day = day
            self._sweep()
        return self._descriptor

    def _sweep(self) -> None:
        border = time.time() - KEEP_DAYS * 86400
        for path in self._folder.glob(f"{self._name}-*.jsonl"):
            if path.stat().st_mtime < border:
                path.unlink(missing_ok=True)

    def _forget(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._day, self._descriptor = "", -1

    def close(self) -> None:
        """Close the file."""
        self._forget()
        super().close()


def configuration(data: Path) -> dict[str, Any]:
    """LOGGING of the settings: requests into one file a day, faults into another and to the console."""
    folder = str(data / "logs")
    own = "jiaoheng.bureau.operations.logs"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": f"{own}.JsonLines"}},
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "json"},
            "requests": {"()": f"{own}.DayFile", "folder": folder, "name": "requests", "formatter": "json"},
            "faults": {"()": f"{own}.DayFile", "folder": folder, "name": "faults", "formatter": "json", "level": "WARNING"},
        },
        "loggers": {
            REQUESTS: {"handlers": ["requests"], "level": "INFO", "propagate": False},
            "django.request": {"level": "ERROR"},  # refusals are in the requests' lines
            "django.security": {"level": "ERROR"},
            "axes": {"level": "CRITICAL"},  # the audit chain has the sign-ins
        },
        "root": {"handlers": ["console", "faults"], "level": "WARNING"},
    }  # fmt: skip

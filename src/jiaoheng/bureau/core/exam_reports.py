"""Finished exam reports in the data folder, one folder a report, as `jiaoheng exam report` writes them."""

from __future__ import annotations

import datetime as dt
import json
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Unit
from jiaoheng.bureau.core.refusals import NotFoundError
from jiaoheng.bureau.core.scope import scope_of

REPORT, SUMMARY = "report.html", "summary.json"
_TITLES = {
    REPORT: "报告（网页）",
    "report.docx": "报告（Word）",
    "tables.xlsx": "全部表格",
    "lists.xlsx": "名单（含个人成绩）",
    SUMMARY: "全部数字（程序用）",
}


@dataclass(frozen=True, slots=True)
class ReportFile:
    """One file of a report."""

    title: str
    path: str  # below the report's folder, with /
    size: str


@dataclass(frozen=True, slots=True)
class ExamReport:
    """One finished report."""

    name: str  # of its folder
    title: str
    made_at: dt.datetime
    files: tuple[ReportFile, ...]
    schools: tuple[ReportFile, ...]  # packs for single schools


def exam_reports(account: Account) -> list[ExamReport]:
    """The reports that an account may read, newest first. They show the whole county: others than its readers get none."""
    if not _may(account) or not _root().is_dir():
        return []
    found = [_report(one) for one in _root().iterdir() if (one / REPORT).is_file()]
    return sorted(found, key=lambda one: (one.made_at, one.name), reverse=True)


def access_exam_report(account: Account, name: str) -> ExamReport:
    """One report. Raises NotFoundError where there is none, or the account does not read the whole county."""
    for one in exam_reports(account):
        if one.name == name:
            return one
    raise NotFoundError


def access_exam_file(account: Account, name: str, path: str) -> tuple[Path, str]:
    """A file of a report and its media type: only one that the report lists. Raises NotFoundError."""
    report = access_exam_report(account, name)
    if path not in {one.path for one in (*report.files, *report.schools)}:
        raise NotFoundError
    return _root() / report.name / path, mimetypes.guess_type(path)[0] or "application/octet-stream"


def _root() -> Path:
    return Path(settings.DATA) / "exams"


def _may(account: Account) -> bool:
    return any(root.level == Unit.Level.COUNTY and not root.registers for root in scope_of(account, Can.READ).roots)


def _report(folder: Path) -> ExamReport:
    files = [one for one in sorted(folder.rglob("*")) if one.is_file()]
    top = [one for one in files if one.parent == folder and one.name in _TITLES]
    order = list(_TITLES)
    made = dt.datetime.fromtimestamp((folder / REPORT).stat().st_mtime, dt.UTC)
    return ExamReport(
        folder.name,
        _title(folder),
        clock.local(made),
        tuple(_file(folder, one) for one in sorted(top, key=lambda one: order.index(one.name))),
        tuple(_file(folder, one) for one in files if one.parent != folder),
    )


def _file(folder: Path, path: Path) -> ReportFile:
    kilobytes = max(1, round(path.stat().st_size / 1024))
    size = f"{kilobytes} KB" if kilobytes < 1024 else f"{kilobytes / 1024:.1f} MB"
    below = path.relative_to(folder).as_posix()
    return ReportFile(_TITLES.get(below, path.relative_to(folder).name), below, size)


def _title(folder: Path) -> str:
    try:
        said = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        return str(said["exam"]["name"])
    except (OSError, ValueError, KeyError, TypeError):
        return folder.name

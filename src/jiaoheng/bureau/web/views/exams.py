"""Finished exam reports: the list, the report itself, its files."""

from __future__ import annotations

from django.http import FileResponse, HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_GET

from jiaoheng.bureau.core.exam_reports import REPORT, access_exam_file, exam_reports
from jiaoheng.bureau.web.headers import FILES as FILE_POLICY
from jiaoheng.bureau.web.headers import REPORT as REPORT_POLICY
from jiaoheng.bureau.web.pages import page

READABLE = (REPORT,)  # opens in the browser; the rest is downloaded


@require_GET
def exams(request: HttpRequest) -> HttpResponse:
    """The reports of the county's exams."""
    return page(request, "web/exams.html", "考试", {"reports": exam_reports(request.user), "readable": READABLE})


@require_GET
def exam_file(request: HttpRequest, name: str, below: str) -> FileResponse:
    """A report or one of its files."""
    found, media_type = access_exam_file(request.user, name, below)
    response = FileResponse(
        found.open("rb"), as_attachment=below not in READABLE, filename=found.name, content_type=media_type
    )
    response["Content-Security-Policy"] = REPORT_POLICY if below in READABLE else FILE_POLICY
    return response


urls = [
    path("exams/", exams, name="exams"),
    path("exams/<str:name>/<path:below>", exam_file, name="exam_file"),
]

"""查看和导出完整号码的记录: who saw or took away full values."""

from __future__ import annotations

import csv
import io
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_GET

from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.refusals import ForbiddenError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.unmasked import HEADS, report, rows_of
from jiaoheng.bureau.web.pages import page
from jiaoheng.bureau.web.views.audit import asked_of, wanted_of
from jiaoheng.documents.safe_text import neutralise, one_line


@require_GET
def unmasked(request: HttpRequest) -> HttpResponse:
    """The looks and exports in the units whose trail one reads; `form=csv`: as a file."""
    if not scope_of(request.user, Can.AUDIT):
        raise ForbiddenError("操作记录由校长、学区、股室和管理员查看")
    asked = asked_of(request)
    errors, wanted = wanted_of(request, asked)
    if request.GET.get("form") == "csv":
        return _csv(rows_of(request.user, wanted))
    context = {
        "found": report(request.user, wanted),
        "asked": asked,
        "errors": errors,
        "before": request.GET.get("before", ""),
    }
    return page(request, "web/audit_unmasked.html", "查看和导出完整号码的记录", context)


def _csv(rows: object) -> HttpResponse:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADS)
    writer.writerows([neutralise(one_line(one)) for one in row] for row in rows)  # type: ignore[attr-defined]
    response = HttpResponse("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
    named = f"filename*=UTF-8''{quote('查看完整号码')}.csv"
    response["Content-Disposition"] = f'attachment; filename="unmasked.csv"; {named}'
    response["Cache-Control"] = "private, no-store"
    return response


urls = [path("audit/unmasked/", unmasked, name="audit-unmasked")]

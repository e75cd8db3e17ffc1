"""Accounts from a workbook, and the slips with first passwords that are shown once."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from jiaoheng.bureau.core.accounts_file import write_people_template
from jiaoheng.bureau.core.accounts_preview import STATES
from jiaoheng.bureau.core.actions_accounts_file import confirm_people, load_preview, preview_people
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.slips import take, write_slips
from jiaoheng.bureau.web.pages import page, see_other
from jiaoheng.bureau.web.views.people import may_manage, to_slips

MOST_BYTES = 10_000_000
_CRUMBS = "人员"


@require_http_methods(["GET", "POST"])
def people_import(request: HttpRequest) -> HttpResponse:
    """Three steps: the workbook, what it would do line by line, done."""
    may_manage(request)
    if request.GET.get("template"):
        return _workbook("账号模板.xlsx", lambda path: write_people_template(path, request.user))
    if request.method == "GET":
        return _steps(request, request.GET.get("preview", ""))
    preview_id = request.POST.get("preview", "")
    try:
        if preview_id:
            slips = confirm_people(preview_id, acting_user=request.user)
            if slips:
                return to_slips(request, slips)
            messages.success(request, "角色已增加，没有新建账号")
            return see_other("people")
        return see_other("people_import", query=urlencode({"preview": _upload(request)}))
    except RefusedError as error:
        return _steps(request, preview_id, refused=error)


def _upload(request: HttpRequest) -> str:
    file = request.FILES.get("file")
    if file is None:
        raise RefusedError("file-missing", "请选择填好的 Excel 文件", places={"file": "请选择文件"})
    if file.size > MOST_BYTES:
        size = f"{file.size // 1_000_000} MB"
        raise RefusedError("file-large", f"文件 {size}，最大 10 MB，请去掉图片或分成几份", places={"file": "请换一个"})
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / f"people{Path(file.name).suffix.lower()[:6]}"
        with target.open("wb") as out:
            for part in file.chunks():
                out.write(part)
        return preview_people(request.user, target, file.name).id


def _steps(request: HttpRequest, preview_id: str, refused: RefusedError | None = None) -> HttpResponse:
    preview = load_preview(request.user, preview_id) if preview_id else None
    context = {
        "preview": preview,
        "states": STATES,
        "step": 2 if preview is not None else 1,
        "errors": [{"anchor": "file" if preview is None else "h-rows", "text": str(refused)}] if refused else [],
        "errors_title": "没有建账号",
    }
    status = 400 if refused is not None else 200
    crumbs = [(_CRUMBS, reverse("people"))]
    return page(request, "web/people_import.html", "从 Excel 加人员", context, crumbs=crumbs, status=status)


@require_http_methods(["GET", "POST"])
def people_slips(request: HttpRequest) -> HttpResponse:
    """The slips once: on the page to print, or as a workbook. Opening the address alone does not use them up."""
    crumbs = [(_CRUMBS, reverse("people"))]
    if request.method == "GET":
        context = {"token": request.GET.get("token", ""), "count": request.GET.get("count", "")[:6]}
        return page(request, "web/people_slips.html", "账号条", context, crumbs=crumbs)
    slips = take(request.POST.get("token", ""), request.user)
    if request.POST.get("form") == "xlsx":
        return _workbook("账号条.xlsx", lambda path: write_slips(path, slips))
    return page(request, "web/people_slips.html", "账号条", {"slips": slips}, crumbs=crumbs)


def _workbook(shown: str, write: Callable[[Path], None]) -> HttpResponse:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "made.xlsx"
        write(target)
        content = BytesIO(target.read_bytes())
    return FileResponse(content, as_attachment=True, filename=shown)


urls = [
    path("people/import", people_import, name="people_import"),
    path("people/slips", people_slips, name="people_slips"),
]

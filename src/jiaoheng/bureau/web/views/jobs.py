"""One job of one's own: state, counted progress, cancel, run again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRefresh

from jiaoheng.bureau.core.access import access_job
from jiaoheng.bureau.core.actions_jobs import do_cancel_job, do_rerun_job
from jiaoheng.bureau.core.job_page import job_page
from jiaoheng.bureau.web.pages import page, see_other


@require_http_methods(["GET", "HEAD", "POST"])
def job(request: HttpRequest, job_id: str) -> HttpResponse:
    """A job's page; a post cancels it or runs it again."""
    found = access_job(request.user, job_id)
    if request.method == "POST":
        if request.POST.get("act") == "rerun":
            do_rerun_job(found, acting_user=request.user)
            messages.success(request, "已重新排队，从头执行")
        else:
            do_cancel_job(found, acting_user=request.user)
            messages.success(request, "已要求取消，没有写入任何数据")
        return see_other("job", found.pk)
    shown = job_page(found)
    if request.htmx and request.GET.get("part") == "progress":
        if not shown.running:
            return HttpResponseClientRefresh()
        return page(request, "web/parts/job_progress.html", "", {"job": shown})
    return page(request, "web/job.html", shown.title, {"job": shown})


urls = [path("jobs/<str:job_id>/", job, name="job")]

"""The way into the system settings: the office's own sign-in, and a clear word for who has no business there."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from jiaoheng.bureau.core.refusals import ForbiddenError


@login_not_required
def enter(request: HttpRequest) -> HttpResponse:
    """To the sign-in and back. Raises ForbiddenError for an account that the settings do not open for."""
    if request.user.is_authenticated and not request.user.is_staff:
        raise ForbiddenError("系统设置由系统管理员打开，请联系系统管理员")
    after = request.GET.get("next", reverse("admin:index"))
    return HttpResponseRedirect(f"{reverse('login')}?{urlencode({'next': after})}")

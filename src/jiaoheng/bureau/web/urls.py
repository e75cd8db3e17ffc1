"""Addresses of the pages, one list a room of the office."""

from __future__ import annotations

from django.urls import path

from jiaoheng.bureau.web import health, oidc, sign_in
from jiaoheng.bureau.web.views import (
    api_docs,
    audit,
    audit_unmasked,
    calendar,
    common,
    exams,
    filings,
    grid,
    home,
    imports,
    jobs,
    ledgers,
    operations,
    people,
    people_files,
    records,
    registers,
    rounds,
    second_factor,
    tokens,
    totals,
    units,
)

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("login/", sign_in.sign_in, name="login"),
    path("login/demo/", sign_in.sign_in_demo, name="login-demo"),
    *oidc.urls,
    path("logout/", sign_in.sign_out, name="logout"),
    path("password/", sign_in.change_password, name="password"),
    *home.urls,
    *common.urls,
    *second_factor.urls,
    *tokens.urls,
    *api_docs.urls,
    *exams.urls,
    *imports.urls,
    *jobs.urls,
    *registers.urls,
    *ledgers.urls,
    *totals.urls,
    *grid.urls,
    *records.urls,
    *rounds.urls,
    *filings.urls,
    *audit.urls,
    *audit_unmasked.urls,
    *operations.urls,
    *calendar.urls,
    *people.urls,
    *people_files.urls,
    *units.urls,
]

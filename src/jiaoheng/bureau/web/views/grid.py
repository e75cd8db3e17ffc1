"""Rows of a list register typed or pasted in a table on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from jiaoheng.bureau.core.access import whole_number
from jiaoheng.bureau.core.models import Period, Unit
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.ledgers.access import access_register
from jiaoheng.bureau.ledgers.actions_grid import do_save_grid
from jiaoheng.bureau.ledgers.fill_places import fill_places, fits
from jiaoheng.bureau.ledgers.grid import MOST_ROWS, GridLine, grid_of
from jiaoheng.bureau.ledgers.models import RegisterRow
from jiaoheng.bureau.web.pages import page, see_other
from jiaoheng.bureau.web.places import period_from, unit_from

_MORE = 10


@require_http_methods(["GET", "HEAD", "POST"])
def grid(request: HttpRequest, name: str) -> HttpResponse:
    """The table; a post saves all of it, or shows it again with every mistake at its cell."""
    register = access_register(request.user, name)
    values = request.POST if request.method == "POST" else request.GET
    unit = unit_from(request, values)
    if not values.get("unit") and not fits(unit, register):
        return _choose_unit(request, register)
    period = period_from(register, request.user, values)
    if request.method != "POST":
        return _table(request, register, unit, period)
    lines = _lines(request)
    if request.POST.get("act") == "more":
        return _table(request, register, unit, period, typed=lines, more=_MORE)
    try:
        saved = do_save_grid(register, unit, period, lines, acting_user=request.user)
    except RefusedError as refused:
        return _table(request, register, unit, period, typed=lines, refused=refused)
    messages.success(request, f"已保存：新增 {saved.new} 条，改动 {saved.changed} 条，不变 {saved.same} 条")
    query = {"unit": unit.pk, **({"period": period.pk} if period is not None else {})}
    return see_other("ledger", name, query=urlencode(query))


def _choose_unit(request: HttpRequest, register: RegisterRow) -> HttpResponse:
    places = fill_places(request.user, register)
    if len(places) == 1:
        return see_other("ledger_grid", register.name, query=urlencode({"unit": places[0].unit_id}))
    context = {"register": register, "places": places}
    return page(request, "web/grid_unit.html", "选单位", context, crumbs=_crumbs(register))


def _table(
    request: HttpRequest,
    register: RegisterRow,
    unit: Unit,
    period: Period | None,
    *,
    typed: Sequence[GridLine] | None = None,
    refused: RefusedError | None = None,
    more: int = 0,
) -> HttpResponse:
    places: Mapping[str, str] = refused.places if refused is not None else {}
    shown = grid_of(request.user, register, unit, period, typed=typed, places=places, more=more)
    errors = [
        {
            "anchor": f"cell-{row.number}-{cell.column.name}",
            "text": f"第 {row.number + 1} 行 {cell.column.title}：{cell.error}",
        }
        for row in shown.rows
        for cell in row.cells
        if cell.error
    ]
    errors += [
        {"anchor": f"row-{row.number}", "text": f"第 {row.number + 1} 行：{row.error}"}
        for row in shown.rows
        if row.error
    ]
    if refused is not None and not errors:
        errors = [{"anchor": "main", "text": str(refused)}]
    context = {"grid": shown, "errors": errors, "errors_title": "一行也没有保存，要改"}
    status = 400 if refused is not None else 200
    return page(request, "web/grid.html", f"{shown.title}，成批填", context, crumbs=_crumbs(register), status=status)


def _crumbs(register: RegisterRow) -> list[tuple[str, str]]:
    return [("台账", reverse("ledgers")), (register.title, reverse("ledger", args=[register.name]))]


def _lines(request: HttpRequest) -> list[GridLine]:
    """The rows as sent: inputs are named r<number>-<field>, with r<number>-id and r<number>-base beside them."""
    rows: dict[int, dict[str, str]] = {}
    for name, text in request.POST.items():
        number, _, field = name[1:].partition("-")
        if name.startswith("r") and number.isdigit() and field:
            rows.setdefault(whole_number(number), {})[field] = text
        if len(rows) > MOST_ROWS * 2:
            raise RefusedError("grid-too-many", f"一次最多保存 {MOST_ROWS} 行；更多的请用 Excel 导入")
    found = []
    for number in sorted(rows):
        cells = rows[number]
        record, base = cells.pop("=id", ""), cells.pop("=base", "")
        found.append(GridLine(cells, whole_number(record) if record else None, whole_number(base) if base else None))
    return found


urls = [path("ledgers/<slug:name>/grid", grid, name="ledger_grid")]

"""Every register that ships can be filled and listed: no pack asks for what the forms and lists do not have."""

from __future__ import annotations

import datetime as dt

import pytest

from bureau.world import World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Unit
from jiaoheng.bureau.core.periods import ensure_periods, period_of
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.ledgers.actions_drafts import do_save_draft
from jiaoheng.bureau.ledgers.actions_records import do_save_record
from jiaoheng.bureau.ledgers.actions_registers import do_load_pack
from jiaoheng.bureau.ledgers.form_model import new_form
from jiaoheng.bureau.ledgers.listing import list_page
from jiaoheng.bureau.ledgers.listing_columns import layout_of
from jiaoheng.bureau.ledgers.listing_query import ListQuery
from jiaoheng.bureau.ledgers.models import RegisterRow
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.registers.loading import load_shipped

pytestmark = pytest.mark.django_db
KINDS = {
    "text", "textarea", "integer", "number", "radio", "select", "checkboxes", "date", "datetime", "time", "year", "month",
    "file", "photo", "secret",
}  # fmt: skip


def test_every_shipped_register_has_a_form_and_a_list(world: World, noon: dt.datetime) -> None:
    """An empty form is refused naming every required field, a draft of it is kept, the list sorts by each column."""
    do_load_pack(load_shipped(), acting_user=None)
    ensure_periods(2025)
    units = {str(one.level): one for one in Unit.objects.order_by("-pk")}
    units |= {"school": world["甲"], "class": world["甲101"], "district": world["东"]}
    seen = set()
    for row in RegisterRow.objects.order_by("name"):
        schema = schema_of(row)
        period = None if str(schema.period) == "none" else period_of(str(schema.period), clock.today())
        unit = units[str(schema.level)]
        form = new_form(world["股长"], row, unit, period)
        assert {one.kind for one in form.fields} <= KINDS, row.name
        required = {one.name for one in form.fields if one.required}
        with pytest.raises(RefusedError) as refused:
            do_save_record(row, unit, period, {}, acting_user=world["股长"])
        assert required <= set(refused.value.places), row.name
        do_save_draft(row, unit, period, {schema.fields[0].name: "x"}, acting_user=world["股长"])
        layout = layout_of(row, clock.today())
        for name in ("", *layout.slots):
            page = list_page(world["股长"], row.name, ListQuery(sort=name, columns=tuple(layout.columns)))
            assert page.rows == ()
        seen.add(row.name)
    assert {"pupils", "teachers", "school_conditions", "classes"} <= seen

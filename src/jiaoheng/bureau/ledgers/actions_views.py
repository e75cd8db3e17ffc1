"""Keeping and dropping a person's own views of a list."""

from __future__ import annotations

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.ledgers.access import access_register
from jiaoheng.bureau.ledgers.listing import columns_of
from jiaoheng.bureau.ledgers.listing_columns import layout_of
from jiaoheng.bureau.ledgers.listing_query import ListQuery
from jiaoheng.bureau.ledgers.listing_rows import order_column, slot_of
from jiaoheng.bureau.ledgers.models import SavedView
from jiaoheng.bureau.ledgers.views import ViewShown, access_view

LONGEST = 40


@audit.action
def do_save_view(register: str, name: str, query: ListQuery, *, acting_user: Account) -> ViewShown:
    """Keep a list's filter, sort and columns under a name; the same name is written over.

    RefusedError `view-name`, or what the list itself would refuse.
    """
    row = access_register(acting_user, register)
    name = name.strip()
    if not name or len(name) > LONGEST:
        told = f"请给视图起一个名称，最多 {LONGEST} 个字"
        raise RefusedError("view-name", told, places={"name": told})
    layout = layout_of(row, clock.today())
    columns_of(layout, query)
    order_column(layout, query)
    for one in query.filters:
        slot_of(layout, one.field, "筛选")
    view, _new = SavedView.objects.update_or_create(
        account=acting_user,
        register=row,
        name=name,
        defaults={"query": query.as_dict()},
        create_defaults={"query": query.as_dict(), "created_at": clock.now()},
    )
    audit.note("view.save", actor=acting_user, about=("view", view.pk, f"{row.title} {name}"))
    return ViewShown(view.pk, view.name, query)


@audit.action
def do_drop_view(view_id: object, *, acting_user: Account) -> None:
    """Drop a view of one's own. NotFoundError for another person's."""
    view = access_view(acting_user, view_id)
    audit.note("view.drop", actor=acting_user, about=("view", view.pk, f"{view.register.title} {view.name}"))
    view.delete()

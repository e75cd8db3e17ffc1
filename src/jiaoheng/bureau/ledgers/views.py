"""A person's own views of a register's list, and what they open."""

from __future__ import annotations

from dataclasses import dataclass

from jiaoheng.bureau.core.access import whole_number
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.refusals import NotFoundError
from jiaoheng.bureau.ledgers.listing_query import ListQuery, from_dict
from jiaoheng.bureau.ledgers.models import RegisterRow, SavedView


@dataclass(frozen=True, slots=True)
class ViewShown:
    """A saved view."""

    id: int
    name: str
    query: ListQuery


def views_of(account: Account, register: RegisterRow) -> list[ViewShown]:
    """A person's views of a register, by name."""
    rows = SavedView.objects.filter(account=account, register=register).order_by("name")
    return [ViewShown(one.pk, one.name, from_dict(one.query)) for one in rows]


def access_view(account: Account, view_id: object) -> SavedView:
    """A view of one's own; another person's is a missing thing."""
    found = SavedView.objects.select_related("register").filter(pk=whole_number(view_id), account=account).first()
    if found is None:
        raise NotFoundError
    return found

"""The trail: an action leaves its entry in its own transaction; an action that notes nothing does not commit."""

from __future__ import annotations

import pytest

from bureau.world import START, World
from jiaoheng.bureau.core import audit
from jiaoheng.bureau.core.models import AuditEntry, Unit


def test_entry_holds_the_name_and_place_of_the_actor(world: World) -> None:
    @audit.action
    def do_touch(*, acting_user: object) -> None:
        audit.note("touch", actor=world["甲填报"], about=("unit", world["甲"].pk, "东镇甲小学"), reason="核对")

    do_touch(acting_user=world["甲填报"])
    entry = AuditEntry.objects.order_by("-number")[0]
    assert (entry.actor_name, entry.action, entry.reason) == ("甲填报（东镇甲小学）", "touch", "核对")


def test_an_action_without_a_note_leaves_nothing(world: World) -> None:
    @audit.action
    def do_silent(*, acting_user: object) -> None:
        Unit.objects.create(code="X1", level="school", starts_on=START)

    with pytest.raises(AssertionError, match="without an audit note"):
        do_silent(acting_user=None)
    assert not Unit.objects.filter(code="X1").exists()

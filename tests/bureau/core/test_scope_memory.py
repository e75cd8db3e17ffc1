"""Within a request memberships are asked for once; a change inside it is seen at once."""

from __future__ import annotations

from typing import Any

from bureau.world import World
from jiaoheng.bureau.core import scope
from jiaoheng.bureau.core.actions_accounts_roles import do_add_membership
from jiaoheng.bureau.core.capabilities import Can


def test_one_query_a_request_for_all_doors(world: World, noon: Any, django_assert_num_queries: Any) -> None:
    with scope.remembered(), django_assert_num_queries(2):  # memberships, and the county above the office
        for can in Can:
            scope.scope_of(world["股长"], can)


def test_a_membership_given_inside_the_request_counts_at_once(world: World, noon: Any) -> None:
    with scope.remembered():
        assert not scope.scope_of(world["甲教师"], Can.FILL)
        do_add_membership(world["甲教师"], "clerk", world["甲"], acting_user=world["管理员"], reason="接任填报")
        assert scope.scope_of(world["甲教师"], Can.FILL)

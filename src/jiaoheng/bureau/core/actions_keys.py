"""Adding a data key."""

from __future__ import annotations

from jiaoheng.bureau.core import audit, keys
from jiaoheng.bureau.core.models import Account


@audit.action
def do_add_key(*, acting_user: Account | None) -> str:
    """Make a new data key, the newest from now on; its id. RefusedError `keys-in-environment` says what to put there."""
    made = keys.add_key()
    audit.note("keys.add", actor=acting_user, about=("key", made, f"密钥 {made}"))
    return made

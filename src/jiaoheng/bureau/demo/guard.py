"""Where a demonstration may be built: never in production, never over somebody's data."""

from __future__ import annotations

from django.conf import settings

from jiaoheng.bureau.core.models import Account, AuditEntry, Unit
from jiaoheng.bureau.core.refusals import RefusedError


def check_allowed() -> None:
    """Raises RefusedError (`demo-production`) outside the demo environment."""
    if not settings.DEMO:
        raise RefusedError(
            "demo-production",
            f"当前环境是 {settings.ENVIRONMENT}，演示数据只能装进演示环境。请设 JIAOHENG_ENV=demo，并另用一个数据文件夹",
        )


def check_empty() -> None:
    """Raises RefusedError (`demo-not-empty`) where the database holds anything of a bureau."""
    for model, words in ((Unit, "单位"), (Account, "账号"), (AuditEntry, "操作记录")):
        count = model.objects.count()
        if count:
            raise RefusedError(
                "demo-not-empty", f"这个数据文件夹里已有 {count} 条{words}，演示数据只装进空库。请换一个空文件夹"
            )

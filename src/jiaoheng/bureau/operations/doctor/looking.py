"""Run every check; a check that breaks is itself a finding."""

from __future__ import annotations

from django.db.utils import Error as DatabaseError

from jiaoheng.bureau.operations.doctor import base, integrity, keeping, machine  # noqa: F401 (they register)
from jiaoheng.bureau.operations.doctor.findings import CHECKS, Finding, Health


def examine(*, thorough: bool = False) -> list[Finding]:
    """All findings, in the order of the checks."""
    found: list[Finding] = []
    for one in CHECKS.values():
        try:
            found += one.look(thorough)
        except DatabaseError as error:
            told = str(error).splitlines()[0] if str(error) else type(error).__name__
            remedy = "核对数据库是否在运行、DATABASE_URL 是否写对；还没有建立过数据库时先运行 jiaoheng upgrade"
            found.append(Finding(one.key, one.title, Health.BAD, f"数据库没有应答（{told}）", remedy))
        except OSError as error:
            remedy = "核对数据文件夹的位置和权限（环境变量 JIAOHENG_DATA）"
            found.append(Finding(one.key, one.title, Health.BAD, f"读不了 {error.filename}：{error.strerror}", remedy))
    return found


def worst(found: list[Finding]) -> Health:
    """The state of the whole."""
    states = {one.state for one in found}
    return Health.BAD if Health.BAD in states else Health.LOOK if Health.LOOK in states else Health.GOOD

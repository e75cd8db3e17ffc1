"""Small imports for the queue: `python -m faults.queueing read|write NUMBER UNIT` in the environment of a base."""

from __future__ import annotations

import io
import sys


def queue(what: str, many: int, unit_id: int) -> None:
    """`read`: take so many files in, to be read by a worker; `write`: confirm what was read, to be written by one."""
    from faults.county import ROSTER
    from jiaoheng.bureau.core.models import Account, Unit
    from jiaoheng.bureau.ledgers.imports.confirming import do_confirm_import
    from jiaoheng.bureau.ledgers.imports.starting import do_start_import
    from jiaoheng.bureau.ledgers.models import ImportBatch, RegisterRow

    person = Account.objects.get(name="导入员")
    if what == "read":
        register, unit = RegisterRow.objects.get(name=ROSTER), Unit.objects.get(pk=unit_id)
        for number in range(many):
            lines = ["学号,姓名,班级,积分", *(f"Q{number:03d}-{row},学生{row},1班,1" for row in range(5))]
            upload = io.BytesIO("\n".join(lines).encode())
            do_start_import(register, unit, [(upload, f"{number}.csv")], at_once=False, acting_user=person)
        return
    for batch in ImportBatch.objects.filter(state=ImportBatch.State.PREVIEW).order_by("pk"):
        do_confirm_import(batch, at_once=False, acting_user=person)


if __name__ == "__main__":
    from jiaoheng.bureau.setup import start_django

    start_django()
    queue(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

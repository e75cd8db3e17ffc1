"""`jiaoheng doctor --json` and `jiaoheng audit verify` in one process that stays: `python -m faults.examiner`.

Each line on its input is a question, each line of its output an answer: a program that is loaded once saves the time
of loading it for each of many runs. What is run is the commands' own code. With other words on the line, the command of
that name is run in a process of its own.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from typing import Any


def examine() -> dict[str, Any]:
    """What the doctor says, and the trail's proof."""
    from django.db import close_old_connections, connections

    from jiaoheng.bureau.core import keys
    from jiaoheng.bureau.core.audit_chain import verify
    from jiaoheng.cli.doctor import _examine

    connections.close_all()
    keys.forget()
    close_old_connections()
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        code = _examine(True, True)
    verdict = verify()
    return {"code": code, "doctor": json.loads(told.getvalue()), "whole": verdict.whole, "audit": verdict.sentence}


if __name__ == "__main__":
    from jiaoheng.bureau.setup import start_django

    start_django()
    for _line in sys.stdin:
        sys.stdout.write(json.dumps(examine(), ensure_ascii=False) + "\n")
        sys.stdout.flush()

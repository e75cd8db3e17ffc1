"""What sealing costs: seconds of processor time for 100,000 rows with two protected columns, against the same in the clear.

python benchmarks/sealing.py           sealing, hashing and writing out as JSON alone
python benchmarks/sealing.py --write   the whole writer, into a database of its own
"""

from __future__ import annotations

import datetime as dt
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["JIAOHENG_DATA"] = tempfile.mkdtemp(prefix="jiaoheng-sealing-")
os.environ["JIAOHENG_ENV"] = "demo"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from jiaoheng.bureau.setup import start_django

start_django()

from jiaoheng.bureau.ledgers import sealing  # noqa: E402
from jiaoheng.registers.model import Field, FieldType, Level, PeriodKind, Register, Sensitive  # noqa: E402

ROWS = 100_000
PROTECTED = {"id": Sensitive.ID_NUMBER, "phone": Sensitive.PHONE}


def register(sealed: bool) -> Register:
    """14 columns, two of them protected or not."""
    names = ["name", *PROTECTED, *(f"x{number}" for number in range(10))]
    fields = [
        Field(
            name, FieldType.STRING, name, sensitive=PROTECTED[name] if sealed and name in PROTECTED else Sensitive.NONE
        )
        for name in names
    ]
    return Register(
        name="sealed" if sealed else "plain",
        title="表",
        version=1,
        effective_from=dt.date(2020, 9, 1),
        level=Level.SCHOOL,
        period=PeriodKind.NONE,
        key=("code",),
        fields=(Field("code", FieldType.STRING, "code", required=True), *fields),
    )


def rows() -> list[Any]:
    """Contents."""
    more = {f"x{number}": "abcdefgh" for number in range(10)}
    return [
        {"code": str(one), "name": f"学{one}", "id": f"9900002012{one:08d}", "phone": f"138{one:08d}", **more}
        for one in range(ROWS)
    ]


def timed(work: Callable[[], Any]) -> float:
    """Seconds of processor time."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def alone(sealed: bool, contents: list[Any]) -> tuple[float, int]:
    """Seconds, and characters of JSON."""
    schema = register(sealed)
    texts: list[bytes] = []

    def work() -> None:
        made = sealing.seal_rows(schema, contents)
        sealing.hash_columns(schema, made)
        texts.extend(sealing.stored_texts(schema, made))

    return timed(work), sum(map(len, texts))


def written(sealed: bool, contents: list[Any], world: Any) -> float:
    """Seconds of the whole writer."""
    from bureau.ledgers.registers_for_tests import store
    from jiaoheng.bureau.core import audit
    from jiaoheng.bureau.ledgers.changes import Change
    from jiaoheng.bureau.ledgers.writing import Batch, write

    schema = register(sealed)
    row = store(schema)

    @audit.action
    def run(*, acting_user: Any) -> None:
        audit.note("import.confirm", actor=acting_user)
        batch = Batch(row, schema, None, acting_user, "file", indexed=False)
        for start in range(0, ROWS, 20_000):
            write(batch, [Change(world["甲"].pk, one) for one in contents[start : start + 20_000]])

    return timed(lambda: run(acting_user=world["甲填报"]))


def main() -> None:
    """Print both and what a value costs."""
    contents = rows()
    if "--write" in sys.argv:
        from django.core.management import call_command

        from bureau.world import make_world

        call_command("migrate", verbosity=0)
        world = make_world()
        with_, without = written(True, contents, world), written(False, contents, world)
    else:
        (with_, long), (without, short) = alone(True, contents), alone(False, contents)
        print(f"{(long - short) / ROWS / len(PROTECTED):.0f} bytes a value")
    cost = (with_ - without) / ROWS / len(PROTECTED) * 1e6
    print(f"sealed {with_:.2f} s, in the clear {without:.2f} s: {cost:.1f} µs a value")


main()

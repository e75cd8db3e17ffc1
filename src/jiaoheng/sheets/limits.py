"""How much an untrusted file may cost before it is refused."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

PREFIX = "JIAOHENG_READ_"
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for one file; each can be set by argument or by the environment variable JIAOHENG_READ_<NAME>.

    The defaults let a province's largest single workbook through (a full xlsx sheet of 1,048,576 rows with
    19 columns) and stop everything known to abort or stall a reader.
    """

    file_bytes: int = 200 * MB  # the file as it lies on the disk; a larger one is not even opened
    inflated_bytes: int = 1_000 * MB  # all parts of a workbook after unpacking, counted while unpacking
    ratio: int = 100  # unpacked : packed of one part of more than 10 MB; real sheets stay below 50
    entries: int = 10_000  # parts in a workbook's archive
    cells: int = 20_000_000  # rows × columns up to the last filled cell, all sheets together
    rows: int = 1_048_576  # Excel's own bound
    columns: int = 2_000  # the widest item-score sheets have some hundreds
    sheets: int = 256
    text: int = 32_767  # characters in one cell, Excel's own bound; the rest is cut with a warning
    seconds: int = 60  # processor time, and half as much again on the wall clock
    memory_bytes: int = 2_000 * MB  # address space of the reading process

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not isinstance(value, int) or value <= 0:
                raise ValueError(f"读取上限 {item.name} 应为正整数，现为 {value!r}")

    @property
    def wall_seconds(self) -> float:
        """Wall-clock bound of one file: a busy machine gives a process less than its processor time."""
        return self.seconds * 1.5

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Limits:
        """The defaults with what JIAOHENG_READ_FILE_BYTES, …_CELLS, …_SECONDS and so on say instead.

        Raises ValueError naming the variable where it is not a positive whole number.
        """
        source = os.environ if environment is None else environment
        given: dict[str, int] = {}
        for item in fields(cls):
            name = PREFIX + item.name.upper()
            text = source.get(name, "").strip()
            if not text:
                continue
            if not text.isascii() or not text.isdigit() or int(text) == 0:
                raise ValueError(f"环境变量 {name} 应为正整数，现为“{text}”")
            given[item.name] = int(text)
        return cls(**given)

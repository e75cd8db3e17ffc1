"""Put the tables of our chart font into the order in which letters are drawn from it.

The engine that draws charts maps the font's file anew for every letter and reads the head tables each time. With the
small tables together at the front a letter touches a third of the pages and takes little more than half the time;
nothing else changes.

    python scripts/order_font.py src/jiaoheng/documents/fonts/JiaohengSans-Regular.ttf
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

ORDER = ("head", "hhea", "maxp", "OS/2", "name", "post", "cmap", "hmtx", "loca", "glyf")
ENTRY = struct.Struct(">4sIII")  # tag, check sum, start, length


def ordered(font: bytes) -> bytes:
    """The same tables in ORDER. Raises ValueError where the font has other tables."""
    count = struct.unpack_from(">H", font, 4)[0]
    entries = {entry[0].decode(): entry for entry in (ENTRY.unpack_from(font, 12 + 16 * i) for i in range(count))}
    if set(entries) != set(ORDER):
        raise ValueError(f"tables {sorted(entries)} instead of {sorted(ORDER)}")
    body, places = b"", {}
    for tag in ORDER:
        _, check, start, length = entries[tag]
        places[tag] = ENTRY.pack(tag.encode(), check, 12 + 16 * count + len(body), length)
        body += font[start : start + length] + b"\0" * (-length % 4)
    return font[:12] + b"".join(places[tag] for tag in sorted(places)) + body


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_bytes(ordered(path.read_bytes()))

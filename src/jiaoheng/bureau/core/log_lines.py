"""Lines of the server's log without people's numbers: whatever a fault or an address carries along is masked (P06)."""

from __future__ import annotations

import logging
import re

from jiaoheng.registers.masking import mask
from jiaoheng.registers.model import Sensitive

# an identity number (also percent-encoded around), and a mobile number; longer runs of digits are something else
_IDENTITY = re.compile(r"(?<![0-9])[1-9][0-9]{16}[0-9Xx](?![0-9])")
_MOBILE = re.compile(r"(?<![0-9])1[3-9][0-9]{9}(?![0-9])")


def without_numbers(text: str) -> str:
    """A text with identity and mobile numbers masked."""
    text = _IDENTITY.sub(lambda found: mask(found[0], Sensitive.ID_NUMBER), text)
    return _MOBILE.sub(lambda found: mask(found[0], Sensitive.PHONE), text)


class MaskedFormatter(logging.Formatter):
    """The usual lines, tracebacks included, with people's numbers masked."""

    def format(self, record: logging.LogRecord) -> str:
        """One record as text."""
        return without_numbers(super().format(record))

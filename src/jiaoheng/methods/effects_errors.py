"""The refusal of data that a value-added model can not use: a stable code and a Chinese sentence."""

from __future__ import annotations


class EffectsDataError(ValueError):
    """Raised by the value-added methods; `code` is stable, `text` says place, what is there and what to do."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text

"""What goes wrong on the way to an engine."""

from __future__ import annotations


class EngineError(RuntimeError):
    """The engine cannot be reached; the message is for the user."""

"""What a door says when it does not open."""

from __future__ import annotations

from typing import Any


class NotFoundError(Exception):
    """What one may not read and what does not exist are the same: 404 with one body."""


class ForbiddenError(Exception):
    """What one may read but not write: 403 with a sentence that says whose right it is."""


class RefusedError(Exception):
    """An action that cannot be done now. `code` is stable, the text is for the user, `places` link to fields."""

    def __init__(self, code: str, message: str, *, places: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.places = places or {}


class ConflictError(RefusedError):
    """The thing was changed since the person opened it; `detail` carries both versions for the page (409)."""

    def __init__(self, code: str, message: str, **detail: Any) -> None:
        super().__init__(code, message)
        self.detail = detail

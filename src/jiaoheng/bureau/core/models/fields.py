"""Column types that behave alike on both databases."""

from __future__ import annotations

from typing import Any

from django.db import models


class SortKeyField(models.CharField):
    """Text compared byte by byte on both databases: PostgreSQL would otherwise sort by the server's language."""

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        """Column type with the collation of the database at hand."""
        found: dict[str, Any] = super().db_parameters(connection)
        found["collation"] = "C" if connection.vendor == "postgresql" else "BINARY"
        return found

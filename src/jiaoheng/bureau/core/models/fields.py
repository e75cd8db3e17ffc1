"""Column types that behave alike on both databases."""

from __future__ import annotations

from typing import Any

import orjson
from django.db import models
from django.db.models.fields.json import KeyTransform

from jiaoheng.bureau.core import secrets
from jiaoheng.registers.sealed import CIPHER, Sealed


class SortKeyField(models.CharField):
    """Text compared byte by byte on both databases: PostgreSQL would otherwise sort by the server's language."""

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        """Column type with the collation of the database at hand."""
        found: dict[str, Any] = super().db_parameters(connection)
        found["collation"] = "C" if connection.vendor == "postgresql" else "BINARY"
        return found


def as_content(found: dict[str, Any]) -> dict[str, Any]:
    """A content as it lies in the base, with its sealed values."""
    for name, one in found.items():
        if type(one) is dict:
            found[name] = Sealed.of(one)
    return found


class ContentField(models.JSONField):
    """The content of a record: what is sealed in it comes out as `Sealed`, which reads as its mask."""

    def deconstruct(self) -> Any:
        """For migrations it is a plain JSON field: the column is the same."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, kwargs

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """The content with its sealed values."""
        if type(value) is str and not isinstance(expression, KeyTransform):
            # several times faster than the standard library, and the names of fields are one object in all contents
            found = orjson.loads(value)
        else:
            found = super().from_db_value(value, expression, connection)
        if type(found) is not dict:
            return found
        if isinstance(expression, KeyTransform):
            return Sealed.of(found) if CIPHER in found else found
        return as_content(found)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """Sealed values go back as they came."""
        if isinstance(value, dict) and any(isinstance(one, Sealed) for one in value.values()):
            value = {name: one.stored if isinstance(one, Sealed) else one for name, one in value.items()}
        return super().get_db_prep_save(value, connection)


class SealedTextField(models.TextField):
    """A short text that lies encrypted in the database; "" stays "". Not for searching. `place` binds it."""

    def __init__(self, *args: Any, place: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.place = place

    def deconstruct(self) -> Any:
        """With its place."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "place": self.place}

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """The text. What was stored before there were keys has no place in it and is read as it is."""
        return secrets.unseal_at(self.place, value) if value and f":{self.place}:" in value else value

    def get_prep_value(self, value: Any) -> Any:
        """The cipher text."""
        found = super().get_prep_value(value)
        return secrets.seal(self.place, found) if found else found


class SealedJSONField(models.JSONField):
    """A JSON value that lies encrypted as a whole. Not for searching. `place` binds it."""

    def __init__(self, *args: Any, place: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.place = place

    def deconstruct(self) -> Any:
        """For migrations it is a plain JSON field: the column is the same."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, kwargs

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """The value; one stored before there were keys as it is."""
        found = super().from_db_value(value, expression, connection)
        if isinstance(found, dict) and found.keys() == {CIPHER}:
            return secrets.unseal_at(self.place, found[CIPHER])
        return found

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """The cipher text in JSON."""
        if value is not None and not hasattr(value, "resolve_expression"):
            value = {CIPHER: secrets.seal(self.place, value)}
        return super().get_db_prep_save(value, connection)

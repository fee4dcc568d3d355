"""Ids in addresses, as clients write them."""

from __future__ import annotations

from uuid import UUID

from django.urls import register_converter
from django.urls.converters import UUIDConverter


class Id(UUIDConverter):
    """In capitals, too, as Swift and others write them: RFC 9562 has both read alike, and Django only small ones."""

    regex = "[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"

    def to_python(self, value: str) -> UUID:
        return UUID(value)


register_converter(Id, "id")
ID = "<id:id>"  # in an address; who asks for it has the kind registered

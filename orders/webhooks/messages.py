"""A message as it is sent: its body, and its signature by the Standard Webhooks specification (version 1).

The body is made anew for each attempt and is the same each time. It holds ids and links, and nothing of a person.
"""

from __future__ import annotations

import base64
import secrets
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from django.conf import settings
from standardwebhooks import Webhook

ORDERS = "api/v1/orders"  # who sends knows no addresses of pages: so it stands here, and a test compares
SECRET_BYTES = 32


class Message(msgspec.Struct, frozen=True):
    """What is sent to one endpoint. ``secrets``: the endpoint's, and those before it that still count."""

    delivery: int
    endpoint: int
    attempt: int
    id: str
    url: str
    secrets: tuple[str, ...]
    kind: str
    order_id: UUID | None
    number: str
    status: str
    sequence: int
    happened_at: datetime

    @property
    def body(self) -> bytes:
        data: dict[str, object] = {}
        if self.order_id:
            here = f"{settings.PUBLIC_URL.rstrip('/')}/{ORDERS}/{self.order_id}/"
            order = {
                "id": self.order_id,
                "number": self.number,
                "status": self.status,
                "sequence": self.sequence,
                "links": {"self": here, "timeline": f"{here}timeline/"},
            }
            data["order"] = order
        return msgspec.json.encode({"type": self.kind, "timestamp": self.happened_at, "data": data})

    def headers(self, body: bytes) -> list[str]:
        now = datetime.now(UTC)
        signatures = (Webhook(secret).sign(self.id, now, body.decode()) for secret in self.secrets)
        return [
            "Content-Type: application/json",
            "User-Agent: shop-webhooks/1",
            f"webhook-id: {self.id}",
            f"webhook-timestamp: {int(now.timestamp())}",
            f"webhook-signature: {' '.join(signatures)}",
        ]


def new_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"

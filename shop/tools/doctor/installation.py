"""What is examined: an installation as its settings describe it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings

LOCAL = ("localhost", "::1", "0.0.0.0")  # noqa: S104 (it is recognised, not listened on)


class Provider(NamedTuple):
    """``of_class``, ``of_address``: the settings that name its client's class, and its address ``url``."""

    of_class: str
    of_address: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Installation:
    """``databases``: as Django's settings have them. ``broker_url`` is ``redis_url`` where Redis carries the messages."""

    services: Sequence[str]
    databases: Mapping[str, Mapping[str, Any]] = field(repr=False)
    redis_url: str = field(repr=False)
    broker_url: str = field(repr=False)
    broker_options: Mapping[str, Any]
    prefix: str
    providers: Mapping[str, Provider]  # by who it is
    secret_key: str = field(repr=False)  # empty: not set
    public_url: str
    allowed_hosts: Sequence[str]
    debug: bool
    demo: bool
    data: Path | None
    root: Path

    @classmethod
    def here(cls) -> Installation:
        return cls(
            services=settings.SERVICES,
            databases=settings.DATABASES,
            redis_url=settings.REDIS_URL,
            broker_url=settings.CELERY_BROKER_URL,
            broker_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS,
            prefix=settings.CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS["global_keyprefix"],
            providers={
                "payment provider": Provider("PAYMENTS_GATEWAY", "PAYMENTS_URL", settings.PAYMENTS_URL),
                "carrier": Provider("CARRIER", "CARRIER_URL", settings.CARRIER_URL),
            },
            secret_key=os.environ.get("SECRET_KEY", ""),
            public_url=settings.PUBLIC_URL,
            allowed_hosts=settings.ALLOWED_HOSTS,
            debug=settings.DEBUG,
            demo=settings.DEMO,
            data=Path(settings.DATA) if settings.DATA else None,
            root=Path(settings.BASE_DIR),
        )

    @property
    def is_public(self) -> bool:
        """Whether others than people at this computer are meant to come."""
        return not is_local(self.public_url)

    @property
    def has_rabbitmq(self) -> bool:
        return self.broker_url.startswith("amqp")


def is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in LOCAL or host.startswith("127.") or host.endswith(".localhost")


def place(url: str, port: int) -> str:
    """Where an address leads to, without who and with which password."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or port}"

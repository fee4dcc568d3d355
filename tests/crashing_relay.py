"""The relay for tests: it dies at the moment ``relaying`` when armed, with rows claimed and nothing sent."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import django
from django.core.management import call_command

from tests.crashing import die_if


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    django.setup()
    from shop.messaging import relay

    send = relay._send

    def watched(service: str, rows: Iterable[Any], producer: Any, *, again: bool = False) -> None:
        rows = list(rows)
        if rows:
            die_if("relaying")
        send(service, rows, producer, again=again)

    relay._send = watched
    call_command("relay")


if __name__ == "__main__":
    main()

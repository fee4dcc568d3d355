"""What lies before and behind the shop: its own web process, and the providers."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from shop.base.providers import client_class
from shop.tools.doctor.findings import Findings, Scribe, sentence
from shop.tools.doctor.installation import Installation

PATIENCE = 2.0  # s
PORTS = {"http": 80, "https": 443}


def check_web(shop: Installation) -> Findings:
    """That the web process answers. What it says of itself is not asked: that is what this command looks at."""
    say, url = Scribe("web"), f"{shop.public_url.rstrip('/')}/livez"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=PATIENCE) as answer:
            status = int(answer.status)
    except urllib.error.HTTPError as error:
        status = error.code
    except (OSError, ValueError) as error:
        yield say.wrong(
            f"The shop does not answer at {url}: {sentence(error)}.",
            "Start the web process, or set PUBLIC_URL to where it is.",
        )
        return
    if status != 200:
        yield say.wrong(
            f"{url} answers {status} where the shop would say 200.",
            "See what stands between (a proxy?), the web process's log, and whether PUBLIC_URL is right.",
        )


def check_providers(shop: Installation) -> Findings:
    say = Scribe("providers")
    for who, (of_class, of_address, url) in shop.providers.items():
        try:
            client_class(of_class)
        except ImproperlyConfigured as error:
            yield say.wrong(f"{sentence(error)}.", f"Set {of_class} to the class of the {who}'s client.")
        parts = urlsplit(url)
        place = (parts.hostname or "", parts.port or PORTS.get(parts.scheme, 80))
        try:
            socket.create_connection(place, timeout=PATIENCE).close()
        except OSError as error:
            yield say.wrong(
                f"The {who} can't be reached at {place[0]}:{place[1]}: {sentence(error)}.",
                f"See whether {of_address} is right and a firewall lets us out. Orders wait meanwhile.",
            )

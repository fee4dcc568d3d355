"""From where a request comes, as far as that can be known."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest

NETWORK = 64  # bits of an IPv6 address that are one customer of a provider's: the others are his to choose


def address_of(request: HttpRequest) -> str:
    """The client's address; of IPv6 its network. X-Forwarded-For is whatever the client likes it to be, unless it is
    known, by ``NUM_PROXIES``, how many proxies have added to it."""
    address = str(request.META.get("REMOTE_ADDR") or "unknown")
    proxies = settings.NUM_PROXIES
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    if proxies and forwarded != [""]:
        address = forwarded[-min(proxies, len(forwarded))]
    return network_of(address)


def peer_of(peer: object) -> str:
    """Of a connection. Empty: of a proxy at a socket of this computer."""
    return network_of(str(peer[0]).partition("%")[0]) if isinstance(peer, tuple) else ""


def network_of(address: str) -> str:
    try:
        known = ip_address(address)
    except ValueError:
        return address[:60]
    if not isinstance(known, IPv6Address):
        return str(known)
    if known.ipv4_mapped:
        return str(known.ipv4_mapped)
    return f"{IPv6Address(int(known) >> (128 - NETWORK) << (128 - NETWORK))}/{NETWORK}"

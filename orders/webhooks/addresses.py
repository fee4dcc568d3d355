"""Which addresses a customer may have called: what others on the internet can reach, and nothing within this network."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from orders.webhooks.models import LONGEST_URL

NAT64 = IPv6Network("64:ff9b::/96")  # of which the last 32 bits are an IPv4 address
NO_URL = "This is no URL."
NOT_PUBLIC = "has an address that is not public"


def flaw(url: str) -> str:
    """Why this is no URL to call, as a sentence; empty: it may be one. Where its name leads is seen when it is called."""
    schemes = ["http", "https"] if settings.WEBHOOKS["ANYWHERE"] else ["https"]
    if len(url) > LONGEST_URL:
        return f"It is too long: at most {LONGEST_URL} characters."
    if not url.isascii():  # which nothing would be sent to: libcurl is given bytes
        return "Write it in ASCII: a name as xn--…, and all else with %."
    try:
        parts = urlsplit(url)
        if parts.scheme.lower() not in schemes:
            return f"It must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}."
        if "@" in parts.netloc or parts.fragment:
            return "Leave out user, password and fragment: messages are signed instead."
        URLValidator(schemes)(url)
        host, _ = parts.hostname or "", parts.port  # which it can't read if there is none such
    except (ValueError, ValidationError):
        return NO_URL
    if settings.WEBHOOKS["ANYWHERE"]:
        return ""
    try:
        return "" if is_public(host) else "This address is not a public one."
    except ValueError:  # a name
        return "This address is not a public one." if host.lower().rstrip(".") == "localhost" else ""


def may_be_called(address: str) -> bool:
    return bool(settings.WEBHOOKS["ANYWHERE"]) or is_public(address)


def is_public(address: str) -> bool:
    """Whether it leads out of this network; also of an IPv6 address that stands for one of IPv4.

    Raises:
        ValueError: it is no IP address.
    """
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        if ip in NAT64:
            return _is_public(IPv4Address(int(ip) & 0xFFFFFFFF))
        if ip.ipv4_mapped:
            return _is_public(ip.ipv4_mapped)
        if ip.is_site_local:  # which Python takes for global
            return False
        inner = ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        return _is_public(ip) and (inner is None or _is_public(inner))
    return _is_public(ip)


def _is_public(ip: IPv4Address | IPv6Address) -> bool:
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)

"""What a browser is told of every answer: pages load from here alone, and run nothing that stands in the page itself.

django-csp puts the policy together anew for each answer, in 32 µs; this one never changes. A page that must be laxer sets
the header itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase

Answer = TypeVar("Answer", bound=HttpResponseBase)

HEADER = "Content-Security-Policy"
STRICT = {
    "default-src": "'self'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "img-src": "'self' data:",
    "object-src": "'none'",
}


# What a page may ask of the browser beyond that: nothing; and nobody else's page may load what is here.
BESIDE = {
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",  # files say so themselves how long they are good
}


def _told(policy: dict[str, str]) -> str:
    return "; ".join(f"{name} {sources}" for name, sources in policy.items())


_STRICT = _told(STRICT)
_WITH_STYLES = _told({**STRICT, "style-src": "'self' 'unsafe-inline'"})


def policy(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """A middleware. No answer is anybody's to store, but for files."""

    def answered(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault(HEADER, _STRICT)
        for name, value in BESIDE.items():
            response.headers.setdefault(name, value)
        return response

    return answered


def with_styles(response: Answer) -> Answer:
    """The page holds styles of its own, which are not ours to move into a file."""
    response.headers[HEADER] = _WITH_STYLES
    return response

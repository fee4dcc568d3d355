"""What each kind of client sends, and then doesn't."""

from __future__ import annotations

from dataclasses import dataclass

from tests.web import request

HALF_HEADERS = request("GET", "/")[:-2] + b"X-Slow: "
PAGE = request("GET", "/")
FORM = {"Content_Type": "application/json"}


@dataclass(frozen=True)
class Kind:
    name: str
    sent: bytes
    reads: bool = True


KINDS = (
    Kind("nothing is sent", b""),
    Kind("half of the headers", HALF_HEADERS),
    Kind(
        "750 kB of headers",
        request("GET", "/")[:-2] + b"".join(b"X-%d: " % n + b"a" * 8000 + b"\r\n" for n in range(95)),
    ),
    Kind(
        "a body but for its last kB",
        request("POST", "/api/v1/login/", b"a" * 499_000, Content_Length="500000", **FORM),
    ),
    Kind(
        "a body in chunks without end",
        request(
            "POST", "/api/v1/login/", b"1000\r\n" + b"a" * 4096 + b"\r\n", Transfer_Encoding="chunked", **FORM
        ),
    ),
    Kind("a page is asked for 40 times at once, and not read", PAGE * 40, reads=False),
)

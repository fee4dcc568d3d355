"""Each request has an id: the client's, where it sent one that is fit to be kept, else one of ours. It is in the answer,
in the log, and in the events of an order that follow from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import cast
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.log import log_response

from shop.base.tally import tally
from shop.messaging.origins import requested_in

HEADER = "X-Request-ID"
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
FIT = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


def request_id(sent: str) -> str:
    """What was sent, if it is well-formed; else a new one."""
    return sent if FIT.fullmatch(sent) else uuid4().hex


def id_in(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The same, of an answer that is given before Django sees the request."""
    sent = next((value for name, value in headers if name.lower() == HEADER.lower().encode()), b"")
    return request_id(sent.decode("latin-1"))


def count(view: str, method: str, status: int) -> None:
    """Count an answer, for the metrics. Labels must be few: what else a client may send is not one of them."""
    tally.add("http_requests", view or "none", method if method in METHODS else "other", str(status))


def with_its_id(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """A middleware: the first, so that no answer lacks it."""

    def answered(request: HttpRequest) -> HttpResponseBase:
        id = request_id(request.headers.get(HEADER, ""))
        with requested_in(id):
            response = get_response(request)
            if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE and response.has_header("Retry-After"):
                # It is meant: as other refusals it is no error, which Django would take it for.
                log_response(
                    "%s: %s",
                    response.reason_phrase,
                    request.path,
                    response=cast("HttpResponse", response),  # any answer will do
                    request=request,
                    level="warning",
                )
        response.headers[HEADER] = id
        view = request.resolver_match.view_name if request.resolver_match else ""
        count(view, request.method or "", response.status_code)
        return response

    return answered

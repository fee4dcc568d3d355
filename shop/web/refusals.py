"""What is refused outside the API's own views: problem documents under ``/api/``, Django's pages elsewhere."""

from __future__ import annotations

import json
from http import HTTPStatus

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt

from shop.base.api.problems import MEDIA_TYPE, document


@csrf_exempt
def unknown_address(request: HttpRequest) -> HttpResponse:
    """The last of the API's addresses: whatever is not one."""
    hint = "" if request.path.endswith("/") else " Addresses end with a slash."
    return _problem_page(request, HTTPStatus.NOT_FOUND, f"There is nothing at this address.{hint}")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's ``handler400``: what a middleware refuses, such as an unknown host."""
    if not request.path.startswith("/api/"):
        return defaults.bad_request(request, exception)
    unknown_host = isinstance(exception, DisallowedHost)
    detail = "This host name is not served." if unknown_host else "The request can't be understood."
    return _problem_page(request, HTTPStatus.BAD_REQUEST, detail)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's ``handler500``: what fails outside the API's own views."""
    if not request.path.startswith("/api/"):
        return defaults.server_error(request)
    detail = "Something went wrong here. It has been noted."
    return _problem_page(request, HTTPStatus.INTERNAL_SERVER_ERROR, detail)


def _problem_page(request: HttpRequest, status: HTTPStatus, detail: str) -> HttpResponse:
    body = json.dumps(document(status, detail, request.path))
    return HttpResponse(body, status=status, content_type=MEDIA_TYPE)

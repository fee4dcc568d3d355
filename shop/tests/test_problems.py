"""Whatever goes wrong, the API answers with a problem document."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as project
from django.contrib.auth.models import User
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import UnreadablePostError
from django.test import RequestFactory
from rest_framework.test import APIClient

from shop.tests.account import LOGIN, RIGHT, log_in
from shop.tests.documents import problem
from shop.tools.up.ports import free_port
from shop.web import refusals

pytestmark = pytest.mark.usefixtures("account")

ORDERS = "/api/v1/orders/"


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "patch"])
@pytest.mark.parametrize(
    "path",
    [
        "/api/",
        "/api/v1/",
        "/api/v1/orders",
        "/api/v1/orders/7/",
        "/api/v1/orders.json",
        "/api/x%0Ay",
        "/api/%FF/\u2603/",
    ],
)
def test_an_unknown_address_is_a_problem_and_not_a_page(method: str, path: str) -> None:
    client = APIClient(enforce_csrf_checks=True)
    document = problem(getattr(client, method)(path), 404)
    assert document["instance"].isascii()
    assert ("end with a slash" in document["detail"]) != path.endswith("/")


@pytest.mark.parametrize(
    "path", [ORDERS, "/api/v1/login/", "/api/v1/products/", "/api/schema/", "/api/docs/"]
)
def test_a_method_that_is_not_there_is_refused_with_those_that_are(client: APIClient, path: str) -> None:
    client.force_authenticate(User.objects.get())
    answer = client.delete(path)
    problem(answer, 405)
    assert "OPTIONS" in answer["Allow"]


def test_what_we_cannot_answer_in_or_read_is_refused(client: APIClient) -> None:
    client.force_authenticate(User.objects.get())
    problem(client.get(ORDERS, headers={"Accept": "text/html"}), 406)
    key = {"Idempotency-Key": "k"}
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "a/b/c",
    ):
        problem(client.post(ORDERS, b"lines=1", content_type=kind, headers=key), 415)


@pytest.mark.parametrize("path", [ORDERS, "/api/v1/login/", "/api/v1/webhooks/"])
def test_a_body_that_is_encoded_is_refused_with_what_to_send_instead(client: APIClient, path: str) -> None:
    client.force_authenticate(User.objects.get())
    body, key = b'{"colour": "red"}', {"Idempotency-Key": "k"}
    for charset in ("bz2", "nonsense", "utf-16", "latin-1", '"us-ascii"'):
        kind = f"application/json; charset={charset}"
        told = problem(client.post(path, body, content_type=kind, headers=key), 415)["detail"]
        assert (
            told
            == f"The body is said to be in {charset.strip(chr(34))}: send it in UTF-8, and say so or nothing."
        )
    for coding in ("gzip", "GZIP", "identity, br", "zstd,", "nonsense"):
        headers = key | {"Content-Encoding": coding}
        told = problem(client.post(path, body, content_type="application/json", headers=headers), 415)[
            "detail"
        ]
        assert told == f"The body is encoded ({coding}): send it as it is, without Content-Encoding."
    for kind, coding in (
        ("; charset=UTF-8", ""),
        ('; charset="utf-8"', "identity"),
        ("; charset=utf8", "Identity"),
    ):
        headers = key | {"Content-Encoding": coding}
        answer = client.post(path, body, content_type=f"application/json{kind}", headers=headers)
        assert "colour" in [error["field"] for error in problem(answer, 400)["errors"]]


class Unread:
    """A body that must not be read."""

    def read(self, *args: Any) -> bytes:
        raise AssertionError("read")

    readline = read


def test_too_large_a_body_is_refused_before_it_is_read(client: APIClient) -> None:
    too_large = project.DATA_UPLOAD_MAX_MEMORY_SIZE + 1
    body: dict[str, Any] = {"wsgi.input": Unread(), "CONTENT_LENGTH": str(too_large)}
    problem(client.generic("POST", LOGIN, content_type="application/json", **body), 413)
    largest = json.dumps(RIGHT).encode().ljust(too_large - 1)
    assert client.post(LOGIN, largest, content_type="application/json").status_code == 200


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_without_the_database_the_client_is_told_when_to_come_back(
    client: APIClient, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any) -> None:
        raise error("connection to 10.0.0.7 refused")

    monkeypatch.setattr("inventory.api.Products.get_queryset", away)
    answer = client.get("/api/v1/products/")
    assert "10.0.0.7" not in json.dumps(problem(answer, 503))
    assert answer["Retry-After"] == "5"


def test_a_database_that_really_is_away_is_a_503_everywhere() -> None:
    script = """
import django; django.setup()
from django.test import Client
client = Client(HTTP_HOST="127.0.0.1", headers={"Authorization": "Token " + "a" * 64})
asked = [client.get(f"/api/v1/{path}") for path in ("orders/", "products/")]
asked += [client.post("/api/v1/login/", {"username": "a", "password": "b"}, content_type="application/json")]
print([(answer.status_code, answer["Content-Type"], answer["Retry-After"]) for answer in asked])
"""
    nobody = f"postgres://shop@127.0.0.1:{free_port()}/shop"
    env = {name: value for name, value in os.environ.items() if not name.endswith("DATABASE_URL")}
    env |= {"DATABASE_URL": nobody, "DJANGO_SETTINGS_MODULE": "shop.settings"}
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env=env,
        cwd=project.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.stdout.strip() == str([(503, "application/problem+json", "5")] * 3), ran.stderr


def test_a_fault_of_ours_tells_nothing_to_the_client_and_no_data_to_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    error = IntegrityError("null value in column\nDETAIL: Failing row contains (ada@example.invalid).")

    def broken(*args: Any) -> None:
        raise error

    monkeypatch.setattr("inventory.api.Products.get_queryset", broken)
    client = APIClient(raise_request_exception=False)
    answer = client.get("/api/v1/products/")
    assert problem(answer, 500)["detail"] == "Something went wrong here. It has been noted."
    assert "IntegrityError: null value in column" in caplog.text
    assert "in broken" in caplog.text
    assert "ada@example" not in caplog.text


def test_a_client_that_goes_away_is_no_fault_of_ours(
    client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*args: Any) -> None:
        raise UnreadablePostError("gone")

    monkeypatch.setattr("shop.web.accounts.JsonBody.parse", gone)
    problem(log_in(client), 400)


def test_what_was_sent_is_repeated_in_short_and_in_whole_characters(client: APIClient) -> None:
    document = problem(log_in(client, {"x" * 50_000: 1, "\udc00": 2}), 400)
    assert [len(error["field"]) for error in document["errors"]] == [8, 8, 100, 1]
    assert len(document["detail"]) <= 300


def test_django_s_own_refusals_are_problems_under_api_and_pages_elsewhere() -> None:
    for path, kind in (("/api/x/", "application/problem+json"), ("/admin/", "text/html; charset=utf-8")):
        request = RequestFactory().get(path)
        assert refusals.bad_request(request, Exception())["Content-Type"] == kind
        assert refusals.server_error(request)["Content-Type"].partition(";")[0] == kind.partition(";")[0]

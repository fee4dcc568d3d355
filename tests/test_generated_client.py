"""A client that a program made of the published schema (openapi-python-client) places, follows and cancels orders.

It checks what it sends and gets: by its types, and each body by the schema as it goes over the wire. A status that is
not published is an error.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.contrib.auth import get_user_model

from shop.tests.schema import flaws, operations
from tests.live import ADDRESS, Live
from tests.processes import eventually
from tests.test_cancellation import SLOW, nothing_more_comes
from tests.web import Web, running_web

NAME, PATIENCE = "made_of_the_schema", 30.0


@pytest.fixture
def web(live: Live, tmp_path: Path) -> Iterator[Web]:
    with running_web(live.stack.env, tmp_path) as web:
        yield web


@pytest.fixture
def made(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Gives the modules of the client."""
    schema, settings = tmp_path / "schema.json", tmp_path / "settings.yaml"
    schema.write_bytes(
        httpx.get(f"{web.url}/api/schema/", headers={"Accept": "application/json"}, timeout=30).content
    )
    settings.write_text("post_hooks: []")  # nobody reads it: it need not be pretty
    ran = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", "generate", "--path", str(schema), "--config", str(settings),
         "--meta", "none", "--output-path", str(tmp_path / NAME), "--fail-on-warning"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    monkeypatch.syspath_prepend(str(tmp_path))
    return lambda name: importlib.import_module(f"{NAME}.{name}")


def checked(answer: httpx.Response) -> None:
    """Both bodies are as published, and so is the status."""
    request = answer.request
    answer.read()
    path = "/".join("{id}" if part.count("-") == 4 else part for part in request.url.path.split("/"))
    found = {(at, method): operation for at, method, operation in operations()}[path, request.method.lower()]
    if request.content:
        body = found["requestBody"]["content"][request.headers["Content-Type"]]
        assert flaws(json.loads(request.content), body["schema"]) == []
    content = found["responses"][str(answer.status_code)]["content"]
    assert flaws(answer.json(), content[answer.headers["Content-Type"]]["schema"]) == []


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_it_places_follows_and_cancels_orders(
    live: Live, web: Web, made: Callable[[str], Any], opened: ExitStack
) -> None:
    customer = get_user_model().objects.create_user(f"ada-{uuid4().hex[:8]}", password="its password")
    models, clients, orders = made("models"), made("client"), "api.orders"
    more = {"raise_on_unexpected_status": True, "httpx_args": {"event_hooks": {"response": [checked]}}}

    entry = models.LoginRequest(username=customer.username, password="its password")
    with clients.Client(web.url, **more) as stranger:
        token = made("api.account.login").sync(client=stranger, body=entry).token
    client = opened.enter_context(clients.AuthenticatedClient(web.url, token=token, prefix="Token", **more))

    def call(name: str, **asked: Any) -> Any:
        return made(f"{orders}.{name}").sync_detailed(client=client, **asked)

    def wanted(sku: str, postcode: str = ADDRESS.postcode) -> Any:
        address = {name: getattr(ADDRESS, name) for name in ("name", "line1", "city")}
        return models.PlaceOrderRequest(
            lines=[models.WantedLineRequest(sku=sku, quantity=2)],
            payment_method="pm_card_approved",
            email="ada@example.com",
            address=models.AddressRequest(**address, postcode=postcode, country=models.CountryEnum.GB),
        )

    def followed(receipt: Any) -> Any:
        deadline = time.monotonic() + PATIENCE
        while (order := call("get_order", id=receipt.id).parsed).ended_at is None:
            assert time.monotonic() < deadline, order
            time.sleep(0.05)
        return order

    sku, _ = live.products()
    key = uuid4().hex
    first, again = (call("place_order", body=wanted(sku), idempotency_key=key) for _ in range(2))
    assert first.parsed == again.parsed
    assert [answer.headers.get("Idempotent-Replayed") for answer in (first, again)] == [None, "true"]
    completed = followed(first.parsed)
    assert (completed.status, completed.cancellation) == (models.StatusEnum.COMPLETED, None)
    assert [parcel.warehouse for parcel in completed.parcels] == ["NORTH"]

    def told() -> set[str]:
        return {entry.event for entry in call("get_timeline", id=completed.id).parsed.results}

    # An entry may arrive after the order's end.
    assert eventually(lambda: told() >= {"OrderCreated", "PaymentProcessed", "OrderCompleted"})
    refused = call("request_cancellation", id=completed.id)
    assert (refused.status_code, refused.parsed.type_.partition(":")[0]) == (409, "tag")

    with live.stack.halted("shipping"):
        second = call("place_order", body=wanted(sku, SLOW), idempotency_key=uuid4().hex).parsed
        noted = call("request_cancellation", id=second.id)
        assert (noted.status_code, noted.parsed.status) == (202, "cancelling")
        nothing_more_comes(live, "shipping")
    cancelled = followed(second)
    assert (cancelled.status, cancelled.cancellation.by) == (models.StatusEnum.CANCELLED, "customer")
    assert call("request_cancellation", id=second.id).status_code == 200

    listed = call("list_orders", status=models.ListOrdersStatus.CANCELLED, number=second.number).parsed
    assert [order.id for order in listed.results] == [second.id]

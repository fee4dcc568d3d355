"""A run with conflicts and faults, in both styles, of people with distinctive names: no log, event or message names
one of them; and once they are erased, no table does.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connections
from knox.models import AuthToken

from orders.models import Order
from orders.services import request_cancellation
from payments.gateway import Charge, SandboxGateway
from payments.models import Payment
from shipping.carrier import Address, LabelRequest, SandboxCarrier
from shipping.models import Parcel
from shop.base.databases import alias_of
from shop.base.tracking import tracking_link
from shop.tools.audit.run import audit
from tests import servers
from tests.live import Live
from tests.people import MAIL, PERSON, TAG, WORD, Client, Heard
from tests.providers import merged
from tests.stack import LiveStack
from tests.web import Web, running_web

AT_ONCE = 6


@pytest.fixture(scope="module")
def web(stack: LiveStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with running_web(stack.env, tmp_path_factory.mktemp("web-of-people")) as web:
        yield web


def logs(live: Live, web: Web) -> dict[str, str]:
    folders = [live.stack.data / "logs", Path(str(web.child.program.log)).parent]
    files = [file for folder in folders for file in folder.glob("*.log*")]
    files += [Path(str(server.child.program.log)) for server in servers.servers.values()]
    return {str(file): file.read_text(errors="replace") for file in files}


def at_once(act: Any, times: int = AT_ONCE) -> list[Any]:
    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(act, range(times)))


def break_a_statement(order: Order) -> None:
    """One that the shop runs on this order fails in PostgreSQL, in the middle."""
    known = connections[alias_of("orders")].get_connection_params()
    names = ("dbname", "user", "password", "host", "port")
    with psycopg.connect(**{name: known[name] for name in names}) as locked:
        locked.execute("SELECT * FROM orders_order WHERE id = %s FOR UPDATE", [order.pk])
        for _ in range(100):
            waiting = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
            if locked.execute(waiting + "AND datname = current_database()").fetchone():
                return
            threading.Event().wait(0.05)
    raise AssertionError("Nobody has waited for the order.")


def tables() -> Iterator[tuple[str, str]]:
    for model in apps.get_models():
        for row in model._default_manager.values():
            yield model._meta.label, str(row)


def test_nobody_is_named_in_a_log_an_event_or_a_message_and_once_erased_in_no_table(
    live: Live, web: Web
) -> None:
    skus = live.products(500)
    user = User.objects.create_user(f"zelda-{TAG}", MAIL, "pw")
    client = Client(web, AuthToken.objects.create(user)[1])
    heard = Heard()
    with heard.all():
        for style in settings.STYLES:
            conflicts(client, skus, style)
            faults(live, client, skus, style)
        bad_requests(client, skus)
        no_requests(web)
        join_twice(web)
        orders = list(Order.objects.filter(customer_id=user.pk))
        tokens = follow(client, orders)
        live.wait_until_ended([order for order in orders if not order.postcode.startswith("GARBLED")])
    named = [TAG, WORD, *tokens]
    for file, text in logs(live, web).items():
        assert [line for line in text.splitlines() if any(name in line for name in named)] == [], file
    assert len(heard.texts) > 100
    read = any(order.number in text for text in heard.texts for order in orders[:3])
    assert read or settings.BROKER.is_rabbitmq, "messages were read"
    assert [text for text in heard.texts if any(name in text for name in named)] == []
    of_messages = (
        "Outbox",
        "Inbox",
        "DeadLetter",
        "Incident",
        "Outage",
        "TimelineEntry",
        "Saga",
        "Notification",
    )
    assert [row for label, row in tables() if label.endswith(of_messages) and TAG in row] == []
    assert_forgotten(live, user, orders)
    parked = list(Order.objects.filter(customer_id=user.pk, ended_at=None))
    for order in parked:
        request_cancellation(order.uuid, by="staff")
    live.wait_until_ended(parked)


def conflicts(client: Client, skus: tuple[str, ...], style: str) -> None:
    """The same key at once: with the same content, and with another."""
    key = f"{TAG}-{uuid4().hex}"
    assert set(at_once(lambda _: client.order(skus, style, key=key))) == {202}
    key = f"{TAG}-{uuid4().hex}"
    codes = at_once(lambda n: client.order(skus, style, key=key, address={"name": f"Zelda {TAG} {n}"}))
    assert sorted(codes) == [202] + [422] * (AT_ONCE - 1)


def faults(live: Live, client: Client, skus: tuple[str, ...], style: str) -> None:
    for card in ("declined", "provider_down", "answer_lost", TAG):
        assert client.order(skus, style, payment_method=f"pm_card_{card}") == 202
    for postcode in ("REFUSE", "LOST", "GARBLED"):
        assert client.order(skus, style, address={"postcode": f"{postcode} {TAG}"}) == 202
    for what in ("end committing PaymentProcessed", "fail answered mail", "fail answered /v1/labels"):
        armed = live.stack.arm(what)
        assert client.order(skus, style) == 202
        live.wait_for(armed.taken, what)
    with live.stack.halted("orders"):
        assert client.order(skus, style) == 202
        order = Order.objects.latest("pk")
        halted = threading.Thread(target=break_a_statement, args=(order,))
        halted.start()
    halted.join()


def bad_requests(client: Client, skus: tuple[str, ...]) -> None:
    style = settings.STYLES[0]
    assert client.order(skus, style, address={"postcode": ""}) == 400
    assert client.order(skus, style, email=f"{TAG} is no address") == 400
    assert client.order((f"no-such-{TAG}",), style) in (400, 404, 409, 422)
    assert client.order(skus, style, address={"line1": TAG * 60_000}) == 413
    assert client.order(skus, style, payment_method=f"{TAG}\0") == 400


def no_requests(web: Web) -> None:
    """What is no HTTP is refused before anybody looks at it."""
    good = "POST /api/v1/orders/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    for line in (
        f"no header {TAG}",
        f"Authorization : Token {TAG}",
        f"X-Name: {TAG}\0",
        f"Content-Length: {TAG}",
    ):
        with web.connect(f"{good}{line}\r\n\r\n".encode()) as client:
            assert client.recv(100).startswith(b"HTTP/1.1 400")
    with web.connect(f"{TAG} no request at all\r\n\r\n".encode()) as client:
        client.recv(100)


def join_twice(web: Web) -> None:
    """Several at once want the same name: one has it."""
    person, fields = Client(web, ""), {"username": f"joins-{TAG}", "password1": WORD, "password2": WORD}
    codes = at_once(lambda _: Client(web, "").send("/account/join/", **fields))
    assert {*codes} <= {200, 422, 429}
    assert User.objects.filter(username=f"joins-{TAG}").count() == 1
    assert person.ask("/account/join/")[0] == 200


def follow(client: Client, orders: list[Order]) -> list[str]:
    """Links of mails, opened, and mistyped. Returns what opens an order."""
    tokens = [tracking_link(order.uuid).rstrip("/").rpartition("/")[2] for order in orders]
    for token in tokens[:3]:
        assert client.ask(f"/track/{token}/")[0] == 200
        assert client.ask(f"/track/{token}/nowhere/")[0] == 404
    return tokens


def assert_forgotten(live: Live, user: User, orders: list[Order]) -> None:
    numbers = set(
        Parcel.objects.filter(shipment__in=[order.uuid for order in orders]).values_list(
            "tracking", flat=True
        )
    )
    assert len(numbers - {""}) > 6
    sums = Payment.objects.order_by("pk").values_list("state", "amount_minor", "refunded_minor")
    before = list(sums)
    with pytest.raises(SystemExit):  # two are on their way still: the carrier can't read their addresses
        call_command("customer", "erase", user.username, "--yes")
    ended = {str(order.uuid) for order in Order.objects.filter(customer_id=user.pk, email="")}
    assert len(ended) == len(orders) - 2
    left = [row for label, row in tables() if any(number and number in row for number in numbers)]
    assert left == []
    named = {label for label, row in tables() if TAG in row}
    assert named <= {"orders.Order", "auth.User", "payments.Payment"}
    assert list(sums) == before
    mine = {order.number for order in orders if str(order.uuid) in ended}
    assert [wrong for wrong in audit().violations if mine & set(wrong.sentence.split())] == []


class Echo(BaseHTTPRequestHandler):
    """A provider that refuses everything, and repeats what it was sent."""

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
        told = {"refused": sent, "code": sent, "message": sent, "error": {"message": f"Unknown: {sent}"}}
        body = json.dumps(told).encode()
        self.send_response(int(self.path.partition("?")[0].split("/")[1]))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.mark.parametrize("status", [400, 402, 422])
def test_a_provider_that_repeats_what_it_was_sent_of_a_person_is_not_quoted(
    status: int, django_db_blocker: Any
) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/{status}"
    address = Address(PERSON["name"], PERSON["line1"], PERSON["city"], f"ZZ9 {TAG}", "GB")
    with django_db_blocker.unblock():
        labels = merged(SandboxCarrier(url).create_labels([LabelRequest("k", "S-1", "NORTH", address)]))
        charges = merged(SandboxGateway(url).charge([Charge("k", 100, "GBP", f"pm_{TAG}", "S-1")]))
    server.shutdown()
    server.server_close()
    for answer in (labels["k"], charges["k"]):
        assert TAG not in repr(answer)
    assert any("S-1" in repr(answer) and "…" in repr(answer) for answer in (labels["k"], charges["k"]))

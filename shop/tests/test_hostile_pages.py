"""Every address of the site, with each method, and questions, headers, cookies and forms nobody should send: no 5xx.

The addresses come from the URL map, so that a new one is tried by itself. What is tried there is chosen by chance, from a
fixed seed (``tests.fuzz.chance``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any
from urllib.parse import quote

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, get_resolver

from inventory.models import Product
from orders.models import Order
from shop.base.tracking import PATH
from tests.fuzz.chance import SEED, TIMES
from tests.one_of_each import one_of_each

MEANT = {501, 503}  # who is told so comes again
METHODS = ("PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "BREW", "\0", "get")
# As they stand in an address.
PARTS = (
    *("%00", "..%2f..%2fetc%2fpasswd", "..", ".", "%2e%2e%2f"),
    *("%ff%fe", "%ed%a0%80", "%E2%80%AE", "-1", "0", "1"),
    *("9" * 30, "1e309", "NaN", "_3A", "_00", "%27%20OR%201=1--"),
    *("%3Cscript%3E", "%7B%7B7*7%7D%7D", "%0d%0aSet-Cookie:%20a=b"),
    *("x" * 3000, "a%2Fb", "%25%32%66", "None", "true"),
    *("00000000-0000-0000-0000-000000000000", "%F0%9F%90%99", ";", "%5c"),
)  # fmt: skip
VALUES = (
    *("\0", "-1", "0", "9" * 400, "1" * 19, "2147483648"),
    *("9223372036854775808", "1e309", "NaN", "-0", "0x10", "1_0", "\u0663"),
    *("../../etc/passwd", "' OR 1=1--", "<script>alert(1)</script>"),
    *("{{ 7*7 }}", "{% debug %}", "=1+1", "%s%n", "\r\nA: b"),
    *("\u202egnp", "\ufeff", "\ud7ff", "\U0010ffff", "\ufffe"),
    *("a" * 5000, "0000-00-00", "9999-12-31T23:59:59-23:59", "24:60"),
    *("true", "null", "[]", "[" * 2000, '{"a":' * 500, "None"),
    *("a@b", "@", "//evil.example", "javascript:alert(1)", " ", ""),
    *("00000000-0000-0000-0000-000000000000", "S-100000", "GBP"),
    *("1,2,3", "1;2", "\u2028", "\x1b[2J", "%00", "%ff"),
)  # fmt: skip
QUERIES = (
    *("%00=%00", "q=%ff%fe", "q=%ed%a0%80", "&&=&=", "a" * 5000),
    *("[]=1&[]=2", "p=-1&o=9.9.9&all=", "o=-.-1.", "p=" + "9" * 50),
    *("_popup=%00&_to_field=%00", "next=//evil.example&next=%00"),
    *("e=1", "_changelist_filters=%00%26", "page=%ff", "cursor=%00"),
    *("cursor=bz05OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "cursor=cD0lMDA="),
    *("page_size=-1", "page_size=1e3", "format=%00", "lang=%00"),
    *("&".join(f"a{n}=1" for n in range(1500)), "%", "%zz", "a=%u0041"),
    *("id__exact=x&pk__in=%00", "_facets=%00", "q=" + "%22" * 900),
    *("app_label=%00&model_name=x&field_name=y&term=%00", "term=%00"),
    *("since=%00", "until=-1", "style=%00", "order_id=%00"),
)  # fmt: skip
HEADERS: tuple[dict[str, Any], ...] = (
    {"HTTP_HOST": "evil.example"}, {"HTTP_HOST": "\0"},
    {"HTTP_HOST": "[::1"}, {"HTTP_HOST": "127.0.0.1:99999999"},
    {"HTTP_COOKIE": "sessionid=\0; csrftoken=\xff"},
    {"HTTP_COOKIE": "sessionid=" + "x" * 5000}, {"HTTP_COOKIE": "=;;=;"},
    {"HTTP_COOKIE": 'messages="\xff\\0"; sessionid="'},
    {"HTTP_COOKIE": "messages=a:b:c"}, {"HTTP_COOKIE": "a=b" * 9000},
    {"HTTP_ACCEPT": "*/*;q=x, \0"}, {"HTTP_ACCEPT": "a/b;" * 3000}, {"HTTP_ACCEPT": "text/event-stream"},
    {"HTTP_ACCEPT_LANGUAGE": "\xff" * 100}, {"HTTP_ACCEPT_LANGUAGE": "a-b-" * 900},
    {"HTTP_ACCEPT_ENCODING": "\0, gzip;q=x"},
    {"HTTP_AUTHORIZATION": "Token \xff"},
    {"HTTP_AUTHORIZATION": "Token"}, {"HTTP_AUTHORIZATION": "Basic !!!"},
    {"HTTP_AUTHORIZATION": "Token " + "a" * 9000},
    {"HTTP_AUTHORIZATION": "Token a b c"}, {"HTTP_RANGE": "bytes=9-1,-"},
    {"HTTP_IF_MODIFIED_SINCE": "Thu, 99 Foo 0000 99:99:99 GMT"},
    {"HTTP_IF_NONE_MATCH": '"' * 999}, {"HTTP_X_REQUEST_ID": "\0\r"},
    {"HTTP_X_FORWARDED_FOR": "\0, 999.9.9.9,," * 50},
    {"HTTP_X_FORWARDED_PROTO": "\xff"}, {"HTTP_REFERER": "http://[::1"},
    {"HTTP_ORIGIN": "http://["}, {"HTTP_CONTENT_ENCODING": "gzip"},
    {"HTTP_X_HTTP_METHOD_OVERRIDE": "\0"}, {"HTTP_HX_REQUEST": "\0"},
    {"HTTP_IDEMPOTENCY_KEY": "\xff"}, {"HTTP_LAST_EVENT_ID": "\0"},
    {"HTTP_LAST_EVENT_ID": "9" * 400}, {"REMOTE_ADDR": ""},
    {"CONTENT_LENGTH": "-1"}, {"CONTENT_LENGTH": "x"}, {"CONTENT_LENGTH": "9" * 30}, {"HTTP_EXPECT": "\0"},
)  # fmt: skip
KINDS = (
    *("", "application/json", "application/json; charset=no-such"),
    *("application/xml", "text/html; charset=\xff", "/", ";;="),
    *("multipart/form-data", "multipart/form-data; boundary="),
    *("multipart/form-data; boundary=\xff", "multipart/form-data; boundary=a"),
    *("application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-7"),
    *("a" * 3000, "application/octet-stream"),
)  # fmt: skip
BODIES = (
    *(b"", b"\0", b"\xff\xfe", b"{", b"[" * 100_000, b'{"a":' * 50_000),
    *(b'{"a":1,"a":2}', b"null", b"1e999", b'"\\ud800"', b"NaN"),
    b"--a\r\nContent-Disposition: form-data; name=\"\xff\"; filename*=utf-8''%00\r\n\r\nx\r\n--a--",
    *(b"--a\r\n\r\n", b"=" * 9000),
    *(b"a=%00&b=%ff&c=%ed%a0%80", b"&" * 9000, b"x" * 600_000),
    *(b'{"lines":' + b"9" * 9000 + b"}", b"\xed\xa0\x80", b"%" * 999),
)  # fmt: skip


def templates(resolver: Any = None, before: str = "") -> Iterator[tuple[str, str]]:
    """(address with ``<name>`` for what varies, name) of the whole site."""
    for found in (resolver or get_resolver()).url_patterns:
        text = re.sub(
            r"\(\?P<(\w+)>.*?\)|<(?:\w+:)?(\w+)>", lambda m: f"<{m[1] or m[2]}>", str(found.pattern)
        )
        address = before + text.strip("^$").replace("\\Z", "").replace("\\/", "/")
        if isinstance(found, URLPattern):
            yield address, found.name or ""
        else:
            yield from templates(found, address)


ADDRESSES = sorted(set(templates()))


class World:
    """What may stand in an address so that it leads somewhere."""

    def __init__(self, order: Order) -> None:
        models = {f"{m._meta.app_label}_{m._meta.model_name}": m for m in admin.site._registry}
        self._rows = {name: model._default_manager.first() for name, model in models.items()}
        self._order = order

    def real(self, name: str, part: str) -> str:
        """For the part of an address of this name."""
        of_order: dict[str, Any] = {
            "order_id": self._order.uuid,
            "id": self._order.uuid,
            "warehouse": "NORTH",
            "sku": "MUG",
        }
        if part == "object_id" or (
            part in ("id", "pk") and name.startswith(("auth_", "orders_", "shipping_", "notifications_"))
        ):
            row = self._rows.get(name.rpartition("_")[0]) or self._rows.get("_".join(name.split("_")[:2]))
            return quote(str(row.pk), safe="") if row else "1"
        return quote(str(of_order.get(part, "1")), safe="")


def pick(chance: Random, template: str, name: str, world: World) -> str:
    """An address that leads somewhere, or as often one that looks nearly so."""
    real = chance.random() < 0.6
    return "/" + re.sub(
        r"<(\w+)>", lambda m: world.real(name, m[1]) if real else chance.choice(PARTS), template
    )


def question(chance: Random, fields: list[str]) -> str:
    if not fields or chance.random() < 0.5:
        return chance.choice(QUERIES)
    lookup = chance.choice(
        ("", "__exact", "__in", "__gte", "__isnull", "__contains", "__regex", "__id__exact", "__nope__x")
    )
    return f"{chance.choice(fields)}{lookup}={quote(chance.choice(VALUES))}"


def form(chance: Random, page: bytes) -> dict[str, Any]:
    """What the page asks for, filled in badly."""
    names = sorted(set(re.findall(r'name="([^"]+)"', page.decode(errors="replace"))))[:60]
    return {name: chance.choice(VALUES) for name in names if chance.random() < 0.9}


class Attacker:
    """``failed``: what was answered with a 5xx, by address."""

    def __init__(self, chance: Random, client: Client) -> None:
        self._chance, self._client = chance, client
        self.requests, self.answers, self.failed = 0, Counter[int](), dict[str, str]()

    def send(
        self, method: str, address: str, body: bytes = b"", kind: str = "", question: str = "", **headers: Any
    ) -> bytes:
        path = address[:6000]
        self.requests += 1
        try:
            answer = self._client.generic(method, path, body, kind, QUERY_STRING=question, **headers)
        except Exception as error:  # it would have ended the request in a server, too
            self.failed[f"{method} {path[:100]}"] = (
                f"{type(error).__name__}: {error} {question[:100]} {headers} {kind[:60]}"
            )
            return b""
        how = f"{question[:100]!r} {str(headers)[:200]} {kind[:60]!r} {body[:200]!r}"
        self._judge(answer.status_code, f"{method} {path[:100]}", how)
        return b"" if answer.streaming else bytes(answer.content)

    def attack(self, template: str, name: str, world: World, fields: list[str]) -> None:
        chance, client = self._chance, self._client
        page = self.send("GET", pick(chance, template, name, world))
        for _ in range(2):
            self.send("GET", pick(chance, template, name, world), question=question(chance, fields))
        self.send("GET", pick(chance, template, name, world), **chance.choice(HEADERS))
        self.send(
            chance.choice(METHODS),
            pick(chance, template, name, world),
            chance.choice(BODIES),
            chance.choice(KINDS),
        )
        self.send("POST", pick(chance, template, name, world), chance.choice(BODIES), chance.choice(KINDS))
        if template.endswith(("logout/", "revoke/")):
            return
        self.requests += 1
        address = pick(chance, template, name, world)
        filled = form(chance, page)
        answer = client.post(address[:6000], filled)
        self._judge(answer.status_code, f"form {address[:100]}", str(filled)[:600])

    def _judge(self, status: int, what: str, how: str) -> None:
        self.answers[status] += 1
        if status >= 500 and status not in MEANT:
            self.failed[what] = f"{status} {how}"


@pytest.fixture
def world(transactional_db: None, place_order: Any, settings: Any) -> World:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    order = Order.objects.get(uuid=place_order().id)
    customer = User.objects.create_user("customer", password="p")
    Order.objects.filter(pk=order.pk).update(customer_id=customer.pk)
    order.refresh_from_db()
    Product.objects.create(sku="MUG", name="Mug", price_minor=850)
    one_of_each(order, customer)
    return World(order)


def logged_in(who: str) -> Client:
    client = Client(raise_request_exception=False)
    if who == "boss":
        User.objects.get_or_create(username="boss", defaults={"is_staff": True, "is_superuser": True})
    if who:
        client.force_login(User.objects.get(username=who))
    return client


FIELDS = sorted({field.name for model in apps.get_models() for field in model._meta.get_fields()})


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.timeout(240 * TIMES)
@pytest.mark.parametrize("who", ["boss", "customer", ""])
def test_no_address_answers_anything_with_a_fault_of_ours(who: str, world: World) -> None:
    chance = Random(SEED)
    attacker = Attacker(chance, logged_in(who))
    for template, name in ADDRESSES * TIMES:
        if who == "boss" or not template.startswith("admin/") or chance.random() < 0.1:
            if template.startswith("admin/") and who == "boss":
                attacker._client = logged_in(who)
            attacker.attack(template, name, world, FIELDS)
    print(f"{attacker.requests} requests, answered {sorted(attacker.answers.items())}")  # noqa: T201  (with -s)
    assert not attacker.failed, f"seed {SEED}"
    assert attacker.requests > (800 if who == "boss" else 200)
    assert attacker.answers[200] > attacker.requests / 20, "hardly any address led somewhere"


def test_the_addresses_of_the_whole_site_are_known() -> None:
    found = {template for template, _ in ADDRESSES}
    assert {"", "livez", "api/v1/orders/<id>/cancel/", "products/<sku>/", f"{PATH}<token>/"} <= found
    assert "admin/orders/order/<object_id>/change/" in found

"""The published schema and the API agree: what one takes the other takes, in both directions."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from knox.models import AuthToken
from rest_framework.test import APIClient

from orders.api.serializers import PlaceOrderSerializer
from orders.api.tests.client import BODY, URL, placed, post
from orders.api.tests.test_bodies import BAD_BODIES
from orders.api.tests.test_reading import near
from orders.models import Order, Outbox, Saga
from orders.webhooks.models import WebhookDelivery, WebhookEndpoint
from orders.webhooks.registering import register
from shop.base.api.fields import CONTROL, VISIBLE_LINE
from shop.base.countries import COUNTRIES
from shop.tests.documents import fields, problem
from shop.tests.schema import component, flaws, operations, published

ORDER = component("PlaceOrderRequest")
# Which only the catalogue knows, or which is no text that JSON could carry from one to another.
NOT_TOLD = ("no such product", "total past a bigint", "not sold in this currency", "half a character")


def bodies_and_answers() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, method, operation in operations():
        answers = operation["responses"].items()
        for status, told in (("request", operation.get("requestBody", {})), *answers):
            for media in told.get("content", {}).values():
                yield f"{method} {path} {status}", media


def test_each_request_and_answer_has_an_example_that_is_valid_by_its_schema(db: None) -> None:
    seen = 0
    for place, media in bodies_and_answers():
        assert media.get("examples"), place
        for example in media["examples"].values():
            assert flaws(example["value"], media["schema"]) == [], place
            seen += 1
    assert seen > 50


def test_each_operation_is_told_of_in_short_and_in_full_and_so_is_each_answer(db: None) -> None:
    for path, method, operation in operations():
        assert operation["summary"], (method, path)
        assert operation["description"], (method, path)
        assert all(answer["description"] for answer in operation["responses"].values()), (method, path)
        for parameter in operation.get("parameters", ()):
            assert parameter["in"] == "path" or parameter["description"], (path, parameter["name"])


def test_the_example_of_an_order_is_placed_and_told_of_as_published(ada: APIClient) -> None:
    order = placed(ada)
    for address, name in (("", "PaginatedOrderList"), (f"{order.uuid}/", "OrderDetail")):
        assert flaws(ada.get(f"{URL}{address}").json(), component(name)) == []
    timeline = ada.get(f"{URL}{order.uuid}/timeline/").json()
    assert flaws(timeline, component("PaginatedTimelineEntryList")) == []
    assert flaws(ada.post(f"{URL}{order.uuid}/cancel/").json(), component("Cancellation")) == []
    products = ada.get("/api/v1/products/").json()
    assert flaws(products, component("PaginatedProductList")) == []
    assert len(products["results"]) == 3


def made_of(name: str, **given: Any) -> st.SearchStrategy[Any]:
    """What a client makes that knows the schema and nothing else, but for what is ``given``."""
    schema = published()["components"]["schemas"][name]
    parts = {
        key: given[key] if key in given else value_of(part) for key, part in schema["properties"].items()
    }
    needed = {key: part for key, part in parts.items() if key in schema["required"]}
    return st.fixed_dictionaries(needed, optional={key: parts[key] for key in parts.keys() - needed.keys()})


def value_of(part: dict[str, Any]) -> st.SearchStrategy[Any]:
    if referred := part.get("$ref") or part.get("allOf", [{}])[0].get("$ref"):
        found = published()["components"]["schemas"][referred.rpartition("/")[2]]
        return st.sampled_from(found["enum"]) if "enum" in found else made_of(referred.rpartition("/")[2])
    if part["type"] == "integer":
        return st.integers(part["minimum"], part["maximum"])
    if part.get("format") == "email":
        return st.emails().filter(lambda address: len(address) <= part["maxLength"])
    return st.from_regex(part["pattern"], fullmatch=True).filter(
        lambda text: part["minLength"] <= len(text) <= part["maxLength"]
    )


def test_what_a_client_makes_by_the_schema_alone_is_placed(ada: APIClient) -> None:
    line = made_of("WantedLineRequest", sku=st.sampled_from(["MUG", "TEA"]))
    orders = made_of(
        "PlaceOrderRequest", lines=st.lists(line, min_size=1, max_size=3), currency=st.just("GBP")
    )

    @examples(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(body=orders)
    def place(body: dict[str, Any]) -> None:
        assert flaws(body, ORDER) == []
        answer = post(ada, body)
        assert answer.status_code == 202, answer.content
        assert flaws(answer.json(), component("Receipt")) == []

    place()
    assert Order.objects.count() >= 100


@examples(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(body=near)
def test_what_is_nearly_an_order_is_one_by_the_schema_where_it_is_one_here(
    db: None, body: dict[str, Any]
) -> None:
    body = body | {"email": "ada@example.com"}  # what an address of mail is, the format tells, and no pattern
    here = PlaceOrderSerializer(data=body)
    assert here.is_valid() == (flaws(body, ORDER) == []), here.errors


@pytest.mark.parametrize("case", BAD_BODIES, ids=[case[0] for case in BAD_BODIES])
def test_what_is_refused_is_refused_by_the_schema_too(db: None, case: tuple[str, object, list[str]]) -> None:
    name, body, _ = case
    assert (flaws(body, ORDER) == []) == (name in NOT_TOLD)


def test_the_pattern_of_a_text_takes_off_what_trimming_does() -> None:
    for char in map(chr, range(sys.maxunicode + 1)):
        left = bool(char.strip()) and not CONTROL.match(char)
        assert bool(re.fullmatch(VISIBLE_LINE, char)) == left, hex(ord(char))


def addresses(patterns: list[Any], before: str = "/") -> Iterator[tuple[str, URLPattern]]:
    for found in patterns:
        path = f"{before}{found.pattern}"
        if isinstance(found, URLResolver):
            yield from addresses(found.url_patterns, path)
        elif path.startswith("/api/") and found.name:
            yield path.replace("<id:id>", "0b7cbb1c-3f0e-4a55-9d2e-0e4bc5f2a1b7"), found


API = sorted({path for path, _ in addresses(get_resolver().url_patterns)})


@pytest.mark.parametrize("address", API)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_question_nobody_reads_is_refused_by_its_name_everywhere(
    ada: APIClient, method: str, address: str
) -> None:
    answer = getattr(ada, method)(f"{address}?nuber=S-100675&colour=red&colour=blue")
    if answer.status_code == 405:
        return
    assert fields(answer) == ["nuber", "colour"]


def test_where_no_body_is_wanted_one_is_refused_by_what_is_in_it(ada: APIClient) -> None:
    """At each address whose POST has none by the schema. An empty one, or one without fields, is as good as none."""
    order = placed(ada)
    user, hook = (
        User.objects.get(pk=order.customer_id),
        register(order.customer_id, "https://example.com/", []),
    )
    asked = [path for path, method, told in operations() if method == "post" and "requestBody" not in told]
    assert len(asked) == 5
    for path in asked:
        address = path.replace("{id}", str(hook.uuid if "/webhooks/" in path else order.uuid))
        before = told_of(order, hook)
        assert fields(ada.post(address, {"reason": "late", "by": 1}, format="json")) == ["by", "reason"]
        assert fields(ada.post(address, b'{"by": 1, "by": 2}', content_type="application/json")) == ["by"]
        for body in (b"[]", b"null", b"7", b"{"):
            problem(ada.post(address, body, content_type="application/json"), 400)
        problem(ada.post(address, b"reason=late", content_type="application/x-www-form-urlencoded"), 415)
        assert told_of(order, hook) == before, path
        for body, kind in ((b"", "application/x-www-form-urlencoded"), (b"{}", "application/json")):
            assert ada.post(address, body, content_type=kind).status_code < 300, path
            WebhookDelivery.objects.all().delete()  # else the next test of it would have to wait
            ada.credentials(HTTP_AUTHORIZATION=f"Token {AuthToken.objects.create(user)[1]}")


def told_of(order: Order, hook: WebhookEndpoint) -> tuple[str, str, int, int]:
    saga, hook = Saga.objects.get(order=order), WebhookEndpoint.objects.get(pk=hook.pk)
    return saga.undo, hook.secret, hook.deliveries.count(), AuthToken.objects.count()


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("placed_at_before=", "placed_at_before"),
        ("status=", "status"),
        ("page_size=", "page_size"),
        ("cursor=", "cursor"),
        ("number=", "number"),
        ("status=placed&status=paid", "status"),
        ("number=100042", "number"),
        ("number=S-100042%0A", "number"),
        ("number=S-42", "number"),
        ("format=json", "format"),
    ],
)
def test_a_question_without_a_value_or_with_two_is_refused_by_its_name(
    ada: APIClient, question: str, named: str
) -> None:
    assert fields(ada.get(f"{URL}?{question}")) == [named]


@pytest.mark.parametrize("address", API)
def test_options_say_what_may_be_done_and_where_it_is_told_how(ada: APIClient, address: str) -> None:
    answer = ada.options(address)
    assert answer.status_code == 200
    told = answer.json()
    assert answer["Allow"] == ", ".join(told["methods"])
    assert told == {"methods": told["methods"], "schema": reverse("api-schema"), "docs": reverse("api-docs")}
    problem(APIClient().options(URL), 401)


def test_the_pages_of_lists_are_as_large_as_published(ada: APIClient) -> None:
    order = placed(ada)
    hook = register(order.customer_id, "https://example.com/", [])
    for path, _, operation in operations():
        sizes = [asked["schema"] for asked in operation.get("parameters", ()) if asked["name"] == "page_size"]
        for size in sizes:
            address = path.replace("{id}", str(hook.uuid if "/webhooks/" in path else order.uuid))
            asked = (size["minimum"] - 1, size["minimum"], size["maximum"], size["maximum"] + 1)
            answers = [ada.get(f"{address}?page_size={number}").status_code for number in asked]
            assert answers == [400, 200, 200, 400], address


@pytest.mark.parametrize(
    "cursor", ["!cD0yMDI2", "cD0yMDI2=", "cD0yMDI", "cD0yMDI2\n", "cD0y MDI2", "c=D0", "é", "="]
)
def test_what_is_no_cursor_by_the_schema_is_none_here(ada: APIClient, cursor: str) -> None:
    """Python would read some of these, leaving out what does not belong in them."""
    placed(ada)
    for path in (URL, "/api/v1/products/"):
        asked = published()["paths"][path]["get"]["parameters"]
        (schema,) = (one["schema"] for one in asked if one["name"] == "cursor")
        assert flaws(cursor, schema)
        assert fields(ada.get(path, {"cursor": cursor})) == ["cursor"]
        good = ada.get(path, {"page_size": 1}).json()["next"]
        if good:
            assert flaws(parse_qs(urlsplit(good).query)["cursor"][0], schema) == []


def test_the_countries_are_those_of_the_world(ada: APIClient) -> None:
    assert len(COUNTRIES) == 249
    assert published()["components"]["schemas"]["CountryEnum"]["enum"] == list(COUNTRIES)
    assert {"GB", "JE", "LB", "TW"} <= COUNTRIES.keys()
    for code in ("ZZ", "XX", "EU", "UK", "QQ", "gb"):
        answer = post(ada, BODY | {"address": BODY["address"] | {"country": code}})
        assert "There is no such country" in json.dumps(problem(answer, 400))
    assert not Outbox.objects.exists()

"""Who may open what, over every address there is: nobody gets at what is another's, whatever id and method they try.

The admin's pages, role by role, are in test_roles.py. A new address fails here until addresses.py says whose it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import connections
from django.http.response import HttpResponseBase
from django.test import Client
from knox.models import AuthToken
from rest_framework.views import APIView

from orders.models import Order
from orders.webhooks.models import WebhookEndpoint
from shop.base.tracking import token_of
from shop.tests.addresses import Address, Rule, addresses
from shop.web.store.customers import GUEST
from tests.one_of_each import one_of_each

ALL = addresses()
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OF_THE_ADMIN = ("GET", "POST")  # it takes all others for the first
REFUSED = (401, 403, 404, 405)
OPEN_TO_ALL_STAFF = {"admin/", "admin/password_change/", "admin/password_change/done/", "admin/jsi18n/"}
GIVEN = {"quantity": "1", "sku": "A", "note": "mine", "post": "yes", "_save": "yes", "confirmed": "yes"}

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.urls("shop.tests.addresses")]


class Person:
    """Somebody with a browser, and a token of the API where they have an account."""

    def __init__(self, name: str, user: User | None = None, *, guest: bool = False) -> None:
        self.name, self.client, self.headers = name, Client(raise_request_exception=False), {}
        if user and guest:
            session: Any = self.client.session
            session[GUEST] = user.username
            session.save()
            self.client.cookies["sessionid"] = session.session_key
        elif user:
            self.client.force_login(user)
            self.headers = {"Authorization": f"Token {AuthToken.objects.create(user)[1]}"}

    def tries(self, method: str, address: str) -> Any:
        """The body of an answer that is a stream of its own accord is read, too."""
        as_form = {"data": GIVEN} if method == "POST" and not address.startswith("/api/") else {}
        return self.client.generic(method, address, headers=self.headers, **_encoded(self.client, **as_form))


def _encoded(client: Client, data: dict[str, str] | None = None) -> dict[str, Any]:
    if data is None:
        return {"content_type": "application/json"}
    return {
        "data": "&".join(f"{name}={value}" for name, value in data.items()),
        "content_type": "application/x-www-form-urlencoded",
    }


@pytest.fixture
def owner(place_order: Any) -> User:
    """A customer with an order, of which each service knows; and a row of all that there is."""
    cache.clear()
    user = User.objects.create_user("owner")
    order = Order.objects.select_related("saga").get(uuid=place_order().id)
    Order.objects.filter(pk=order.pk).update(customer_id=user.pk)
    one_of_each(order, user)
    WebhookEndpoint.objects.update(customer_id=user.pk)
    return user


@pytest.fixture
def others(owner: User) -> list[Person]:
    """Everybody whose it is not. The customer and the guest have an order of their own."""
    return [
        Person("another customer", User.objects.create_user("another")),
        Person("a guest", User.objects.create_user("guest-of-a-session"), guest=True),
        Person("nobody we know"),
        Person("staff who may nothing", User.objects.create_user("staff", is_staff=True)),
    ]


def theirs(owner: User, address: Address, *, forged: bool = True) -> str:
    """The address of what is the owner's. ``forged``: with a link that we have not signed."""
    order = Order.objects.get(customer_id=owner.pk)
    token = token_of(order.uuid)
    values: dict[str, object] = {
        "id": owner.pk if address.route.startswith("admin/auth/") else order.uuid,
        "order_id": order.uuid,
        "token": f"{order.uuid.hex}.{token_of(uuid4()).partition('.')[2]}" if forged else token,
        "sku": "A",
        "warehouse": "NORTH",
        "content_type_id": ContentType.objects.get_for_model(Order).pk,
        "object_id": order.pk,
    }
    if "/webhooks/" in address.route:
        values["id"] = WebhookEndpoint.objects.get(customer_id=owner.pk).uuid
    parts = address.route.split("/")
    if parts[0] == "admin" and len(parts) > 3:
        try:
            row = apps.get_model(parts[1], parts[2])._base_manager.first()
        except LookupError:
            row = None
        if row is not None:
            values |= {"pk": row.pk, "object_id": row.pk}
    return address.filled(values)


def rows() -> dict[str, str]:
    """What stands in each table, sessions excepted."""
    found: dict[str, str] = {}
    for alias in connections:
        with connections[alias].cursor() as cursor:
            tables = set(connections[alias].introspection.table_names(cursor)) - {"django_session"}
            parts = (
                f"SELECT '{alias}.{table}', md5(string_agg(t::text, ',' ORDER BY t::text)) FROM \"{table}\" t"
                for table in sorted(tables)
            )
            cursor.execute(" UNION ALL ".join(parts))
            found |= dict(cursor.fetchall())
    return found


def is_refused(answer: Any) -> bool:
    """Or sent on, to where one logs in or to the page proper."""
    on = answer.headers["Location"] if answer.status_code == 302 else ""
    return bool(answer.status_code in REFUSED or "/login/" in on or on.endswith("/change/"))


def refusals(
    address: Address, where: str, people: list[Person], *, secrets: tuple[str, ...] = ()
) -> Iterator[str]:
    """Who was let in, by which method."""
    for person in people:
        for method in OF_THE_ADMIN if address.rule is Rule.STAFF else METHODS:
            answer = person.tries(method, where)
            told = b"" if answer.streaming else answer.content
            described = method == "OPTIONS" and address.route.startswith("api/")  # what may be sent there
            leaks = [secret for secret in secrets if secret.encode() in told]
            if leaks or not (is_refused(answer) or (described and answer.status_code == 200)):
                yield f"{person.name}: {method} {where}: {answer.status_code} {leaks or ''}"


def test_every_address_has_a_rule() -> None:
    undecided = [address.route for address in ALL if address.rule is None]
    assert not undecided, "say in shop/tests/addresses.py who may open it"
    assert len(ALL) > 200
    with_an_id = {Rule.OWNER, Rule.OWNER_OR_STAFF, Rule.OWNER_BY_TOKEN, Rule.LINK, Rule.STAFF}
    open_with_an_id = [a.route for a in ALL if a.parameters and a.rule not in with_an_id]
    assert open_with_an_id == ["products/<path:sku>/"], "whose is it?"


@pytest.mark.parametrize(
    "address", [a for a in ALL if hasattr(a.pattern.callback, "cls")], ids=lambda a: a.route
)
def test_a_view_of_the_api_says_itself_who_may_call_it(address: Address) -> None:
    """Not by what is set for all, which a change of one line would open."""
    view: Any = address.pattern.callback
    said = {name for kind in view.cls.__mro__ if _is_ours(kind) for name in vars(kind)} | set(view.initkwargs)
    assert {"authentication_classes", "permission_classes"} <= said


def _is_ours(kind: type) -> bool:
    return issubclass(kind, APIView) and not kind.__module__.startswith(("rest_framework", "drf_spectacular"))


def test_nobody_gets_at_an_order_that_is_anothers(owner: User, others: list[Person]) -> None:
    """Every address that takes an id or a token, every method; and nothing has changed then."""
    order, before = Order.objects.get(customer_id=owner.pk), rows()
    let_in: list[str] = []
    for address in ALL:
        if address.parameters and address.rule not in (Rule.STAFF, Rule.ANYBODY):
            let_in += refusals(address, theirs(owner, address), others, secrets=(order.number, order.email))
    assert not let_in
    assert rows() == before


def test_nobody_gets_into_the_admin_by_knowing_an_address(
    owner: User, others: list[Person], caplog: pytest.LogCaptureFixture
) -> None:
    """Nor do staff whom nobody has given a role, but for what is their own there."""
    customer, _, stranger, staff = others
    caplog.set_level("ERROR")
    let_in: list[str] = []
    before = rows()
    for address in ALL:
        if address.rule is Rule.STAFF:
            people = [customer, stranger] + [staff] * (address.route not in OPEN_TO_ALL_STAFF)
            let_in += refusals(address, theirs(owner, address), people)
    assert not let_in
    assert rows() == before


def test_without_a_token_the_api_says_that_one_is_needed_and_with_one_shows_only_what_is_ones_own(
    owner: User, others: list[Person]
) -> None:
    order = Order.objects.get(customer_id=owner.pk)
    another, _, stranger, _ = others
    for address in ALL:
        if address.rule in (Rule.TOKEN, Rule.OWNER_BY_TOKEN):
            answers = [stranger.tries(method, theirs(owner, address)) for method in METHODS]
            assert {answer.status_code for answer in answers} == {401}, address.route
    for where in ("/api/v1/orders/", "/orders/"):
        for person in (another, others[1]):
            assert order.number not in person.tries("GET", where).content.decode()
        mine = Person("the owner", owner)
        assert order.number in mine.tries("GET", where).content.decode()


def test_who_may_is_let_in(owner: User) -> None:
    """So that what was refused above was refused for whose it is. Of the admin test_roles.py shows it."""
    mine, anybody = Person("the owner", owner), Person("nobody we know")
    for address in ALL:
        if address.parameters and address.rule is not Rule.STAFF:
            person = anybody if address.rule in (Rule.LINK, Rule.ANYBODY) else mine
            assert _is_in(person, theirs(owner, address, forged=False)), address.route


def _is_in(person: Person, where: str) -> bool:
    answer: HttpResponseBase = person.tries("GET", where)
    if answer.status_code == 405:
        answer = person.tries("POST", where)
    return answer.status_code < 400 and not is_refused(answer)

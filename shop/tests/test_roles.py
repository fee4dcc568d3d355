"""What each role can see and press, over every page there is: one without a decision here fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from knox.models import AuthToken

from inventory.models import Product, Stock, Warehouse
from notifications.models import Mail
from orders.models import Order
from shipping.models import Parcel, Shipment
from shop.base.admin.rows import ReadOnlyAdmin
from shop.base.roles import Role, has_role, make_roles

VIEWER, OPERATOR, ADMIN, SUPERUSER, NOBODY = "viewer", "operator", "admin", "superuser", "nobody"
PEOPLE = (VIEWER, OPERATOR, ADMIN, SUPERUSER)
# Who is the least to open a model's list and rows, make one, change one, delete one. Rows of the services that are not
# named are read by everybody on the staff, and written by nobody.
OF_A_SERVICE = (VIEWER, NOBODY, NOBODY, NOBODY)
OF_A_MODEL = {
    "inventory.product": (VIEWER, ADMIN, ADMIN, NOBODY),
    "inventory.warehouse": (VIEWER, ADMIN, ADMIN, NOBODY),
    "auth.user": (ADMIN, ADMIN, ADMIN, NOBODY),
    "auth.group": (ADMIN, SUPERUSER, SUPERUSER, SUPERUSER),
    "knox.authtoken": (ADMIN, NOBODY, NOBODY, NOBODY),
}
# Every other page of the admin, a button's or one beside a list: who is the least to open it, and with what of a shop
# with an order and a customer. Where nothing is shown, the page asks for a permission by itself or shows only one's own.
OTHERS: dict[str, tuple[str, dict[str, str]]] = {
    "index": (VIEWER, {}),
    "app_list": (VIEWER, {"app_label": "orders"}),
    "jsi18n": (VIEWER, {}),
    "password_change": (VIEWER, {}),
    "password_change_done": (VIEWER, {}),
    "auth_user_password_change": (ADMIN, {"id": "customer"}),
    "orders_order_find": (VIEWER, {"order_id": "order_id"}),
    "orders_order_cancel": (OPERATOR, {"pk": "order"}),
    "orders_order_resume": (OPERATOR, {"pk": "order"}),
    "orders_order_retry": (OPERATOR, {"pk": "order"}),
    "orders_order_note": (OPERATOR, {"pk": "order"}),
    "orders_order_address": (OPERATOR, {"pk": "order"}),
    "orders_order_payment-method": (OPERATOR, {"pk": "order"}),
    "orders_order_stream": (VIEWER, {"pk": "order"}),
    "inventory_stock_receive": (OPERATOR, {}),
    "notifications_mail_html": (VIEWER, {"pk": "mail"}),
    "shipping_parcel_label": (VIEWER, {"pk": "parcel"}),
    "shipping_parcel_label_of": (VIEWER, {"order_id": "order_id", "warehouse": "warehouse"}),
}
FOR_ALL = {"login", "logout", "autocomplete", "view_on_site"}  # Django asks there what the other page would
# The buttons of each list, by who is the least to find them there. What is done to many at once is one, too.
ACTIONS = {
    "cancel_selected": OPERATOR,
    "resume_selected": OPERATOR,
    "retry_selected": OPERATOR,
    "note_selected": OPERATOR,
    "send_again": OPERATOR,
    "pause": OPERATOR,
    "resume": OPERATOR,
    "put_back": OPERATOR,
    "dismiss": OPERATOR,
    "revoke": ADMIN,
    "unlock": ADMIN,
    "delete_selected": SUPERUSER,  # which only groups have
}


def patterns(resolver: Any, name: str = "admin") -> Iterator[URLPattern]:
    """All of the admin's addresses."""
    for found in resolver.url_patterns:
        if isinstance(found, URLPattern):
            if name == "":
                yield found
        elif name == "" or getattr(found, "namespace", None) == name:
            yield from patterns(found, "")


NAMES = {pattern.name for pattern in patterns(get_resolver()) if pattern.name}
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label_lower)
OF_MODELS = {
    f"{model._meta.app_label}_{model._meta.model_name}_{page}": model
    for model in MODELS
    for page in ("changelist", "add", "change", "delete", "history")
}


@pytest.fixture
def people(db: None) -> dict[str, Client]:
    """One logged in of each, and a superuser."""
    make_roles()
    found = {}
    for name in PEOPLE:
        user = User.objects.create_user(f"a-{name}", is_staff=True, is_superuser=name == SUPERUSER)
        user.groups.add(*Group.objects.filter(name=name))
        found[name] = Client()
        found[name].force_login(user)
    return found


def may(least: str, person: str) -> bool:
    return least != NOBODY and PEOPLE.index(person) >= PEOPLE.index(least)


def test_every_page_of_the_admin_has_a_decision() -> None:
    assert NAMES - OF_MODELS.keys() == OTHERS.keys() | FOR_ALL, "decide in OTHERS who may open it"
    others = {m._meta.label_lower for m in MODELS if m._meta.app_label not in settings.SERVICES}
    edited = {m._meta.label_lower for m in MODELS if not isinstance(admin.site._registry[m], ReadOnlyAdmin)}
    assert others | edited == OF_A_MODEL.keys(), "decide in OF_A_MODEL who may write it"


def test_every_button_of_a_list_has_a_decision(people: dict[str, Client], rf: Any) -> None:
    for person in PEOPLE:
        request = rf.get("/")
        request.user = User.objects.get(username=f"a-{person}")
        for model in MODELS:
            pages: Any = admin.site._registry[model]
            offered = set(pages.get_actions(request))
            every = {name for _, name, _ in pages._get_base_actions()} & ACTIONS.keys()
            assert offered <= ACTIONS.keys(), f"decide in ACTIONS who may press {offered - ACTIONS.keys()}"
            deletes = may(OF_A_MODEL.get(model._meta.label_lower, OF_A_SERVICE)[3], person)
            expected = {name for name in every - {"delete_selected"} if may(ACTIONS[name], person)}
            assert offered == expected | ({"delete_selected"} if deletes else set()), (model, person)


def test_who_sees_and_who_writes_each_models_rows(people: dict[str, Client]) -> None:
    for person, client in people.items():
        request = client.get("/admin/").wsgi_request
        for model in MODELS:
            see, make, change, delete = OF_A_MODEL.get(model._meta.label_lower, OF_A_SERVICE)
            pages, where = (
                admin.site._registry[model],
                f"admin:{model._meta.app_label}_{model._meta.model_name}",
            )
            found = [client.get(reverse(f"{where}_{page}")).status_code for page in ("changelist", "add")]
            found += [pages.has_change_permission(request), pages.has_delete_permission(request)]
            expected = [200 if may(least, person) else 403 for least in (see, make)]
            assert found == [*expected, may(change, person), may(delete, person)], (person, model)


@pytest.mark.parametrize("name", OTHERS)
def test_who_opens_a_page_beside_a_models_own(name: str, people: dict[str, Client], place_order: Any) -> None:
    order = Order.objects.get(uuid=place_order().id)
    shipment = Shipment.objects.create(order_id=order.uuid, number=order.number, state="open")
    world: dict[str, object] = {
        "order": order.pk,
        "order_id": order.uuid,
        "customer": User.objects.create_user("customer").pk,
        "mail": Mail.objects.create(message_id="m", to="a@example.com", subject="S", text="T").pk,
        "warehouse": "NORTH",
        "parcel": Parcel.objects.create(shipment=shipment, warehouse="NORTH", key="k").pk,
    }
    least, named = OTHERS[name]
    address = reverse(f"admin:{name}", kwargs={key: world.get(value, value) for key, value in named.items()})
    for person, client in people.items():
        shown = client.get(address)
        status = (client.post(address) if shown.status_code == 405 else shown).status_code
        assert status in ((200, 302) if may(least, person) else (403,)), person
    assert Client().post(address).headers["Location"].startswith("/admin/login/")


def test_a_viewers_press_moves_nothing_and_an_operators_does(
    people: dict[str, Client], place_order: Any
) -> None:
    order = Order.objects.get(uuid=place_order().id)
    shelf = Stock.objects.create(
        product=Product.objects.create(sku="X", name="X", price_minor=1),
        warehouse=Warehouse.objects.create(code="W", name="W"),
    )
    stock = {"product": shelf.product_id, "warehouse": shelf.warehouse_id, "quantity": 3, "note": ""}
    for person, status, units in ((VIEWER, 403, 0), (OPERATOR, 302, 3)):
        client = people[person]
        assert client.post(f"/admin/orders/order/{order.pk}/resume/").status_code == status
        assert client.post("/admin/inventory/stock/receive/", stock).status_code == status
        shelf.refresh_from_db()
        assert shelf.on_hand == units


def test_a_token_is_seen_and_revoked_and_never_written(people: dict[str, Client]) -> None:
    token, _ = AuthToken.objects.create(User.objects.create_user("customer"))
    page = f"/admin/knox/authtoken/{token.pk}/change/"
    for client in (people[ADMIN], people[SUPERUSER]):
        client.post(page, {"digest": "0" * 128, "token_key": "0", "user": 1, "expiry_0": "", "expiry_1": ""})
        assert list(AuthToken.objects.values_list("digest", "user__username")) == [(token.digest, "customer")]
        assert b'name="digest"' not in client.get(page).content
    revoke = {"action": "revoke", "_selected_action": token.pk}
    people[OPERATOR].post("/admin/knox/authtoken/", revoke)
    assert AuthToken.objects.exists()
    people[ADMIN].post("/admin/knox/authtoken/", revoke)
    assert not AuthToken.objects.exists()


def test_nobody_is_shown_a_password_or_what_opens_the_api(people: dict[str, Client]) -> None:
    """Of a password's hash, who may look at accounts sees how it was made, and a few letters. A token's digest is how the
    page of the token is called; what it was made of, nobody can tell.
    """
    customer = User.objects.create_user("customer", password="a password, long enough")
    token, opens = AuthToken.objects.create(customer)
    _, _, salt, digest = customer.password.split("$")
    secrets = [opens, token.token_key, salt, digest, customer.password]
    for page in (
        "auth/user/",
        f"auth/user/{customer.pk}/change/",
        "knox/authtoken/",
        f"knox/authtoken/{token.pk}/change/",
    ):
        for person, client in people.items():
            answer = client.get(f"/admin/{page}")
            assert answer.status_code == (200 if person in (ADMIN, SUPERUSER) else 403), (page, person)
            text = answer.content.decode()
            assert [
                secret for secret in secrets if secret in text.replace(f"authtoken/{token.pk}/", "")
            ] == []
    superuser = User.objects.get(username="a-superuser")
    superuser.set_password("another, long enough")
    superuser.save()
    only_seen = people[ADMIN].get(f"/admin/auth/user/{superuser.pk}/change/").content.decode()
    assert 'name="email"' not in only_seen
    assert [part for part in superuser.password.split("$")[2:] if part in only_seen] == []


def test_an_admin_makes_nobody_a_superuser_and_touches_none(people: dict[str, Client]) -> None:
    above = User.objects.get(username="a-superuser")
    own = User.objects.get(username="a-admin")
    for user in (above, own):
        people[ADMIN].post(
            f"/admin/auth/user/{user.pk}/change/",
            {"username": user.username, "email": "new@example.com", "is_superuser": "on", "is_active": "on"}
            | {"is_staff": "on", "date_joined_0": "2026-01-01", "date_joined_1": "00:00"},
        )
    above.refresh_from_db()
    own.refresh_from_db()
    assert (above.email, own.email, own.is_superuser) == ("", "new@example.com", False)
    assert people[ADMIN].get(f"/admin/auth/user/{above.pk}/password/").status_code == 403


@pytest.mark.django_db(databases="__all__")
def test_seed_makes_the_roles_and_again_changes_nothing(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    for name in ("ADMIN", "DEMO", "OPERATOR"):
        monkeypatch.setenv(f"SEED_{name}_PASSWORD", "a-password-3")
    call_command("seed")
    assert '"created": ["admin", "demo", "operator"]' in capsys.readouterr().out
    held = {group.name: set(group.permissions.all()) for group in Group.objects.all()}
    assert held.keys() == set(Role)
    assert held[Role.VIEWER] < held[Role.OPERATOR] < held[Role.ADMIN]
    Group.objects.get(name=Role.VIEWER).permissions.clear()
    call_command("seed")
    assert '"created": []' in capsys.readouterr().out
    assert {group.name: set(group.permissions.all()) for group in Group.objects.all()} == held
    operator = User.objects.get(username="operator")
    assert (operator.is_staff, operator.is_superuser) == (True, False)
    roles = [(role, has_role(operator, role)) for role in Role]
    assert roles == [(Role.VIEWER, True), (Role.OPERATOR, True), (Role.ADMIN, False)]

"""Fixtures for the apps' own tests: an order in the database, and the providers as real processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from shop.tools.up.servers import Server
from tests.providers import running_provider

PlaceOne = Callable[..., Any]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that uses the database may use every app's, whether they share one or not."""
    for item in items:
        if "db" in getattr(item, "fixturenames", ()) and not item.get_closest_marker("django_db"):
            item.add_marker(pytest.mark.django_db(databases="__all__"))


@pytest.fixture(autouse=True)
def quick_clients(settings: Any) -> None:
    """A client that a test makes does not look at all static files first."""
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(autouse=True)
def open_door(settings: Any) -> None:
    """No thread that looks into a test's database. Who tests it judges by himself."""
    settings.ADMISSION_MAX_AGE = 0.0


@pytest.fixture(autouse=True)
def content_types_as_they_are(request: pytest.FixtureRequest) -> None:
    """Not as a page of the test before has just read them, while their table was emptied and filled anew."""
    if "live_server" in request.fixturenames:
        request.getfixturevalue("transactional_db")
        from django.contrib.contenttypes.models import ContentType

        ContentType.objects.clear_cache()


@pytest.fixture(scope="session")
def providers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    folder = tmp_path_factory.mktemp("providers")
    with (
        running_provider("payments", folder) as payments,
        running_provider("carrier", folder) as carrier,
    ):
        yield {"payments": payments, "carrier": carrier}


@pytest.fixture
def outside(providers: dict[str, Server], settings: Any) -> dict[str, Server]:
    """The payment provider and the carrier, for a test that calls them."""
    settings.PAYMENTS_URL = providers["payments"].url
    settings.CARRIER_URL = providers["carrier"].url
    return providers


@pytest.fixture
def mailbox(settings: Any) -> None:
    """Mails go where they go in the running shop; pytest-django keeps them in memory otherwise."""
    settings.EMAIL_BACKEND = "notifications.mailbox.MailboxBackend"


@pytest.fixture
def place_order(db: None) -> PlaceOne:
    """Places an order for two products that stand in one warehouse each; answers with its Ref."""
    from inventory.models import Product, Warehouse
    from inventory.services import Delivery, receive_stock
    from orders.lookups import DeliveryAddress
    from orders.placement import Placed, PlaceOrder, WantedLine, place_orders

    for code in ("NORTH", "SOUTH"):
        Warehouse.objects.create(code=code, name=code.title())
    Product.objects.bulk_create(
        Product(sku=sku, name=f"Product {sku}", price_minor=500) for sku in ("A", "B")
    )
    receive_stock([Delivery("A", "NORTH", 10), Delivery("B", "SOUTH", 10)])

    def place(
        units: int = 1, card: str = "approved", postcode: str = "N1", style: str = "choreography"
    ) -> Any:
        (answer,) = place_orders(
            [
                PlaceOrder(
                    customer_id=1,
                    idempotency_key=uuid4().hex,
                    lines=[WantedLine("A", units), WantedLine("B", units)],
                    currency="GBP",
                    payment_method=f"pm_card_{card}",
                    email="ada@example.invalid",
                    address=DeliveryAddress(
                        name="Ada Byron",
                        line1="12 St James's Sq",
                        city="London",
                        postcode=postcode,
                        country="GB",
                    ),
                    style=style,
                )
            ]
        )
        assert isinstance(answer, Placed)
        return answer.order.ref

    return place

"""Which client of a provider is taken, and how often it is made."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from payments.gateway import SandboxGateway, gateway
from shipping.carrier import SandboxCarrier, carrier


class OtherProvider:
    def __init__(self, base_url: str) -> None:
        self.base_url = base_url


OTHER = f"{__name__}.OtherProvider"


def test_the_sandboxes_are_the_default() -> None:
    assert isinstance(gateway(), SandboxGateway)
    assert isinstance(carrier(), SandboxCarrier)


def test_the_setting_names_the_payment_providers_client(settings: Any) -> None:
    settings.PAYMENTS_GATEWAY, settings.PAYMENTS_URL = OTHER, "http://payments.example"
    client: Any = gateway()
    assert (type(client), client.base_url) == (OtherProvider, "http://payments.example")


def test_the_setting_names_the_carriers_client(settings: Any) -> None:
    settings.CARRIER, settings.CARRIER_URL = OTHER, "http://carrier.example"
    client: Any = carrier()
    assert (type(client), client.base_url) == (OtherProvider, "http://carrier.example")


def test_an_address_has_one_client(settings: Any) -> None:
    first = gateway()
    assert gateway() is first
    settings.PAYMENTS_URL = "http://elsewhere.example"
    assert gateway() is not first


@pytest.mark.parametrize(("setting", "ask"), [("PAYMENTS_GATEWAY", gateway), ("CARRIER", carrier)])
@pytest.mark.parametrize("path", ["no.such.Client", "payments.gateway.NoSuchClient", "Client", ""])
def test_a_client_that_is_not_there_is_said(settings: Any, setting: str, ask: Any, path: str) -> None:
    setattr(settings, setting, path)
    expected = f"{setting} is {path!r}; it must be the dotted path of a class that can be imported: "
    with pytest.raises(ImproperlyConfigured, match=re.escape(expected)):
        ask()

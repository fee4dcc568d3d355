"""The test cards and addresses of the sandbox, in plain words. With real providers there are none."""

from __future__ import annotations

from django.conf import settings

CARDS = (
    ("pm_card_approved", "Visa test card", "is approved at once"),
    ("pm_card_declined", "Declined card", "the bank says no: the order is cancelled, nothing is charged"),
    ("pm_card_insufficient_funds", "Empty card", "has insufficient funds: the order is cancelled"),
    ("pm_card_slow", "Slow card", "is approved after some seconds"),
    ("pm_card_provider_down", "Provider away", "the payment provider is down for a while; the order waits"),
    (
        "pm_card_answer_lost",
        "Lost answer",
        "is charged, but the answer gets lost; it is charged once all the same",
    ),
)
POSTCODES = (
    ("REFUSE", "the carrier does not serve the address: your money is given back"),
    ("SLOW", "the carrier takes some seconds"),
    ("DOWN", "the carrier is down for a while; the order waits"),
    ("LOST", "the carrier's answer gets lost"),
)
NAMES = {token: name for token, name, _ in CARDS}


def cards_are_tests() -> bool:
    return bool(settings.PAYMENTS_GATEWAY == "payments.gateway.SandboxGateway")


def addresses_are_tests() -> bool:
    return bool(settings.CARRIER == "shipping.carrier.SandboxCarrier")


def card_name(token: str) -> str:
    """What the customer chose; what a real provider calls its cards, only that knows."""
    return NAMES.get(token, "card") if cards_are_tests() else "card"

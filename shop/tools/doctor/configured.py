"""How the settings go together. That each by itself may be what it is, shop/settings.py has seen to."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.http.request import validate_host

from shop.tools.doctor.findings import Findings, Scribe
from shop.tools.doctor.installation import Installation

SHORTEST_KEY, FEWEST_SIGNS = 50, 5  # as Django's own check has it
SANDBOXES = {
    "PAYMENTS_GATEWAY": ("payments.gateway.SandboxGateway", "nobody is charged"),
    "CARRIER": ("shipping.carrier.SandboxCarrier", "nothing is delivered"),
}
MAILBOX = "notifications.mailbox.MailboxBackend"
say = Scribe("settings")


def check(shop: Installation) -> Findings:
    yield from _secret_key(shop)
    yield from _address(shop)
    if shop.is_public:
        yield from _only_for_show(shop)
    for message in checks.run_checks(include_deployment_checks=shop.public_url.startswith("https://")):
        if message.id not in ("security.W009", "security.W018", "security.W020"):  # said above in other words
            tell = say.wrong if message.level >= checks.ERROR else say.worry
            yield tell(
                f"{message.msg} ({message.id})", message.hint or "See Django's documentation of this check."
            )


def _secret_key(shop: Installation) -> Findings:
    key, make = shop.secret_key, "Set SECRET_KEY to 50 random characters or more, the same for all processes."
    tell = say.wrong if shop.is_public else say.worry
    if not key:
        yield tell("SECRET_KEY is not set: each process signs with its own, and sessions end with it.", make)
    elif len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_SIGNS or key.startswith("django-insecure"):
        yield tell("SECRET_KEY is weak: who guesses it can make sessions of anybody.", make)


def _address(shop: Installation) -> Findings:
    url, host = shop.public_url, urlsplit(shop.public_url).hostname or ""
    if shop.is_public and not url.startswith("https://"):
        yield say.wrong(
            f"PUBLIC_URL is {url}: passwords and tokens travel in the clear.",
            "Put a proxy with TLS before the web process, and set PUBLIC_URL to https://….",
        )
    if "*" in shop.allowed_hosts:
        tell = say.wrong if shop.is_public else say.worry
        yield tell(
            "ALLOWED_HOSTS is *: links in mails and pages can be made to lead elsewhere.",
            f"Set ALLOWED_HOSTS to {host}.",
        )
    elif not validate_host(host, shop.allowed_hosts):
        yield say.wrong(
            f"Whoever comes by PUBLIC_URL is turned away: {host} is not in ALLOWED_HOSTS.",
            f"Set ALLOWED_HOSTS to {','.join([*shop.allowed_hosts, host])}.",
        )


def _only_for_show(shop: Installation) -> Findings:
    if shop.debug:
        yield say.wrong(
            f"DEBUG is on and PUBLIC_URL is {shop.public_url}: whoever meets an error is shown code and settings.",
            "Unset DEBUG, and start the web process again.",
        )
    if shop.demo:
        yield say.wrong(
            f"DEMO is on and PUBLIC_URL is {shop.public_url}: a page in the admin breaks the shop.",
            "Unset DEMO, or with `up` set it to 0.",
        )
    for name, (sandbox, lacking) in SANDBOXES.items():
        if getattr(settings, name) == sandbox:
            yield say.worry(
                f"{name} is the sandbox's client: {lacking}.",
                f"Set {name} to the class of your provider's client.",
            )
    if settings.EMAIL_BACKEND == MAILBOX:
        yield say.worry(
            "EMAIL_BACKEND keeps mails in the shop's own mailbox: they reach no customer.",
            "Set EMAIL_BACKEND to one that sends them.",
        )

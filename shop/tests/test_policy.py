"""Every answer tells the browser what its page may do, and whether it may be kept."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.test import Client

from shop.base.policy import HEADER
from shop.tests.addresses import addresses

STRICT = (
    "default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; "
    "img-src 'self' data:; object-src 'none'"
)

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.mark.parametrize(
    "address", ["/", "/livez", "/admin/login/", "/static/shop/live.js", "/api/v1/orders/", "/nowhere"]
)
def test_nothing_is_loaded_from_elsewhere_and_nothing_in_a_page_is_run(client: Client, address: str) -> None:
    answer = client.get(address)
    answer.close()  # a file
    assert answer[HEADER] == STRICT


def test_only_swaggers_page_has_styles_of_its_own_and_still_no_script(client: Client) -> None:
    page = client.get("/api/docs/")
    assert page[HEADER] == f"{STRICT}; style-src 'self' 'unsafe-inline'"
    assert "<script>" not in page.content.decode()


def test_every_answer_says_what_a_browser_may_do_with_it(client: Client) -> None:
    """Of every address there is, whatever it answers to a stranger. Files alone may be kept."""
    for where in [
        *(address.route for address in addresses() if not address.parameters),
        "static/shop/live.js",
    ]:
        answer = client.get("/" + where.partition("(")[0].replace("^", ""))
        if answer.streaming:
            answer.close()
        told = {name: answer.headers.get(name) for name in TOLD}
        is_file = where.startswith("static/")  # whose policy alone says that it is shown in no frame
        assert told == TOLD | ({"X-Frame-Options": None} if is_file else {}), where
        assert ("no-store" in answer["Cache-Control"]) is not is_file, where


TOLD = {
    "Referrer-Policy": "same-origin",  # the token in a link to an order is told to nobody else
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}


DEPLOYED = {
    "SECRET_KEY": "k" * 25 + "".join(map(chr, range(65, 90))),
    "PUBLIC_URL": "https://shop.example",
    "ALLOWED_HOSTS": "shop.example",
}
ASKED = """
import django
django.setup()
from django.conf import settings
from django.core.management import call_command
from django.test import Client
call_command("check", "--deploy", "--fail-level", "WARNING")
page = Client().get("/admin/login/", headers={"Host": "shop.example", "X-Forwarded-Proto": "https"})
print(page["Strict-Transport-Security"])
print(page.cookies.output(header=""))
print(Client().get("/admin/login/", headers={"Host": "shop.example"})["Location"])
print(Client().get("/admin/login/", headers={"Host": "other.example", "X-Forwarded-Proto": "https"}).status_code)
"""


def test_deployed_all_is_https_and_django_finds_nothing_to_mend() -> None:
    env = {**os.environ, **DEPLOYED, "DJANGO_SETTINGS_MODULE": "shop.settings"}
    done = subprocess.run([sys.executable, "-c", ASKED], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    hsts, cookie, sent_on, other_host = done.stdout.splitlines()[-4:]
    assert hsts == "max-age=31536000; includeSubDomains; preload"
    assert cookie.strip().startswith("__Host-csrftoken=")
    assert {"HttpOnly", "Path=/", "SameSite=Lax", "Secure"} <= set(cookie.strip().split("; "))
    assert sent_on == "https://shop.example/admin/login/"
    assert other_host == "400"

"""The OpenAPI page, of which the orders are the most."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.conf import settings as project
from rest_framework.test import APIClient


@pytest.fixture
def client(db: None) -> APIClient:
    return APIClient()


def test_the_schema_documents_the_key_the_location_and_the_problems(client: APIClient) -> None:
    schema = client.get("/api/schema/", headers={"Accept": "application/json"}).json()
    placing = schema["paths"]["/api/v1/orders/"]["post"]
    (key,) = (p for p in placing["parameters"] if p["name"] == "Idempotency-Key")
    assert (key["in"], key["required"]) == ("header", True)
    assert {"Location", "Idempotent-Replayed"} <= placing["responses"]["202"]["headers"].keys()
    for status in ("400", "401", "413", "415", "422", "503"):
        assert set(placing["responses"][status]["content"]) == {"application/problem+json"}
    limits = schema["components"]["schemas"]["PlaceOrderRequest"]["properties"]["lines"]
    assert (limits["minItems"], limits["maxItems"]) == (1, 1000)


def test_the_schema_documents_how_long_to_wait_and_the_request_id(client: APIClient) -> None:
    schema = client.get("/api/schema/", headers={"Accept": "application/json"}).json()
    for path, methods in schema["paths"].items():
        for operation in methods.values():
            answers = operation["responses"]
            for status in answers.keys() - {"414", "431"}:
                assert "X-Request-ID" in answers[status]["headers"], (path, status)
                waits = "Retry-After" in answers[status]["headers"]
                assert waits == (status in ("429", "503")), (path, status)
    (id,) = schema["paths"]["/api/v1/orders/{id}/"]["get"]["parameters"]
    assert id["schema"] == {"type": "string", "format": "uuid"}
    login = schema["paths"]["/api/v1/login/"]["post"]["responses"]["401"]
    assert login["description"] == "The username or the password is wrong."


def test_the_page_is_served_from_here_alone(client: APIClient) -> None:
    page = client.get("/api/docs/").content.decode()
    assert "/static/drf_spectacular_sidecar/" in page
    assert "https://" not in page.replace("http://www.w3.org", "")


def test_it_is_made_once_however_many_ask_for_it_at_the_same_moment() -> None:
    """In a process that has just begun: two at once had the library fail at one of them, with a 500."""
    ran = subprocess.run(
        [sys.executable, "-c", AT_ONCE], cwd=project.BASE_DIR, capture_output=True, text=True, timeout=60
    )
    assert (ran.stdout, ran.stderr) == ("200 200 200\n", "")


AT_ONCE = """
import os
from concurrent.futures import ThreadPoolExecutor
import django
from django.conf import settings
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
django.setup()
settings.ALLOWED_HOSTS, settings.WHITENOISE_AUTOREFRESH = ["*"], True
from django.test import Client
with ThreadPoolExecutor(3) as threads:
    ask = lambda _: Client(raise_request_exception=False).get("/api/schema/").status_code
    print(*threads.map(ask, range(3)))
"""


def test_the_schema_has_no_errors_and_no_warnings() -> None:
    command = [sys.executable, "manage.py", "spectacular", "--validate", "--fail-on-warn"]
    ran = subprocess.run(command, cwd=project.BASE_DIR, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")

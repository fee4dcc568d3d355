"""docs/webhooks.md is right: its snippet is run, and what it lists is what there is."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import Client
from standardwebhooks import Webhook

from orders.webhooks import outcomes
from orders.webhooks.kinds import KINDS
from orders.webhooks.messages import new_secret
from orders.webhooks.models import WebhookEndpoint
from orders.webhooks.sender import LANES
from orders.webhooks.tests.conftest import Message, Run
from shop import settings as defaults
from tests.receiver import Receiver

PAGE = (Path(settings.BASE_DIR) / "docs" / "webhooks.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_snippet_takes_what_is_ours_and_nothing_else(
    endpoint: WebhookEndpoint, receiver: Receiver, message: Message, send: Run
) -> None:
    (snippet,) = blocks("python")
    found: dict[str, Any] = {}
    exec(snippet, found)
    verified = found["verified"]
    message(endpoint)
    send(lambda: receiver.received)
    (came,) = receiver.received
    headers = {name.lower(): value for name, value in came.headers.items()}
    assert verified(endpoint.secret, headers, came.body)
    assert not verified(new_secret(), headers, came.body)
    assert not verified(endpoint.secret, headers, came.body.replace(b"S-100042", b"S-100043"))
    assert not verified(endpoint.secret, {**headers, "webhook-id": "msg_other"}, came.body)
    old = str(int(time.time()) - 301)
    assert not verified(endpoint.secret, {**headers, "webhook-timestamp": old}, came.body)


def test_the_example_is_as_messages_are(
    endpoint: WebhookEndpoint, receiver: Receiver, message: Message, send: Run
) -> None:
    (example,) = map(json.loads, blocks("json"))
    message(endpoint)
    send(lambda: receiver.received)
    (came,) = receiver.received
    assert example.keys() == came.data.keys()
    assert example["data"]["order"].keys() == came.data["data"]["order"].keys()
    assert example["type"] in KINDS
    Webhook(endpoint.secret).verify(came.body, dict(came.headers))


def test_what_it_lists_is_what_there_is() -> None:
    listed = re.findall(r"`(order\.\w+)`", PAGE.partition("## Receive")[0])
    assert sorted(listed) == sorted(KINDS)
    assert f"{outcomes.ATTEMPTS} attempts" in PAGE
    assert f"at most {LANES} calls to one endpoint" in PAGE
    assert f"and {defaults.WEBHOOKS['AT_ONCE']} in all" in PAGE
    assert f"may have ({defaults.WEBHOOKS['ENDPOINTS']})" in PAGE
    assert f"within {defaults.WEBHOOKS['ANSWER_WITHIN']:g} s" in PAGE


def test_the_open_api_page_has_an_example_of_each_answer(client: Client) -> None:
    schema = client.get("/api/schema/", headers={"Accept": "application/json"}).json()
    ours = {path: item for path, item in schema["paths"].items() if path.startswith("/api/v1/webhooks/")}
    assert len(ours) == 6
    for path, item in ours.items():
        for method, operation in item.items():
            assert operation["summary"], (path, method)
            for status, answer in operation["responses"].items():
                content = answer.get("content", {}).get("application/json")
                assert status == "204" or content is None or content["examples"], (path, method, status)

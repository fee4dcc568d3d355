"""Somebody outside who buys, as a person with a distinctive name; and all that the broker hears meanwhile."""

from __future__ import annotations

import base64
import json
import re
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from typing import Any
from uuid import uuid4

import redis
from django.conf import settings

from tests.web import Web

TAG = f"q{uuid4().hex[:10]}"  # in all that says who somebody is
PERSON = {"name": f"Zelda {TAG}", "line1": f"9 {TAG} Row", "city": f"{TAG}ton", "country": "GB"}
WORD = uuid4().hex  # a password; one that holds the name is refused
MAIL = f"zelda@{TAG}.example"


class Client:
    """Somebody outside: the API by a token, the pages as a browser has them."""

    def __init__(self, web: Web, token: str) -> None:
        self._web, self._token = web, token
        self._jar = CookieJar()

    def order(self, skus: tuple[str, ...], style: str, *, key: str = "", **other: Any) -> int:
        address = {**PERSON, "postcode": f"ZZ9 {TAG}"} | other.pop("address", {})
        body = {
            "lines": [{"sku": sku, "quantity": 1} for sku in skus],
            "currency": "GBP",
            "payment_method": "pm_card_approved",
            "email": MAIL,
            "address": address,
            "style": style,
            **other,
        }
        headers = {
            "Authorization": f"Token {self._token}",
            "Idempotency-Key": key or f"{TAG}-{uuid4().hex}",
            "Content-Type": "application/json",
        }
        return self.ask("/api/v1/orders/", json.dumps(body).encode(), headers)[0]

    def ask(
        self, path: str, data: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._jar))
        try:
            with browser.open(
                urllib.request.Request(f"{self._web.url}{path}", data, headers or {})
            ) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def send(self, path: str, **fields: str) -> int:
        """A form of a page, with what it hides."""
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', self.ask(path)[1]))
        return self.ask(
            path, urllib.parse.urlencode({**hidden, **fields}).encode(), {"Referer": self._web.url}
        )[0]


class Heard:
    """All that passes through the broker, its messages decoded."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._over = threading.Event()

    def listen(self) -> None:
        with redis.Redis.from_url(settings.REDIS_URL) as client, client.monitor() as monitor:
            for said in monitor.listen():
                text = str(said["command"])
                self.texts.append(text)
                for body in re.findall(r'\\*"body\\*": ?\\*"([A-Za-z0-9+/=]+)\\*"', text):
                    self.texts.append(base64.b64decode(body).decode(errors="replace"))
                if self._over.is_set():
                    return

    @contextmanager
    def all(self) -> Iterator[None]:
        thread = threading.Thread(target=self.listen, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            with redis.Redis.from_url(settings.REDIS_URL) as client:
                client.ping()  # so that there is a last thing to hear
            thread.join(10)

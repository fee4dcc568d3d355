"""Somebody with an account, logging in over REST."""

from __future__ import annotations

import json
from typing import Any

from rest_framework.test import APIClient

LOGIN = "/api/v1/login/"
RIGHT = {"username": "ada", "password": " pass word "}


def log_in(client: APIClient, body: object = RIGHT, **extra: Any) -> Any:
    return client.post(LOGIN, json.dumps(body), content_type="application/json", **extra)

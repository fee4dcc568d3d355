"""An account at the shop, and a client of its API that nobody is logged in to."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from rest_framework.test import APIClient

from shop.tests.account import RIGHT


@pytest.fixture
def account(db: None, settings: Any) -> User:
    """The only one; none of its attempts to log in is counted yet."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()
    return User.objects.create_user(**RIGHT)


@pytest.fixture
def client() -> APIClient:
    return APIClient()

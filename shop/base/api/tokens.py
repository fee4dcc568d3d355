"""Who calls the REST API: the holder of a token."""

from __future__ import annotations

import re

from django.contrib.auth.models import User
from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox.auth import TokenAuthentication
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed

TOKEN = re.compile(rb"[\x21-\x7e]{1,200}")


class ApiToken(TokenAuthentication):  # type: ignore[misc]  # the library is untyped
    """Knox's, which fails on bytes that can't be in a token instead of refusing them."""

    def authenticate_credentials(self, token: bytes) -> tuple[User, AuthToken]:
        if not TOKEN.fullmatch(token):
            raise AuthenticationFailed("Invalid token.")
        found: tuple[User, AuthToken] = super().authenticate_credentials(token)
        return found


class ApiTokenScheme(KnoxTokenScheme):  # type: ignore[no-untyped-call]
    target_class = "shop.base.api.tokens.ApiToken"
    name = "token"

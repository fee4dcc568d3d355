"""Who calls the REST API: the holder of a token."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from django.contrib.auth.models import User
from django.db import models, router
from django.utils import timezone
from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from knox.models import AuthToken
from knox.settings import knox_settings
from rest_framework.exceptions import AuthenticationFailed

from shop.base.api.together import Together
from shop.base.databases import unasked
from shop.messaging.rows import as_array, execute

TOKEN = re.compile(rb"[\x21-\x7e]{1,200}")
Row = list[Any]


class ApiToken(TokenAuthentication):  # type: ignore[misc]  # the library is untyped
    """Knox's tokens, found with their holders by one statement, for all requests of the moment.

    Knox takes two statements, which Django builds anew each time, and looks through all other tokens of the holder for
    those that have expired; here logging in does that, and until then such a one is told from one nobody knows. It
    also fails on bytes that can't be in a token.
    """

    def authenticate_credentials(self, token: bytes) -> tuple[User, AuthToken]:
        row = _tokens.ask(hash_token(token.decode())) if TOKEN.fullmatch(token) else None
        if row is None:
            raise AuthenticationFailed("The token is invalid: it is none of this shop's, or void.")
        found = _token(row)
        if found.expiry is not None and found.expiry < timezone.now():
            raise AuthenticationFailed("The token has expired: log in again.")
        if knox_settings.AUTO_REFRESH and found.expiry:
            self.renew_token(found)
        holder: tuple[User, AuthToken] = self.validate_user(found)
        return holder


def _rows(digests: list[str]) -> Sequence[Row | None]:
    wanted = as_array(set(digests))
    found = unasked(AuthToken, lambda: execute(AuthToken, _query(), wanted, fetch=True))
    rows = {digest: row for digest, *row in found}
    return [rows.get(digest) for digest in digests]


_tokens: Together[str, Row | None] = Together(_rows)


@cache
def _query() -> str:
    tokens, users = AuthToken._meta.db_table, User._meta.db_table
    columns = [f"t.{field.column}" for field in _fields(AuthToken)] + [
        f"u.{field.column}" for field in _fields(User)
    ]
    return f"""
        SELECT t.digest, {", ".join(columns)} FROM {tokens} t JOIN {users} u ON u.id = t.user_id
        WHERE t.digest = ANY(%s::varchar[])
        """


def _token(row: Row) -> AuthToken:
    """A token with its user; each request gets its own."""
    database, split = router.db_for_read(AuthToken), len(_fields(AuthToken))
    token = AuthToken.from_db(database, _names(AuthToken), row[:split])
    token.user = User.from_db(database, _names(User), row[split:])
    return token


@cache
def _fields(model: type[models.Model]) -> Sequence[models.Field[Any, Any]]:
    return model._meta.concrete_fields


@cache
def _names(model: type[models.Model]) -> list[str]:
    return [field.attname for field in _fields(model)]


class ApiTokenScheme(KnoxTokenScheme):  # type: ignore[no-untyped-call]
    target_class = "shop.base.api.tokens.ApiToken"
    name = "token"

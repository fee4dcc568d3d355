"""How long somebody stays logged in, and what ends it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest
from knox.models import AuthToken


def listen() -> None:
    user_logged_in.connect(staff_log_in_each_day)


def staff_log_in_each_day(request: HttpRequest, user: User, **more: Any) -> None:
    """Who may do more than buy is asked again sooner. With the API's tokens nobody gets at what staff may do."""
    if user.is_staff and SESSION_KEY in getattr(request, "session", ()):
        request.session.set_expiry(settings.STAFF_SESSION_AGE)


class TokensEnd:
    """One of AUTH_PASSWORD_VALIDATORS, as those are told of each new password: tokens got with the old one are void.

    Sessions are so by themselves, as Django keeps a digest of the password in each.
    """

    def validate(self, password: str, user: User | None = None) -> None:
        """It finds any password good."""

    def get_help_text(self) -> str:
        return ""

    def password_changed(self, password: str, user: User) -> None:
        AuthToken.objects.filter(user=user).delete()

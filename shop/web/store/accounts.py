"""Logging in, joining and logging out, for customers. To buy, nobody has to."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.auth import login
from django.contrib.auth.forms import AuthenticationForm, UserCreationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from shop.messaging.rows import execute
from shop.messaging.tables import database_of
from shop.web.guesses import SaysHowLong, let_in, sentence, told, wait_of
from shop.web.store.customers import GUEST, guest_of
from shop.web.store.pages import page
from shop.web.store.shelf import Basket


class LogInForm(SaysHowLong, AuthenticationForm):
    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": "Name and password don't go together.",
    }


class JoinForm(UserCreationForm):
    def __init__(self, *args: Any, request: HttpRequest, **more: Any) -> None:
        super().__init__(*args, **more)
        self.request = request

    def clean(self) -> dict[str, Any] | None:
        if not let_in(self.request):
            raise ValidationError(sentence(wait_of(self.request)))
        return super().clean()


class LogIn(LoginView):
    """What was bought in this session before stays in sight."""

    template_name = "store/login.html"
    form_class = authentication_form = LogInForm
    next_page = "store-orders"

    def form_invalid(self, form: Any) -> HttpResponse:
        return told(self.request, super().form_invalid(form))

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(in_basket=Basket(self.request.session).units, **more)


class LogOut(LogoutView):
    """The basket goes, too: the next one at this computer is somebody else."""

    next_page = "store"


def _made(form: JoinForm, name: str) -> User | None:
    """The account; None: the form says why not. Who wants a name at the same moment waits, and is told that it is taken:
    a conflict in the database would end with the name, and more, in its log.
    """
    with transaction.atomic(using=database_of(User)):
        execute(User, "SELECT pg_advisory_xact_lock(%s)", _number_of(name))
        return form.save() if form.is_valid() else None


def _number_of(name: str) -> int:
    """The same for names that differ only in capitals."""
    digest = hashlib.blake2b(name.casefold().encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest) -> HttpResponse:
    """A new account; a guest's becomes it, with the orders."""
    if request.user.is_authenticated:
        return redirect("store-orders")
    form = JoinForm(
        request.POST or None, instance=guest_of(request), initial={"username": ""}, request=request
    )
    if request.method == "POST" and (person := _made(form, request.POST.get("username", ""))):
        login(request, person, backend="django.contrib.auth.backends.ModelBackend")
        request.session.pop(GUEST, None)
        return redirect("store-orders")
    return told(request, page(request, "join", {"form": form}, status=422 if form.errors else None))

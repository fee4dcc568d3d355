"""What packages of the web hold of people: accounts, who is logged in, tokens, and what staff have noted."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any
from uuid import UUID

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from knox.models import AuthToken

from orders.models import Order
from orders.staff.actions import NOTE
from shop.base.people import holds_of_people

CONSOLE = (
    "console"  # whose acts are told in the admin as done by a command: an account that nobody can log in to
)
GUEST = "guest-"  # begins the name of an account that somebody who did not log in bought with
ERASED_NOTE = f"{NOTE}erased, as it may have named the customer."
BY_NOTHING = {"first_name": "", "last_name": "", "email": "", "is_active": False, "last_login": None}


def notes(order_ids: Collection[UUID]) -> QuerySet[LogEntry]:
    """What staff have written about these orders: it may name anybody."""
    return _acts_on(Order, Order.objects.filter(uuid__in=order_ids).values_list("pk", flat=True)).filter(
        change_message__startswith=NOTE
    )


holds_of_people(
    LogEntry,
    by=notes,
    erased={"change_message": ERASED_NOTE},
    plain=("object_id", "object_repr"),  # of a customer's account: see erase_account
)
holds_of_people(
    User,
    erased={"username": "", "first_name": "", "last_name": "", "email": "", "password": ""},
)
holds_of_people(Session, erased={"session_key": "", "session_data": ""})
holds_of_people(AuthToken, erased={"digest": "", "token_key": ""})
holds_of_people(Group, plain=("name",))
holds_of_people(Permission, plain=("name", "codename"))
holds_of_people(ContentType, plain=("app_label", "model"))


def is_guest(account: User) -> bool:
    return account.username.startswith(GUEST) and not account.has_usable_password()


def is_erased(account: User) -> bool:
    return account.username == _nobody(account)


def _nobody(account: User) -> str:
    return f"erased-{account.pk}"


def told(account: User) -> dict[str, Any]:
    """An account, with all that hangs on it, for its owner."""
    return {
        **{
            column.attname: getattr(account, column.attname)
            for column in User._meta.concrete_fields
            if column.attname != "password"
        },
        "roles": sorted(account.groups.values_list("name", flat=True)),
        "tokens": list(AuthToken.objects.filter(user=account).values("created", "expiry")),
        "sessions": [{"expires": session.expire_date} for session in sessions_of(account)],
    }


def sessions_of(account: User) -> Iterator[Session]:
    """Where somebody is logged in as this person, or buys as this guest. All have to be opened: there is no index."""
    for session in Session.objects.iterator(chunk_size=1000):
        inside = session.get_decoded()
        if str(account.pk) == inside.get("_auth_user_id") or account.username in inside.values():
            yield session


@transaction.atomic
def erase_account(account: User) -> None:
    """Nobody logs in to it any more, and nothing tells whose it was. Its number stays, as its orders have it."""
    nobody = _nobody(account)
    for session in sessions_of(account):
        session.delete()
    AuthToken.objects.filter(user=account).delete()
    account.groups.clear()
    _acts_on(User, [account.pk]).update(object_repr=nobody)
    of_tokens = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(AuthToken))
    of_tokens.filter(object_repr__endswith=f" {account.username}").update(object_repr=nobody)
    User.objects.filter(pk=account.pk).update(username=nobody, password=make_password(None), **BY_NOTHING)


def note(model: type[Any], ids: Sequence[object], named: Sequence[str], act: str) -> None:
    """Write down that a command did something to these rows: staff find it where they find what they did themselves."""
    User.objects.bulk_create(
        [User(username=CONSOLE, is_active=False, password=make_password(None))], ignore_conflicts=True
    )
    console, kind = User.objects.get(username=CONSOLE), ContentType.objects.get_for_model(model)
    LogEntry.objects.bulk_create(
        LogEntry(
            user=console,
            content_type=kind,
            object_id=str(id),
            object_repr=name[:200],
            action_flag=CHANGE,
            change_message=act,
        )
        for id, name in zip(ids, named, strict=True)
    )


def _acts_on(model: type[Any], ids: Collection[object]) -> QuerySet[LogEntry]:
    kind = ContentType.objects.get_for_model(model)
    return LogEntry.objects.filter(content_type=kind, object_id__in=[str(id) for id in ids])

"""The brake on guessing passwords, before all of Django's logging in: the admin's, the store's and the API's.

Each attempt takes a token before the password is looked at, so that many at once are no way round:
- of its address, whatever came of it: hashing a password takes a while, and names can be guessed, too;
- of the account at this address, given back by the right password: here an attacker is locked out;
- of the account everywhere, unless it has been logged in to from this address of late: against many addresses. Its owner,
  who comes from where he always does, is never locked out by somebody else.

An account nobody has is counted as any other: how one is braked does not tell which there are.
"""

from __future__ import annotations

import logging
import time
from hashlib import sha256
from math import ceil
from typing import Any, NamedTuple

import redis
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse

from shop.base.brakes.addresses import address_of
from shop.base.brakes.buckets import Bucket, Taken, asked, forget, key_of, take_all

logger = logging.getLogger(__name__)

REMEMBERED = 30 * 86_400  # s for which the address of a login is one the account is known to come from
MOST_LISTED = 1_000  # locked accounts that staff are shown
EVERYWHERE = "wherever it was not logged in from"
LOCKED = "locked"


class Locked(NamedTuple):
    """An account whose password was guessed at, from where, and until when (by the clock) each guess is slow."""

    user: int
    address: str
    until: float


class Brake:
    """The first of ``AUTHENTICATION_BACKENDS``: it knows nobody, and stops the others from being asked."""

    def authenticate(self, request: HttpRequest | None, username: str | None = None, **more: Any) -> None:
        """Raises PermissionDenied: not now. ``wait_of(request)`` says how long."""
        if request is None or username is None:
            return
        buckets = _buckets(str(username), address_of(request))
        if not buckets:
            return
        taken = take_all(buckets)
        request.guess = dict(zip((name for name, _ in buckets), taken, strict=True))  # type: ignore[attr-defined]
        if not taken[0].allowed:
            request.braked_for = taken[0].wait  # type: ignore[attr-defined]
            raise PermissionDenied


def let_in(request: HttpRequest) -> bool:
    """Whether somebody may try, who has no account yet: only the address is counted."""
    if not (rate := settings.RATES["logins"]):
        return True
    (taken,) = take_all([Bucket(f"logins:{address_of(request)}", rate)])
    if not taken.allowed:
        request.braked_for = taken.wait  # type: ignore[attr-defined]
    return taken.allowed


def wait_of(request: HttpRequest | None) -> int:
    """Seconds until whom the brake has stopped may try again; 0: it has not."""
    return ceil(getattr(request, "braked_for", 0))


def sentence(wait: int) -> str:
    return f"Too many attempts to log in: wait {wait} s, then try again."


def told(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """The page on which it is said, with the status and the header that programs look at."""
    if wait := wait_of(request):
        answer.status_code = 429
        answer.headers["Retry-After"] = str(wait)
    return answer


class SaysHowLong:
    """For a form of Django's that logs in."""

    request: HttpRequest | None

    def get_invalid_login_error(self) -> ValidationError:
        if wait := wait_of(self.request):
            return ValidationError(sentence(wait), code="braked")
        error: ValidationError = super().get_invalid_login_error()  # type: ignore[misc]
        return error


def locked() -> list[Locked]:
    """All of them, for staff; those of a Redis that is away are not known."""

    def read(client: redis.Redis) -> Any:
        return client.zrangebyscore(key_of(LOCKED), time.time(), "+inf", withscores=True)

    found: Any = asked(read, None) or []
    return [_locked(member.decode(), until) for member, until in found]


def unlock(user: User) -> int:
    """Let the account be tried again from everywhere. Returns for how many addresses it was locked."""
    ours = [one for one in locked() if one.user == user.pk]
    account = _digest(user.get_username())
    forget([f"account:{account}", *(f"guesses:{account}:{one.address}" for one in ours)])
    members = [f"{one.user} {one.address}" for one in ours]
    if members:
        asked(lambda client: client.zrem(key_of(LOCKED), *members), 0)
    return len(ours)


def _locked(member: str, until: float) -> Locked:
    user, _, address = member.partition(" ")
    return Locked(int(user), address, until)


def _buckets(username: str, address: str) -> list[Bucket]:
    account, rates = _digest(username), settings.RATES
    wanted = {f"logins:{address}": rates["logins"], f"guesses:{account}:{address}": rates["guesses"]}
    if rates["account"] and not asked(lambda client: client.exists(key_of(_known(account, address))), 0):
        wanted[f"account:{account}"] = rates["account"]
    return [Bucket(name, rate) for name, rate in wanted.items() if rate]


def _digest(username: str) -> str:
    """Who types a password where the name belongs shall not find it in Redis."""
    return sha256(username.casefold().encode("utf-8", "replace")).hexdigest()[:32]


def _known(account: str, address: str) -> str:
    return f"known:{account}:{address}"


def note_failure(credentials: dict[str, Any], request: HttpRequest | None = None, **more: Any) -> None:
    """Of ``user_login_failed``. The log has who was tried, and from where, but nothing that was typed."""
    guess: dict[str, Taken] = getattr(request, "guess", {})
    if request is None or not guess or wait_of(request):
        return
    address, name = address_of(request), str(credentials.get("username", ""))
    user = (
        User.objects.filter(username=name).values_list("pk", flat=True).first() if "\0" not in name else None
    )
    who = f"user {user}" if user else "an account there is not"
    logger.info("A wrong password for %s from %s.", who, address)
    for bucket, taken in guess.items():
        if taken.left:
            continue
        kind = bucket.partition(":")[0]
        place = {"guesses": address, "account": EVERYWHERE}.get(kind, "")
        if place:
            logger.warning("Guessing at %s from %s is braked for %d s.", who, place, ceil(taken.full_in))
            if user:
                _list(f"{user} {place}", time.time() + taken.full_in)
        else:
            logger.warning("Logging in from %s is braked.", address)


def note_success(user: User, request: HttpRequest | None = None, **more: Any) -> None:
    """Of ``user_logged_in``: who knows the password has not guessed, and is known here from now on."""
    if request is None:
        return
    account, address = _digest(user.get_username()), address_of(request)
    forget([f"guesses:{account}:{address}"])

    def write(client: redis.Redis) -> None:
        with client.pipeline(transaction=False) as both:
            both.set(key_of(_known(account, address)), 1, ex=REMEMBERED)
            both.zrem(key_of(LOCKED), f"{user.pk} {address}")
            both.execute()

    asked(write, None)


def _list(member: str, until: float) -> None:
    def write(client: redis.Redis) -> None:
        with client.pipeline(transaction=False) as both:
            both.zadd(key_of(LOCKED), {member: until})
            both.zremrangebyscore(key_of(LOCKED), "-inf", time.time())
            both.zremrangebyrank(key_of(LOCKED), 0, -MOST_LISTED - 1)
            both.execute()

    asked(write, None)


def listen() -> None:
    user_login_failed.connect(note_failure, dispatch_uid="guesses")
    user_logged_in.connect(note_success, dispatch_uid="guesses")

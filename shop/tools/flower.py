"""Flower behind a brake: `python -m shop.tools.flower --port=8001` is `celery -A shop flower --port=8001`, but that

- an address which has sent too many wrong passwords (``GUESS_RATE``) is not listened to for a while, be one right or not;
- everything asks for the password, `/metrics` too; only `/healthcheck`, which says "OK", does not.

Flower checks a password in one place, which all its pages inherit: this stands around it. It is one process, so it counts
by itself.
"""

from __future__ import annotations

import logging
import os
import sys
from math import ceil
from typing import Any

import tornado.web
from celery.bin.celery import main as celery
from django.conf import settings
from flower.api import BaseApiHandler  # type: ignore[import-untyped]
from flower.views import BaseHandler  # type: ignore[import-untyped]
from flower.views.monitor import Healthcheck  # type: ignore[import-untyped]

from shop.base.brakes.addresses import network_of
from shop.base.brakes.buckets import Bucket, Here

logger = logging.getLogger("shop.tools.flower")

_here = Here()
_check, _prepare_api = BaseHandler.get_current_user, BaseApiHandler.prepare


def check(page: Any) -> Any:
    """In the place of Flower's ``get_current_user``: who it is, or an error that ends the request."""
    rate, address = settings.RATES["guesses"], network_of(page.request.remote_ip)
    if not rate or not page.request.headers.get("Authorization"):
        return _check(page)
    bucket = Bucket(address, rate)
    (taken,) = _here.take_all([bucket])
    if not taken.allowed:
        page.set_status(429)
        page.set_header("Retry-After", str(ceil(taken.wait)))
        page.finish(f"Too many wrong passwords: wait {ceil(taken.wait)} s, then try again.")
        raise tornado.web.Finish
    try:
        found = _check(page)
    except tornado.web.HTTPError:
        if not taken.left:
            logger.warning("Guessing Flower's password from %s is braked for %d s.", address, taken.full_in)
        raise
    _here.forget([address])
    return found


def prepare(page: Any) -> None:
    if not isinstance(page, Healthcheck):
        page.current_user  # noqa: B018 (Tornado looks it up once, by the check above)


def prepare_api(page: Any) -> None:
    prepare(page)
    _prepare_api(page)


def brake() -> None:
    BaseHandler.get_current_user = check
    BaseHandler.prepare = prepare
    BaseApiHandler.prepare = prepare_api


def main() -> None:
    if not os.environ.get("FLOWER_BASIC_AUTH"):
        sys.exit("Flower has no password: set FLOWER_BASIC_AUTH to user:password.")
    brake()
    sys.argv = ["celery", "-A", "shop", "flower", *sys.argv[1:]]
    celery()


if __name__ == "__main__":
    main()

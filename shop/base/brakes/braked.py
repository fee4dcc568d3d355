"""Brakes of the REST API: each address says which rate holds for which method, and each answer how much is left.

The fields are those of the IETF's draft (RateLimit header fields for HTTP, 10): `RateLimit-Policy: "placing";q=600;w=60`
says what the rule is, `RateLimit: "placing";r=599;t=1` that 599 are left and that in 1 s all 600 are there again.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from math import ceil
from typing import Any, ClassVar

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.base.api.problems import Problem
from shop.base.brakes.addresses import address_of
from shop.base.brakes.buckets import Bucket, Taken, take
from shop.base.brakes.rates import Rate

READING, CHANGING, PLACING = "reading", "changing", "placing"


class TooMany(Problem):
    status_code = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, wait: float, detail: str) -> None:
        super().__init__(detail)
        self.wait = ceil(wait)


class Braked(APIView):
    """``rates``: by method, the name of the rate in ``settings.RATES``; each customer, or address of who is nobody, has
    a bucket of its own for each name."""

    rates: ClassVar[Mapping[str, str]] = {"GET": READING, "HEAD": READING, "OPTIONS": READING}
    _taken: tuple[str, Rate, Taken] | None = None

    def check_throttles(self, request: Request) -> None:
        """DRF asks when it is known who calls.

        Raises:
            TooMany: for now.
        """
        name = self.rates.get(request.method or "", CHANGING)
        if not (rate := settings.RATES[name]):
            return
        who = f"user-{request.user.pk}" if request.user.is_authenticated else address_of(request._request)
        taken = take(Bucket(f"{name}:{who}", rate))
        self._taken = name, rate, taken
        if not taken.allowed:
            told = f"{rate.most:,} at once, and then one every {rate.every:.3g} s"
            raise TooMany(taken.wait, f"Too many of these requests: {told}. Nothing was changed.")

    def finalize_response(self, request: Request, response: Response, *args: Any, **more: Any) -> Response:
        found: Response = super().finalize_response(request, response, *args, **more)
        if self._taken:
            name, rate, taken = self._taken
            found["RateLimit-Policy"] = f'"{name}";q={rate.most};w={ceil(rate.period)}'
            found["RateLimit"] = f'"{name}";r={taken.left};t={ceil(taken.full_in)}'
        return found

"""What is refused of orders alone."""

from __future__ import annotations

from http import HTTPStatus

from shop.base.api.problems import Problem


class KeyReused(Problem):
    status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    name = "idempotency-key-reused"
    default_detail = "This Idempotency-Key belongs to another request: use a new key for a new order."


class TooLateToCancel(Problem):
    status_code = HTTPStatus.CONFLICT
    name = "too-late-to-cancel"

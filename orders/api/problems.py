"""What is refused of orders alone."""

from __future__ import annotations

from http import HTTPStatus

from shop.base.api.problems import Problem


class KeyReused(Problem):
    status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    name = "idempotency-key-reused"
    default_detail = "This Idempotency-Key belongs to another request: use a new key for a new order."


class Backlog(Problem):
    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    name = "backlog"
    default_detail = (
        "Orders wait too long for their turn just now, so no more are taken. Nothing was changed: send it again later, "
        "with the same Idempotency-Key."
    )

    def __init__(self, wait: int) -> None:
        super().__init__()
        self.wait = wait


class TooLateToCancel(Problem):
    status_code = HTTPStatus.CONFLICT
    name = "too-late-to-cancel"

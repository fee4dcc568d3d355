"""Problem documents, as a test reads them."""

from __future__ import annotations

import json
from typing import Any


def problem(answer: Any, status: int) -> dict[str, Any]:
    """The document, whose members are checked here."""
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json"), (
        answer.content
    )
    document: dict[str, Any] = json.loads(answer.content)
    assert document["status"] == status
    assert all(isinstance(document[member], str) for member in ("type", "title", "detail", "instance"))
    return document


def fields(answer: Any) -> list[str]:
    """What a 400 finds wrong."""
    return [error["field"] for error in problem(answer, 400)["errors"]]

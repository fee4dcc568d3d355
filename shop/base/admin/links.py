"""Where other pages are, and who may be led there."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse


def may_view(request: HttpRequest, app: str, model: str) -> bool:
    """Whether this person may look at rows of the model; Django lets look who may change."""
    return request.user.has_perm(f"{app}.view_{model}") or request.user.has_perm(f"{app}.change_{model}")


def list_of(app: str, model: str, **query: str) -> str:
    """The address of a list, filtered."""
    return f"{reverse(f'admin:{app}_{model}_changelist')}?{urlencode(query)}"

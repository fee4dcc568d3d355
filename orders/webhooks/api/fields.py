"""The address of a webhook as it is sent: what a pattern can say of it is published."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from rest_framework.exceptions import ErrorDetail, ValidationError

from orders.webhooks.addresses import NO_URL, flaw
from orders.webhooks.models import LONGEST_URL
from shop.base.api.fields import Text

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = rf"(?:{_LABEL}\.)+(?:[A-Za-z][A-Za-z-]{{0,61}}[A-Za-z]|[Xx][Nn]--[A-Za-z0-9]{{1,59}})\.?"
_IP = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[[0-9A-Fa-f:.]+\]"
_PORT = "[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"


def pattern(scheme: str, host: str) -> str:
    """In the words that JavaScript's, Python's and Rust's regular expressions have in common."""
    return rf'^{scheme}://(?:{host})(?::(?:{_PORT}))?(?:[/?][!-"\u0024-~]*)?$'


NAMED = pattern("[Hh][Tt][Tt][Pp][Ss]", _NAME)
PATTERN = (
    pattern("[Hh][Tt][Tt][Pp][Ss]?", f"{_NAME}|{_IP}|localhost")
    if settings.WEBHOOKS["ANYWHERE"]
    else pattern("[Hh][Tt][Tt][Pp][Ss]", f"{_NAME}|{_IP}")
)


class Url(Text):
    """Not trimmed. Whether an IP address is a public one no pattern can say."""

    pattern = PATTERN

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=LONGEST_URL, trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, str) and (wrong := flaw(data) or self._other_flaw(data)):
            raise ValidationError([ErrorDetail(wrong, code="invalid")])
        return super().to_internal_value(data)

    def _other_flaw(self, url: str) -> str:
        return "" if re.fullmatch(self.pattern, url) else NO_URL

"""A Django mail backend that keeps mails in the database. A mail sent twice under one Message-ID is kept once."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend

from shop.messaging.rows import insert


class MailboxBackend(BaseEmailBackend):
    sends_once = True  # by Message-ID: so a mail with an unknown outcome may be sent again

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        from notifications.models import Mail  # a backend is imported before the models are

        insert(
            Mail,
            [
                {
                    "message_id": message.extra_headers["Message-ID"],
                    "to": ", ".join(message.to),
                    "subject": str(message.subject),
                    "text": str(message.body),
                    "html": _html_of(message),
                }
                for message in email_messages
            ],
            once=True,
        )
        return len(email_messages)


def _html_of(message: EmailMessage) -> str:
    alternatives = message.alternatives if isinstance(message, EmailMultiAlternatives) else []
    return next((str(content) for content, kind in alternatives if kind == "text/html"), "")

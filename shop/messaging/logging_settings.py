"""Django's LOGGING, for settings.py: one handler, of one format, for all that is said."""

from __future__ import annotations

FORMATS = ("json", "plain")
# That a task came and went Flower shows, and the order's timeline; two lines a message cost more than they tell.
QUIET = ("celery.worker.strategy", "celery.app.trace")
EVENTS = "shop.events"
STRANGE_HOSTS = "django.security.DisallowedHost"  # an ERROR with a traceback, by whoever likes


def logging_settings(form: str, level: str, *, events: bool) -> dict[str, object]:
    quiet = (*QUIET, *(() if events else (EVENTS,)))
    levels = dict.fromkeys(quiet, "WARNING") | {STRANGE_HOSTS: "CRITICAL"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {name: {"()": f"shop.base.logs.{name.title()}"} for name in FORMATS},
        "handlers": {"console": {"class": "shop.base.logs.Handler", "formatter": form}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {name: {"level": level} for name, level in levels.items()},
    }

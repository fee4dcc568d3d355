"""gunicorn's own messages, written as all others of the web process are."""

from __future__ import annotations

import logging.config
import os
from typing import Any

from gunicorn import glogging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

from django.conf import settings


class Logger(glogging.Logger):  # type: ignore[misc]
    """Given to gunicorn as ``--logger-class shop.base.serving.logger.Logger``."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        logging.config.dictConfig(settings.LOGGING)
        self.error_log.handlers.clear()
        self.error_log.propagate = True

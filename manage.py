#!/usr/bin/env python
"""Django's command line: `python manage.py up` runs the whole shop."""

import os
import sys
from pathlib import Path

WITHOUT_PAGES = ("relay", "worker")  # they leave out what only the web needs: see PAGES in shop/settings.py


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    if sys.argv[1:2] and sys.argv[1] in WITHOUT_PAGES:
        os.environ["PAGES"] = "0"
    from django.core.management import execute_from_command_line

    from shop.tools.up.running import use_the_running_shop

    if sys.argv[1:2] != ["up"]:
        use_the_running_shop(Path(__file__).resolve().parent / ".data")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

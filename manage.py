#!/usr/bin/env python
"""Django's command line: `python manage.py up` runs the whole shop."""

import os
import sys
from pathlib import Path

# They leave out what only the web needs: see PAGES in shop/settings.py.
WITHOUT_PAGES = ("relay", "worker", "webhooks", "metrics")
SERVING = (*WITHOUT_PAGES, "up", "runserver")  # others are for people, who want no line an event
# Nobody waits for these: see DATABASE_WAITS there.
LONG_STATEMENTS = ("migrate", "audit", "customer", "dbshell", "shell")


def main() -> None:
    from shop.base.environment import Refused

    try:
        run()
    except Refused as refused:
        if (
            sys.argv[1:2] == ["doctor"] and "--json" in sys.argv
        ):  # a machine gets JSON, whatever there is to say
            import json

            from shop.tools.doctor.findings import Report, Scribe

            say, do = Scribe("settings"), "Correct it, and ask again: nothing else was looked at."
            report = Report(["settings"], [say.wrong(sentence, do) for sentence in refused.sentences])
            sys.stdout.write(f"{json.dumps(report.as_object(), indent=2)}\n")
        raise


def run() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    command = sys.argv[1] if sys.argv[1:] else ""
    if command in WITHOUT_PAGES:
        os.environ["PAGES"] = "0"
    if command not in SERVING:
        os.environ.setdefault("LOG_EVENTS", "0")
    if command in LONG_STATEMENTS:
        os.environ.setdefault("DATABASE_STATEMENT_TIMEOUT", "0")
    from django.core.management import execute_from_command_line

    from shop.tools.up.running import named_shop, use_the_running_shop

    arguments = sys.argv
    if command != "up":
        arguments, data = named_shop(arguments)
        use_the_running_shop(Path(__file__).resolve().parent / ".data", data)
    from django.db import OperationalError  # such as a shop that does not run

    try:
        execute_from_command_line(arguments)
    except OperationalError as error:
        sys.exit(
            f"{command}: the database does not answer: {str(error).partition(chr(10))[0]}\n"
            "Is the shop running? `make run` starts it; one elsewhere is named by --data, or by DATABASE_URL."
        )


if __name__ == "__main__":
    main()

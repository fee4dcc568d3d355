import argparse
import os
import secrets
import sys
from contextlib import ExitStack

import django

from benchmarks.servers import Servers, own_servers
from shop.tools.up.postgres import start_postgres
from shop.tools.up.servers import Server
from tests.chaos.options import SERVICES, arguments


def environment(servers: Servers) -> dict[str, str]:
    """What Django's settings read, so it comes before all else."""
    return {
        **{name: "" for name in os.environ if name.endswith("_DATABASE_URL")},
        "DJANGO_SETTINGS_MODULE": "shop.settings",
        "DATABASE_URL": servers.make("shop"),
        "REDIS_URL": servers.redis.url,
        "SECRET_KEY": secrets.token_urlsafe(50),
    }


def apart(servers: Servers, app: str, own: Server) -> dict[str, str]:
    """A database for each app, and a server for the one that is to be away."""
    urls = {f"{service.upper()}_DATABASE_URL": servers.make(f"shop_{service}") for service in SERVICES}
    return {**urls, f"{app.upper()}_DATABASE_URL": own.url}


def main(options: argparse.Namespace) -> int:
    with own_servers() as servers, ExitStack() as until_the_end:
        os.environ.update(environment(servers))
        own = None
        if options.app:
            own = start_postgres(servers.folder / options.app)
            until_the_end.callback(own.stop)
            os.environ.update(apart(servers, options.app, own))
        django.setup()
        from shop.messaging.journal import logger
        from tests.chaos.run import run

        logger.setLevel("WARNING")  # no line on the terminal for each order placed here

        return run(options, servers, own)


if __name__ == "__main__":
    sys.exit(main(arguments()))

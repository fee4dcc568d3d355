import os
import secrets
import sys

from benchmarks.servers import Servers, own_servers


def environment(servers: Servers) -> dict[str, str]:
    """What Django's settings read, so it comes before all else."""
    return {
        **{name: "" for name in os.environ if name.endswith("_DATABASE_URL")},
        "DJANGO_SETTINGS_MODULE": "shop.settings",
        "DATABASE_URL": servers.make("shop"),
        "REDIS_URL": servers.redis.url,
        "SECRET_KEY": secrets.token_urlsafe(50),
    }


if __name__ == "__main__":
    with own_servers() as servers:
        os.environ.update(environment(servers))
        from tests.chaos.run import main

        code = main(servers)
    sys.exit(code)

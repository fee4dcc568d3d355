"""What the shop's processes find in their environment, and the servers and ports behind it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shop.tools.up.broker import check_broker
from shop.tools.up.datafolder import JsonFile, secret
from shop.tools.up.errors import StartError
from shop.tools.up.ports import port_is_free
from shop.tools.up.postgres import check_database, start_postgres
from shop.tools.up.redis import check_redis, start_redis
from shop.tools.up.servers import Server

USERS = ("admin", "operator", "viewer", "demo")  # whom `seed` makes: one in each role, and a customer


@dataclass(frozen=True)
class Servers:
    database_url: str
    redis_url: str
    own: tuple[Server, ...]  # those started here

    @property
    def owns_database(self) -> bool:
        return any(server.url == self.database_url for server in self.own)


@dataclass(frozen=True)
class Accounts:
    """The generated passwords; the file they are kept in is the owner's alone."""

    passwords: Mapping[str, str] = field(repr=False)  # by user
    fresh: bool  # made just now

    @classmethod
    def of(cls, data: Path) -> Accounts:
        fresh = "flower_password" not in JsonFile(data / "secrets.json").read()
        return cls({name: secret(data, f"{name}_password", 12) for name in (*USERS, "flower")}, fresh)


def check_ports(wanted: Mapping[str, int]) -> None:
    for what, port in wanted.items():
        if not 0 < port < 65536:
            raise StartError(f"There is no port {port} for {what}: choose another with --port, up to 65533.")
        if not port_is_free(port):
            raise StartError(
                f"Port {port}, for {what}, is in use: stop what uses it, or choose another with --port."
            )


def find_servers(data: Path) -> Servers:
    """PostgreSQL and Redis: those of the environment, else our own on the data folder. A RabbitMQ is never ours."""
    own: list[Server] = []
    try:
        if database_url := os.environ.get("DATABASE_URL", ""):
            check_database(database_url)
        for name, url in os.environ.items():
            if name.endswith("_DATABASE_URL") and url:
                check_database(url, name)
        if redis_url := os.environ.get("REDIS_URL", ""):
            check_redis(redis_url)
        if broker_url := os.environ.get("BROKER_URL", ""):
            check_broker(broker_url)
        if not database_url:
            own.append(start_postgres(data))
            database_url = own[-1].url
        if not redis_url:
            own.append(start_redis(data))
            redis_url = own[-1].url
    except BaseException:
        for server in own:
            server.stop()
        raise
    return Servers(database_url, redis_url, tuple(own))


def environment(
    data: Path, url: str, flower_url: str, style: str, servers: Servers, accounts: Accounts
) -> dict[str, str]:
    """For every process of the shop. Passwords travel here and in no argument, which other users could read."""
    return {
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "SECRET_KEY": os.environ.get("SECRET_KEY") or secret(data, "secret_key", 48),
        "PUBLIC_URL": os.environ.get("PUBLIC_URL") or url,
        "FLOWER_URL": os.environ.get("FLOWER_URL") or flower_url,
        "FULFILLMENT_STYLE": style,
        "DEMO": (demo := os.environ.get("DEMO", "1")),
        "WEBHOOKS_ANYWHERE": os.environ.get(
            "WEBHOOKS_ANYWHERE", demo
        ),  # a receiver to try it out is on this computer
        "FLOWER_BASIC_AUTH": f"flower:{accounts.passwords['flower']}",
        "FLOWER_COOKIE_SECRET": secret(data, "flower_cookie_secret", 32),
        **{f"SEED_{name.upper()}_PASSWORD": accounts.passwords[name] for name in USERS},
    }

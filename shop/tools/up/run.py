"""What `manage.py up` does, from an empty folder to a shop that runs, and back."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from shop.tools.up.datafolder import make_folder, only_user
from shop.tools.up.demo import Api, DemoError, place_and_follow
from shop.tools.up.environment import Accounts, check_ports, environment, find_servers
from shop.tools.up.leftovers import end_leftovers
from shop.tools.up.prepare import Prepared, prepare
from shop.tools.up.running import findable
from shop.tools.up.stack import Stack

LOOK_EVERY = 0.25  # s between two looks at the children


class Interrupted(Exception):
    """Somebody asked us to stop."""


@dataclass(frozen=True, kw_only=True)
class Options:
    data: Path
    port: int
    style: str
    styles: Sequence[str]
    demo: bool

    @property
    def flower_port(self) -> int:
        return self.port + 1

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def flower_url(self) -> str:
        return f"http://127.0.0.1:{self.flower_port}"


def say(text: str) -> None:
    """A terminal that has gone must not keep us from stopping in good order."""
    with suppress(OSError):
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def run(options: Options) -> None:
    """Run the shop until SIGINT, SIGTERM or SIGHUP.

    Raises:
        StartError: what is missing or in the way; nothing runs any more.
    """
    begun = time.monotonic()
    data = make_folder(options.data)
    with only_user(data), _signals() as asked:

        def check() -> None:
            if asked:
                raise Interrupted

        if left := end_leftovers(data / "pids.json"):
            say(f"Ended {left} processes that an earlier run had left.")
        check_ports({"the shop": options.port, "Flower": options.flower_port})
        servers = find_servers(data)
        stack = None
        try:
            accounts = Accounts.of(data)
            env = environment(data, options.url, options.flower_url, options.style, servers, accounts)
            stack = Stack(
                env,
                data,
                servers=servers.own,
                web_port=options.port,
                flower_port=options.flower_port,
                say=say,
            )
            with findable(data, stack.env):
                prepared = prepare(stack.env, data, own_database=servers.owns_database, check=check, say=say)
                say("Starting the shop.")
                stack.start()
                stack.wait_ready(check=check)
                _introduce(options, data, accounts, prepared, time.monotonic() - begun)
                if options.demo:
                    _demo(options, accounts, prepared, stack, check)
                say(f"\nThe shop runs at {options.url}/ until you press Ctrl-C.")
                while True:
                    check()
                    stack.supervisor.tick()
                    time.sleep(LOOK_EVERY)
        except Interrupted:
            say("\nStopping.")
        finally:
            if stack:
                stack.stop()
            for server in servers.own:
                server.stop()
        say("Stopped; nothing is left running.")


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Note a wish to stop instead of acting on it in the middle of something."""
    asked: list[int] = []
    before = {
        number: signal.signal(number, lambda number, frame: asked.append(number))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _demo(
    options: Options, accounts: Accounts, prepared: Prepared, stack: Stack, check: Callable[[], None]
) -> None:
    def between() -> None:
        check()
        stack.supervisor.tick()

    api = Api(options.url)
    try:
        if prepared.token:
            api.token = prepared.token
        else:
            api.login("demo", accounts.demo_password)
        place_and_follow(api, options.styles, say, between)
    except DemoError as error:
        say(f"The demo orders stopped: {error}")


def _introduce(options: Options, data: Path, accounts: Accounts, prepared: Prepared, seconds: float) -> None:
    """Where everything is. A password is shown by the run that made it, and then kept in one place."""
    kept = f"password in {data / 'secrets.json'}"
    shown = {
        name: (f"password {accounts.password(name)}" if name in prepared.created else kept)
        for name in ("admin", "demo")
    }
    flower = f"password {accounts.flower_password}" if accounts.fresh else kept
    token = f"token {prepared.token} (shown this once)" if prepared.token else "a token: POST /api/v1/login/"
    say(f"\nThe shop is up, after {seconds:.1f} s.\n")
    for what, where, who in (
        ("API", f"{options.url}/api/docs/", f"user demo, {shown['demo']}"),
        ("", "", token),
        ("Admin", f"{options.url}/admin/", f"user admin, {shown['admin']}"),
        ("Flower", f"{options.flower_url}/", f"user flower, {flower}"),
        ("Logs", str(data / "logs"), ""),
    ):
        say(f"  {what:<8}{where:<36}  {who}".rstrip())

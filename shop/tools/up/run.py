"""What `manage.py up` does, from an empty folder to a shop that runs, and back."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from shop.base.terminal import Part, Say, Terminal
from shop.tools.up.board import CATALOGUE, DATABASE, SERVERS, Board
from shop.tools.up.breaking import Breaker
from shop.tools.up.datafolder import make_folder, only_user
from shop.tools.up.demo import Api, DemoError, place_and_follow
from shop.tools.up.environment import Accounts, check_ports, environment, find_servers
from shop.tools.up.introducing import Options, introduce
from shop.tools.up.leftovers import end_leftovers
from shop.tools.up.prepare import Prepared, prepare
from shop.tools.up.running import findable
from shop.tools.up.servers import Server
from shop.tools.up.stack import Stack

LOOK_EVERY = 0.1  # s between two looks at the children


class Interrupted(Exception):
    """Somebody asked us to stop."""


def run(options: Options) -> None:
    """Run the shop until SIGINT, SIGTERM or SIGHUP.

    Raises:
        StartError: what is missing or in the way; nothing runs any more.
    """
    begun = time.monotonic()
    data = make_folder(options.data)
    terminal = Terminal()
    say = _surely(terminal)
    with only_user(data), _signals() as asked, ExitStack() as found:

        def check() -> None:
            if asked:
                raise Interrupted

        if left := end_leftovers(data / "pids.json"):
            say(f"Ended {left} processes that an earlier run had left.")
        check_ports(
            {"the shop": options.port, "Flower": options.flower_port, "metrics": options.metrics_port}
        )
        servers: Sequence[Server] = ()
        stack = None
        try:
            accounts = Accounts.of(data)
            with Board(terminal).shown() as board:
                all_servers = find_servers(data)
                servers = all_servers.own
                board.ready(*SERVERS)
                env = environment(data, options.url, options.flower_url, options.style, all_servers, accounts)
                stack = Stack(
                    env,
                    data,
                    servers=servers,
                    web_port=options.port,
                    flower_port=options.flower_port,
                    metrics_port=options.metrics_port,
                    say=say,
                )
                found.enter_context(findable(data, stack.env))
                prepared = prepare(
                    stack.env, data, own_database=all_servers.owns_database, check=check, phase=board.phase
                )
                board.ready(DATABASE, CATALOGUE)
                board.phase("Starting the shop.")
                _start(stack, board, check)
            took, may_break = time.monotonic() - begun, stack.env.get("DEMO") == "1"
            introduce(say, options, accounts, prepared, took, demo=may_break)
            if options.demo:
                _demo(options, accounts, prepared, stack, say, check)
            say(f"\nThe shop runs at {options.url}/ until you press Ctrl-C.")
            _look_after(stack, found, check, may_break=may_break)
        except Interrupted:
            say("\nStopping.")
        finally:
            found.close()
            if stack:
                stack.stop()
            for server in servers:
                server.stop()
        say("Stopped; nothing is left running.")


def _surely(terminal: Terminal) -> Say:
    """A terminal that has gone must not keep us from stopping in good order."""

    def say(*parts: Part) -> None:
        with suppress(OSError):
            terminal.say(*parts)

    return say


def _start(stack: Stack, board: Board, check: Callable[[], None]) -> None:
    def between() -> None:
        check()
        board.turn(stack.supervisor.readiness())

    stack.start()
    stack.wait_ready(check=between)
    board.turn(stack.supervisor.readiness())


def _look_after(stack: Stack, found: ExitStack, check: Callable[[], None], *, may_break: bool) -> None:
    """Until somebody asks us to stop."""
    breaker = None
    if may_break:
        breaker = Breaker(stack.data, stack.supervisor, stack.env)
        breaker.open()
        found.callback(breaker.close)
    while True:
        check()
        stack.supervisor.tick()
        if breaker:
            breaker.turn()
        time.sleep(LOOK_EVERY)


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
    options: Options,
    accounts: Accounts,
    prepared: Prepared,
    stack: Stack,
    say: Say,
    check: Callable[[], None],
) -> None:
    def between() -> None:
        check()
        stack.supervisor.tick()

    api = Api(options.url)
    try:
        if prepared.token:
            api.token = prepared.token
        else:
            api.login("demo", accounts.passwords["demo"])
        place_and_follow(api, options.styles, say, between)
    except DemoError as error:
        say(f"The demo orders stopped: {error}")

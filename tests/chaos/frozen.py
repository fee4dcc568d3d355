"""A worker frozen in the middle of a transaction, while a second one of its service is there: do the others go on?

It is stopped again and again until PostgreSQL says of one of its sessions that it has written something and waits for
the next statement. All that waits at that moment, in its hands too, must go on soon; and all that is placed meanwhile
must end soon. When it wakes, its session has been ended for long: the audit says whether anything was done twice.
"""

from __future__ import annotations

import argparse
import signal
import time
from typing import Any

import psutil
import psycopg

from tests.chaos import movement
from tests.chaos.found import Found
from tests.chaos.options import SERVICES
from tests.chaos.shop import Shop

TWICE = SERVICES
GOAL = 15.0  # s
TO_CATCH = 120.0  # s in which it must be caught within a transaction
LOOKS = 3  # in a row that must find it there: a statement that runs will have ended by the next
WITHIN = "SELECT 1 FROM pg_stat_activity WHERE client_port = ANY(%s) AND state = 'idle in transaction'"
WITHIN += " AND backend_xid IS NOT NULL"


def measure(shop: Shop, options: argparse.Namespace) -> Found:
    shop.warm_up()
    frozen = [_freeze(shop, service, options.seconds) for service in options.service]
    shop.load.stop()
    shop.until_ended()
    found = Found({"frozen_s": options.seconds, "frozen": frozen})
    print(f"\n{'frozen':<18}{'waited then':>12}{'went on':>9}{'placed meanwhile ended':>24}  s")
    for one in frozen:
        begin, end = one.pop("begin"), one.pop("end")
        waits = movement.waits_at(begin)
        went_on, ended = movement.longest(waits, begin), movement.slowest_placed(begin, end)
        one.update(orders=len(waits), went_on_s=round(went_on, 1), ended_s=round(ended, 1))
        print(f"{one['worker']:<18}{len(waits):>12}{went_on:>9.1f}{ended:>24.1f}")
        if went_on > GOAL:
            print(movement.story(waits, begin))
        found.must(one["woke"], f"{one['worker']} was replaced before it woke")
    found.goal("until all that waited went on", max(one["went_on_s"] for one in frozen), GOAL)
    found.goal("until an order placed meanwhile had ended", max(one["ended_s"] for one in frozen), GOAL)
    return found


def _freeze(shop: Shop, service: str, seconds: float) -> dict[str, Any]:
    name = shop.chance.choice((f"worker-{service}", f"worker-{service}-2"))
    pid = shop.stack.pids()[name]
    tries = _catch(shop, name, pid)
    begin = movement.now()
    print(f"  {name} stands still within a transaction, at the {tries}. attempt", flush=True)
    time.sleep(seconds)
    woke = shop.stack.pids().get(name) == pid
    shop.stack.supervisor.kill(name, signal.SIGCONT)
    end = movement.now()
    shop.until_ended()
    return {"worker": name, "attempts": tries, "woke": woke, "begin": begin, "end": end}


def _catch(shop: Shop, name: str, pid: int) -> int:
    """Stop it until it stands within a transaction. Returns how often that took."""
    tries, deadline = 0, time.monotonic() + TO_CATCH
    with psycopg.connect(shop.servers.url("postgres"), autocommit=True) as connection:
        while time.monotonic() < deadline:
            tries += 1
            shop.stack.supervisor.kill(name, signal.SIGSTOP)
            if _within(connection, pid):
                return tries
            shop.stack.supervisor.kill(name, signal.SIGCONT)
            time.sleep(shop.chance.uniform(0.001, 0.03))
    raise RuntimeError(f"{name} was never caught within a transaction in {TO_CATCH:g} s")


def _within(connection: psycopg.Connection[Any], pid: int) -> bool:
    ports = [link.laddr.port for link in psutil.Process(pid).net_connections("tcp")]
    for look in range(LOOKS):
        if look:
            time.sleep(0.05)
        if not connection.execute(WITHIN, [ports]).fetchone():
            return False
    return True

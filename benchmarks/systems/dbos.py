"""DBOS: durable workflows in PostgreSQL. Each client runs the workflows it starts, as the library is meant to be used."""

from __future__ import annotations

import os

from dbos import DBOS, DBOSConfig

from benchmarks import steps
from benchmarks.systems.base import Peer, PeerDoor

THREADS = 8


@DBOS.step()
def step(number: int, order: int) -> None:
    steps.step(number, order)


@DBOS.workflow()
def saga(order: int) -> None:
    for number in range(len(steps.STEPS)):
        step(number, order)


class DBOSDoor(PeerDoor):
    def __init__(self) -> None:
        DBOS(
            config=DBOSConfig(
                name="benchmark",
                system_database_url=os.environ[steps.URL],
                application_version="1",
                executor_id=str(os.getpid()),
                max_executor_threads=THREADS,
                log_level="ERROR",
                enable_otlp=False,
            )
        )
        DBOS.launch()

    def submit(self) -> int:
        order = steps.place()
        DBOS.start_workflow(saga, order)
        return order

    def close(self) -> None:
        DBOS.destroy()


class DBOSSystem(Peer):
    name = "dbos"
    door = DBOSDoor
    clients = 2
    workers = 0
    fewest = 500

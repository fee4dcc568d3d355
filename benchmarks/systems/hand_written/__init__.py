"""What a careful user writes by hand: a Celery chain of five tasks over Django models, connections kept.

No outbox and no inbox: a message that is lost leaves its order where it stands.
"""

from __future__ import annotations

import os

from benchmarks.systems.base import Peer, PeerDoor
from shop.tools.up.children import Program

SETTINGS = f"{__name__}.settings"


class HandWrittenDoor(PeerDoor):
    def __init__(self) -> None:
        os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
        from benchmarks.systems.hand_written import tasks

        self._place_order = tasks.place_order

    def submit(self) -> int:
        return self._place_order()


class HandWritten(Peer):
    name = "hand_written"
    door = HandWrittenDoor
    fewest = 500

    def programs(self) -> list[Program]:
        self.env["DJANGO_SETTINGS_MODULE"] = SETTINGS
        worker = self.program(
            "worker",
            *(
                "-m",
                "celery",
                "-A",
                f"{__name__}.tasks",
                "worker",
                "-P",
                "prefork",
                "-c",
                "6",
                "-n",
                "six@%h",
            ),
            *("--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "WARNING"),
        )
        return [worker]

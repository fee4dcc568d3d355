"""The floor: what the rows alone cost. Plain SQL, six durable commits an order, eight processes, no broker."""

from __future__ import annotations

from benchmarks import steps
from benchmarks.systems.base import Peer, PeerDoor


class FloorDoor(PeerDoor):
    def submit(self) -> int:
        order = steps.place()
        for number in range(len(steps.STEPS)):
            steps.step(number, order)
        return order


class Floor(Peer):
    name = "floor"
    door = FloorDoor
    clients = 8
    workers = 0

"""Dramatiq on the same Valkey: a pipeline of five actors."""

from __future__ import annotations

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import Pipelines, Retries

from benchmarks import steps
from benchmarks.systems.base import READY, Peer, PeerDoor
from shop.tools.up.children import Program


class SayReady(dramatiq.Middleware):
    def after_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        print(READY, flush=True)


broker = RedisBroker(
    url=os.environ.get("REDIS_URL", "redis://"),  # the benchmark itself imports this too, and sends nothing
    middleware=[Retries(), Pipelines(), SayReady()],
)
dramatiq.set_broker(broker)


def _actor(number: int) -> dramatiq.Actor:
    @dramatiq.actor(actor_name=f"step-{number}", queue_name="saga")
    def do(order: int) -> int:
        steps.step(number, order)
        return order

    return do


actors = [_actor(number) for number in range(len(steps.STEPS))]


class DramatiqDoor(PeerDoor):
    def submit(self) -> int:
        order = steps.place()
        first, *others = actors
        dramatiq.pipeline([first.message(order), *(actor.message() for actor in others)]).run()
        return order


class Dramatiq(Peer):
    name = "dramatiq"
    door = DramatiqDoor

    def programs(self) -> list[Program]:
        command = ("-m", "dramatiq", __name__, "--processes", "2", "--threads", "4", "--skip-logging")
        return [self.program("worker", *command, ready=lambda child: child.output().count(READY) == 2)]

"""The loop that sends: a lane of messages in each thread, so that who is slow holds up nobody else.

Messages of one order to one endpoint are in one lane, one after the other; those to an endpoint are in few lanes, so
that it gets no more calls at once, and all else can go on while it hangs.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections

from orders.webhooks.calling import Answer, call
from orders.webhooks.claiming import CALLS_A_CLAIM, claim
from orders.webhooks.messages import Message
from orders.webhooks.outcomes import Attempt, record
from shop.messaging.heartbeat import beat
from shop.messaging.outcomes import in_a_word
from shop.messaging.points import Point, reach

logger = logging.getLogger(__name__)

LANES = 4  # calls to one endpoint at once
LONGEST_WAIT = 3.0  # s until a database that is away is tried again

LaneEnded = int  # the endpoint's id


class Sender:
    """``stopping``: what is under way is ended and recorded, and nothing is begun any more."""

    def __init__(self, stopping: Callable[[], bool]) -> None:
        self._stopping = stopping
        self._at_once = int(settings.WEBHOOKS["AT_ONCE"])
        self._threads = ThreadPoolExecutor(self._at_once, thread_name_prefix="lane")
        self._told: queue.SimpleQueue[Attempt | LaneEnded] = queue.SimpleQueue()
        self._lanes: Counter[int] = Counter()  # under way, by endpoint
        self._unrecorded: list[Attempt] = []
        self._stop = threading.Event()

    def run(self, ready: Callable[[], None]) -> None:
        """Until asked to stop. A database that is away is waited for, with backoff up to 3 s."""
        wait = 0.2
        while not self._stopping():
            try:
                self._turn()
                ready()
                wait = 0.2
            except DatabaseError as error:
                logger.warning("Webhooks wait %.1f s: %s", wait, in_a_word(error))
                close_old_connections()
                time.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)
        self._end()

    def _turn(self) -> None:
        """Send what is due, as far as there are threads, and record what has come of what was sent."""
        beat()
        free = self._at_once - self._lanes.total()
        if free > 0:
            self._begin(claim(max(1, free // LANES), self._lanes.keys()))
        self._listen(settings.WEBHOOKS["LOOK_EVERY"])
        if self._unrecorded:
            record(self._unrecorded)
            self._unrecorded = []

    def _begin(self, messages: Sequence[Message]) -> None:
        lanes: dict[tuple[int, int], list[Message]] = {}
        for message in messages:
            lanes.setdefault((message.endpoint, hash(message.order_id) % LANES), []).append(message)
        until = time.monotonic() + CALLS_A_CLAIM * settings.WEBHOOKS["ANSWER_WITHIN"]
        for (endpoint, _), lane in lanes.items():
            self._lanes[endpoint] += 1
            self._threads.submit(self._send, endpoint, lane, until)

    def _send(self, endpoint: int, lane: Sequence[Message], until: float) -> None:
        """In a thread: one after the other, until nobody is there, or the time is up. The rest is given back."""
        given_up = False
        for message in lane:
            answer = None
            if not (given_up or self._stop.is_set() or time.monotonic() > until):
                answer = _answer_to(message)
                given_up = answer.nobody_there or answer.gone
            self._told.put(Attempt(message, answer))
        self._told.put(endpoint)

    def _listen(self, seconds: float) -> None:
        """Take what the lanes tell: whatever is there, and if nothing is, what comes first."""
        try:
            told = self._told.get(timeout=seconds)
            while True:
                if isinstance(told, Attempt):
                    self._unrecorded.append(told)
                else:
                    self._lanes[told] -= 1
                    self._lanes += Counter()  # without those that have none
                told = self._told.get_nowait()
        except queue.Empty:
            return

    def _end(self) -> None:
        self._stop.set()
        self._threads.shutdown()
        self._listen(0)
        try:
            if self._unrecorded:
                record(self._unrecorded)
        except DatabaseError as error:
            logger.warning("What was sent last will be sent again: %s", in_a_word(error))


def _answer_to(message: Message) -> Answer:
    try:
        body = message.body
        answer = call(message.url, message.headers(body), body)
    except Exception as error:  # a lane that broke would never end
        logger.error("A webhook could not be sent: %s", in_a_word(error))
        answer = Answer(trouble=f"could not be asked ({type(error).__name__})")
    reach(Point.ANSWERED, message.kind)
    return answer

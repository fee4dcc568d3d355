"""Calls to the outside against a server of this test's own: how many at once, what comes when, what breaks how."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from shop.base import calls
from shop.base.http import Client, Post, Reply
from shop.messaging.outcomes import Fault
from shop.tools.up.ports import free_port
from tests.providers import merged
from tests.threads import at_once


class Outside:
    """Answers what is posted to /hold when it is let go, drops the connection of what is posted to /drop."""

    def __init__(self) -> None:
        self.held = threading.Event()
        self.asked: list[str] = []
        self.connections: set[Any] = set()
        self.under_way = self.most = 0
        self.lock = threading.Lock()

    def answer(self, handler: BaseHTTPRequestHandler) -> bool:
        """Whether it answers at all."""
        with self.lock:
            self.asked.append(handler.path)
            self.connections.add(handler.client_address)
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        if handler.path == "/hold":
            self.held.wait(10)
        elif handler.path == "/brief":
            time.sleep(0.2)
        with self.lock:
            self.under_way -= 1
        return handler.path != "/drop"


@pytest.fixture
def outside() -> Iterator[Outside]:
    state = Outside()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if not state.answer(self):
                self.close_connection = True
                return
            self.send_response(int(self.path[1:]) if self.path[1:].isdigit() else 200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        state.url = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
        yield state
        state.held.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy computer answers no two calls within a few milliseconds."""
    monkeypatch.setattr(calls, "GATHER_FOR", 2.0)


@pytest.fixture
def client(outside: Outside) -> Client:
    return Client(outside.url, "The provider", "payments")  # type: ignore[attr-defined]


def post_each(client: Client, *paths: str) -> Iterator[dict[str, int | Fault]]:
    """Under the numbers of their places."""
    return client.post_each({str(at): Post(path, {}) for at, path in enumerate(paths)}, status)


def status(reply: Reply) -> int:
    return reply.status


def in_a_thread_of_its_own(act: Callable[[], object]) -> Any:
    """So that the connections of other tests are not there."""
    return at_once(act)[0]


def test_an_answer_that_is_there_does_not_wait_for_a_slow_one(
    client: Client, outside: Outside, patient: None
) -> None:
    groups = post_each(client, "/hold", "/a", "/b")
    assert next(groups) == {"1": 200, "2": 200}
    assert outside.under_way == 1
    outside.held.set()
    assert list(groups) == [{"0": 200}]


def test_answers_that_come_soon_after_one_another_are_one_group(client: Client, patient: None) -> None:
    assert list(post_each(client, "/a", "/b", "/c")) == [{"0": 200, "1": 200, "2": 200}]
    assert list(post_each(client)) == []


def test_no_more_calls_than_allowed_are_under_way_and_none_waits_for_nothing(
    client: Client, outside: Outside, settings: Any
) -> None:
    settings.PROVIDER_CALLS_AT_ONCE = 5
    answers = in_a_thread_of_its_own(lambda: merged(post_each(client, *["/brief"] * 12)))
    assert answers == {str(at): 200 for at in range(12)}
    assert outside.most == 5


def test_connections_are_kept_between_calls(client: Client, outside: Outside) -> None:
    def act() -> None:
        for _ in range(3):
            merged(post_each(client, "/brief", "/brief"))

    in_a_thread_of_its_own(act)
    assert len(outside.asked) == 6
    assert len(outside.connections) == 2


def test_a_post_whose_connection_breaks_off_is_not_sent_again_by_itself(
    client: Client, outside: Outside
) -> None:
    """On a connection that was kept, too: there a library likes to try once more."""

    def act() -> list[str]:
        answers = [merged(post_each(client, path))["0"] for path in ("/a", "/drop", "/drop")]
        return [str(answer) for answer in answers]

    assert in_a_thread_of_its_own(act) == ["200", *["The provider broke off without an answer."] * 2]
    assert outside.asked == ["/a", "/drop", "/drop"]


def test_what_has_begun_is_waited_for_when_nobody_takes_the_answers(
    client: Client, outside: Outside, settings: Any
) -> None:
    """Else whoever asks again at once would find the outside busy with the key. What has not begun does not begin."""
    settings.PROVIDER_CALLS_AT_ONCE = 2

    def act() -> None:
        groups = post_each(client, "/a", *["/brief"] * 9)
        next(groups)
        groups.close()  # type: ignore[attr-defined]

    in_a_thread_of_its_own(act)
    assert outside.under_way == 0
    assert len(outside.asked) < 10


def test_other_calls_can_be_made_between_two_groups(client: Client, outside: Outside) -> None:
    groups = post_each(client, "/hold", "/a")
    assert next(groups) == {"1": 200}
    assert merged(post_each(client, "/b", "/c")) == {"0": 200, "1": 200}
    outside.held.set()
    assert list(groups) == [{"0": 200}]


def test_an_answer_that_comes_while_others_are_asked_reaches_who_waits_for_it(
    client: Client, outside: Outside, settings: Any
) -> None:
    """Even when the limit is used up, so that the others wait for it to come."""
    settings.PROVIDER_CALLS_AT_ONCE = 2

    def act() -> list[dict[str, int | Fault]]:
        first = post_each(client, "/hold", "/a", "/hold")
        early = next(first)
        threading.Timer(0.2, outside.held.set).start()
        others = merged(post_each(client, "/b"))
        return [early, others, merged(first)]

    assert in_a_thread_of_its_own(act) == [{"1": 200}, {"0": 200}, {"0": 200, "2": 200}]


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/503", "The provider is not available (503)."),
        ("/drop", "The provider broke off without an answer."),
        ("/hold", "The provider did not answer in time."),
    ],
)
def test_what_breaks_is_said_in_words_and_is_nobody_elses(
    client: Client, monkeypatch: pytest.MonkeyPatch, path: str, sentence: str
) -> None:
    monkeypatch.setattr(calls, "ANSWER_WITHIN", 300)
    answers = in_a_thread_of_its_own(lambda: merged(post_each(client, "/a", path, "/b")))
    assert {at: str(answer) for at, answer in answers.items()} == {"0": "200", "1": sentence, "2": "200"}


def test_who_is_not_there_is_a_fault() -> None:
    nobody = Client(f"http://127.0.0.1:{free_port()}", "The provider", "payments")
    (answer,) = merged(post_each(nobody, "/a")).values()
    assert str(answer) == "The provider can't be reached."
    with pytest.raises(Fault, match="can't be reached"):
        nobody.get("/a")


def test_what_no_answer_can_be_made_of_is_a_fault_and_nobody_elses(client: Client) -> None:
    def read(reply: Reply) -> int:
        raise LookupError

    posts = {"cannot be written": Post("/a", object()), "cannot be read": Post("/a", {})}
    answers = merged(client.post_each(posts, read))
    assert {name: str(answer) for name, answer in answers.items()} == {
        "cannot be written": "A call to the outside failed (TypeError).",
        "cannot be read": "A call to the outside failed (LookupError).",
    }


def test_a_forked_process_has_connections_of_its_own(client: Client, outside: Outside) -> None:
    """And its end leaves those of its parent alone."""

    def act() -> list[dict[str, int | Fault]]:
        before = merged(post_each(client, "/a"))
        child = os.fork()
        if not child:
            os._exit(0 if merged(post_each(client, "/b")) == {"0": 200} else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        return [before, merged(post_each(client, "/c"))]

    assert in_a_thread_of_its_own(act) == [{"0": 200}] * 2
    assert outside.asked == ["/a", "/b", "/c"]
    assert len(outside.connections) == 2

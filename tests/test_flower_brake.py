"""Flower, as it is really started: its password can't be guessed, and nothing but its healthcheck is without."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from shop.tools.flower import main
from shop.tools.up.children import Child
from shop.tools.up.ports import free_port
from shop.tools.up.programs import Programs

RIGHT, MOST = "flower:only-for-this-test", 4


@pytest.fixture(scope="module")
def flower(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port, data = free_port(), tmp_path_factory.mktemp("flower")
    env = {**os.environ, "FLOWER_BASIC_AUTH": RIGHT, "GUESS_RATE": f"{MOST}/2 seconds", "PAGES": "0"}
    child = Child(Programs(env, data).flower(port))
    try:
        child.start()
        assert child.wait_ready(60), child.output()
        yield f"http://127.0.0.1:{port}"
    finally:
        child.stop()


def ask(address: str, who: str = "") -> tuple[int, Any]:
    headers = {"Authorization": f"Basic {b64encode(who.encode()).decode()}"} if who else {}
    try:
        with urlopen(Request(address, headers=headers), timeout=10) as answer:
            return answer.status, answer.headers
    except HTTPError as error:
        with error:
            return error.code, error.headers


@pytest.mark.parametrize(
    "path", ["/", "/tasks", "/metrics", "/broker", "/api/workers", "/api/tasks", "/nowhere"]
)
def test_nothing_is_shown_without_the_password(flower: str, path: str) -> None:
    status, headers = ask(flower + path)
    assert (status, headers.get("WWW-Authenticate")) == (401, 'Basic realm="flower"') or path.startswith(
        "/api"
    )
    assert status == 401
    assert ask(flower + path, RIGHT)[0] in (200, 404)


def test_without_a_password_it_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLOWER_BASIC_AUTH", raising=False)
    with pytest.raises(SystemExit, match="Flower has no password: set FLOWER_BASIC_AUTH to user:password"):
        main()


def test_that_it_is_there_is_told_to_everybody(flower: str) -> None:
    assert ask(f"{flower}/healthcheck")[0] == 200


@pytest.mark.parametrize("path", ["/", "/metrics", "/api/workers"])
def test_its_password_is_not_guessed(flower: str, path: str) -> None:
    assert ask(flower, RIGHT)[0] == 200  # forgives what was guessed before
    assert [ask(flower + path, f"flower:{guess}")[0] for guess in range(MOST + 2)] == [401] * MOST + [429] * 2
    status, headers = ask(flower + path, RIGHT)
    assert (status, headers["Retry-After"]) == (429, "1"), "the right one, too, else it would be found"
    assert ask(f"{flower}/healthcheck")[0] == 200
    while ask(flower, RIGHT)[0] == 429:
        pass

"""What a command says to a person, and what to a pipe."""

from __future__ import annotations

import os
import pty
from io import StringIO
from typing import TextIO

import pytest

from shop.base import terminal
from shop.base.terminal import Terminal

ESCAPE = "\x1b["


class Screen:
    """A terminal somebody looks at."""

    def __init__(self) -> None:
        self._master, slave = pty.openpty()
        self.out: TextIO = os.fdopen(slave, "w")

    def text(self) -> str:
        self.out.close()
        found = b""
        try:
            while chunk := os.read(self._master, 65536):
                found += chunk
        except OSError:  # all is read
            pass
        os.close(self._master)
        return found.decode()


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("CI", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return Screen()


def say_all(shown: Terminal) -> None:
    shown.say("two ", ("wrong", "trouble"), " [of] three")
    with shown.bars() as bars:
        bar = bars.add("orders placed", 20)
        bar.show(5)
        bar.show(20, "3 lines read")


def test_a_person_sees_colours_and_bars(screen: Screen) -> None:
    say_all(Terminal(screen.out))
    text = screen.text()
    assert f"two {ESCAPE}1;31mwrong{ESCAPE}0m [of] three" in text
    assert "━━━" in text
    assert "20 of 20" in text
    assert "3 lines read" in text


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("CI", "true"), ("TERM", "dumb")])
def test_who_wants_plain_lines_gets_them(
    name: str, value: str, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    say_all(Terminal(screen.out))
    assert screen.text() == "two wrong [of] three\r\n"


def test_an_option_turns_it_off(screen: Screen) -> None:
    say_all(Terminal(screen.out, colour=False))
    assert ESCAPE not in screen.text()


def test_a_pipe_gets_plain_lines_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "SAY_EVERY", 0.0)
    pipe = StringIO()
    say_all(Terminal(pipe))
    first, second, third = pipe.getvalue().splitlines()
    assert (first, second) == ("two wrong [of] three", "orders placed: 5 of 20.")
    assert third.startswith("orders placed: 20 of 20, ")
    assert third.endswith("/s, 3 lines read.")

"""Settings from the environment: each is read by what it may be, and what is wrong is said in a sentence, all at once.

    env = Environment(os.environ)
    # Orders in one message, at the most.
    SET_SIZE = env.whole("SET_SIZE", 200, 1, 10_000)
    env.check()  # at the end: what is wrong is written to stderr, and the process ends with exit code 2

The comment above becomes its line in docs/settings.md. A variable that is empty counts as wrong, but for switches, texts,
folders and addresses: there it is as if it were not set.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

import dj_database_url

from shop.base.brakes.rates import Rate, rate

T = TypeVar("T")
WRONG = 2  # the exit code, of whichever process it was
SHOWN = 60  # characters of a value
MAIL = re.compile(r"([^<>@\n\r]*<)?[^\s<>@]+@[^\s<>@]+>?")
WHOLE, NUMBER = re.compile(r"-?[0-9]{1,18}"), re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?")
DOTTED, HOST = (
    re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+"),
    re.compile(r"\*|\.?[\w-]+(\.[\w-]+)*|\[[0-9a-fA-F:.]+\]"),
)


class Refused(SystemExit):
    """Ends the process, and has told people why: ``sentences``, for who answers machines."""

    def __init__(self, *sentences: str) -> None:
        super().__init__(WRONG)
        self.sentences = sentences
        sys.stderr.write("".join(f"{sentence}\n" for sentence in sentences))
        sys.stderr.flush()


@dataclass(frozen=True)
class Setting:
    """``allowed``: in words, after "must be". ``default``: as the documentation shows it."""

    name: str
    default: str
    allowed: str


def _short(text: str) -> str:
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}…")


def _hidden(text: str) -> str:
    return "something else (not shown here)"


def _shown_url(text: str) -> str:
    """What can be shown of an address: user, password and query can't."""
    scheme, separator, rest = text.partition("://")
    if not separator or not re.fullmatch(r"[\w+.-]{1,20}", scheme):
        return "no address"
    host = re.fullmatch(r"[\w.:-]{0,60}", re.split(r"[/?#]", rest.rpartition("@")[2])[0])
    return f"{scheme}://{host[0]}" if host else f"{scheme}://…"


class Environment:
    """Reads variables, and remembers which there are. What is wrong gets its default, until ``check``."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.known: dict[str, Setting] = {}
        self.wrong: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        """Whatever can be printed. It may be a secret: it is not shown."""
        setting = Setting(name, default, "text on one line")
        return self._read(setting, default, _one_line, empty=True, shown=_hidden)

    __call__ = text

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        setting = Setting(name, str(default), f"a whole number {_bounds(least, most)}")
        return self._read(setting, default, lambda text: int(_number(text, WHOLE, least, most)))

    def number(self, name: str, default: float, least: float, most: float) -> float:
        setting = Setting(name, f"{default:g}", f"a number {_bounds(least, most)}")
        return self._read(setting, float(default), lambda text: _number(text, NUMBER, least, most))

    def choice(self, name: str, options: Sequence[str], default: str) -> str:
        def find(text: str) -> str:
            return options[options.index(text)]

        return self._read(Setting(name, default, _one_of(options)), default, find)

    def switch(self, name: str, *, on: bool = False) -> bool:
        def find(text: str) -> bool:
            return {"0": False, "1": True}[text]

        return self._read(Setting(name, f"{on:d}", "0 or 1"), on, find, empty=True)

    def hosts(self, name: str, default: str) -> list[str]:
        def find(text: str) -> list[str]:
            hosts = [part.strip() for part in text.split(",") if part.strip()]
            if not hosts or not all(HOST.fullmatch(host) for host in hosts):
                raise ValueError
            return hosts

        allowed = "names of hosts with commas between them, without http:// and port"
        return self._read(Setting(name, default, allowed), default.split(","), find)

    def url(self, name: str, default: str, schemes: Sequence[str]) -> str:
        """An address with a host. It may hold a password: of what is wrong only harmless parts are shown."""
        allowed = f"{_one_of([f'{scheme}://HOST' for scheme in schemes])}, with a port up to 65535 if any"
        setting = Setting(name, default, allowed)
        return self._read(setting, default, lambda text: _url(text, schemes), empty=True, shown=_shown_url)

    def database(self, name: str, default: str = "") -> str:
        """The address of a database of PostgreSQL. Its host may be a socket."""
        setting = Setting(
            name, default, "postgres://USER:PASSWORD@HOST:PORT/DATABASE, with %XX for odd signs"
        )
        return self._read(setting, default, _database, empty=True, shown=_shown_url)

    def dotted(self, name: str, default: str) -> str:
        """The path of a class. Its module is not imported: it may need the settings."""
        setting = Setting(name, default, "the dotted path of a class in a module that can be found")
        return self._read(setting, default, lambda text: text if text == default else _dotted(text))

    def mail(self, name: str, default: str) -> str:
        def find(text: str) -> str:
            if not MAIL.fullmatch(text):
                raise ValueError
            return text

        return self._read(Setting(name, default, "a mail address, or NAME <ADDRESS>"), default, find)

    def rate(self, name: str, default: str) -> Rate | None:
        allowed = "a rate, such as 600/minute or 10/15 minutes, or off"
        return self._read(Setting(name, default, allowed), rate(default), rate)

    def folder(self, name: str) -> str:
        def find(text: str) -> str:
            if not text.isprintable() or (Path(text).exists() and not Path(text).is_dir()):
                raise ValueError
            return text

        return self._read(Setting(name, "", "a folder, and no file"), "", find, empty=True)

    def check(self) -> None:
        """Raises Refused where anything is wrong: there is nothing that could go on, in whichever process."""
        if self.wrong:
            raise Refused(*self.wrong)

    def _read(
        self,
        setting: Setting,
        default: T,
        find: Callable[[str], T],
        *,
        empty: bool = False,
        shown: Callable[[str], str] = _short,
    ) -> T:
        """``empty``: an empty variable is as if it were not set."""
        self.known[setting.name] = setting
        text = self._variables.get(setting.name)
        if text is None or (empty and not text):
            return default
        try:
            return find(text)
        except (ValueError, LookupError, ImportError, OSError):
            value = shown(text) if text else "empty"
            self.refuse(f"{setting.name} is {value}; it must be {setting.allowed}.")
            return default

    def refuse(self, sentence: str) -> None:
        """Something else is wrong, as with two settings that do not go together."""
        self.wrong.append(sentence)


def _bounds(least: float, most: float) -> str:
    return f"from {least:,.10g} to {most:,.10g}"


def _one_of(options: Sequence[str]) -> str:
    *some, last = options
    return f"{', '.join(some)} or {last}" if some else last


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError
    return text


def _number(text: str, form: re.Pattern[str], least: float, most: float) -> float:
    if not form.fullmatch(text) or not least <= float(text) <= most:
        raise ValueError
    return float(text)


def _split(text: str) -> SplitResult:
    parts = urlsplit(text)
    if not text.isprintable() or " " in text or parts.port == 0:  # .port raises where it is none
        raise ValueError
    return parts


def _url(text: str, schemes: Sequence[str]) -> str:
    parts = _split(text)
    if parts.scheme not in schemes or not parts.hostname:
        raise ValueError
    if parts.scheme.startswith("redis") and not re.fullmatch(r"(/[0-9]{0,5})?", parts.path):
        raise ValueError
    return text


def _database(text: str) -> str:
    parts = _split(text)
    if parts.scheme not in ("postgres", "postgresql") or not parts.path.strip("/"):
        raise ValueError
    dj_database_url.parse(text)
    return text


def _dotted(text: str) -> str:
    module, _, name = text.rpartition(".")
    if not DOTTED.fullmatch(text) or not (spec := find_spec(module)) or not spec.origin:
        raise ValueError
    if not re.search(rf"\b{name}\b", Path(spec.origin).read_text()):
        raise ValueError
    return text

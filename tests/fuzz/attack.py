"""One run of schemathesis over the whole OpenAPI page of a running shop, and what came of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

PHASES = "examples,coverage,fuzzing,stateful"


@dataclass(frozen=True)
class Attack:
    """``user``: who is logged in; empty: nobody. ``each``: cases at the most, of an operation in a phase.

    ``seconds``: by then it has ended, or is ended.
    """

    user: str
    each: int
    seed: int
    seconds: float

    @property
    def name(self) -> str:
        return f"logged in as {self.user}" if self.user else "not logged in"


@dataclass(frozen=True)
class Found:
    """``told``: what schemathesis says of it all, for whoever mends it."""

    cases: int
    failures: int
    told: str


class Running:
    """Begun when it is made, so that several attack the same shop at once."""

    def __init__(self, attack: Attack, url: str, world: Mapping[str, Any], folder: Path) -> None:
        self._attack = attack
        folder.mkdir()
        (folder / "world.json").write_text(json.dumps(world))
        (folder / "people.json").write_text(
            json.dumps({"auth": [_person(*of) for of in world["tokens"].items()]})
        )
        (folder / "schemathesis.toml").write_text(_configuration(attack, world))
        self._report = folder / "said.txt"
        self._until = time.monotonic() + attack.seconds
        with self._report.open("w") as said:
            self._process = subprocess.Popen(
                _command(attack, url),
                cwd=folder,
                env={
                    **os.environ,
                    "FUZZ_WORLD": str(folder / "world.json"),
                    "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks",
                    "PYTHONPATH": str(settings.BASE_DIR),
                    "NO_PROXY": "*",
                },
                stdout=said,
                stderr=subprocess.STDOUT,
            )

    def found(self) -> Found:
        """Waits for its end. What did not come to an end, or tried nothing, is a failure, too."""
        try:
            status = self._process.wait(max(1.0, self._until - time.monotonic()))
        except subprocess.TimeoutExpired:
            status = -1
        finally:
            self.stop()
        told = self._report.read_text()
        cases = re.search(r"([\d,]+) generated", told)
        last = told.splitlines()[-1] if told else ""
        failures = sum(map(int, re.findall(r"(\d+) (?:failures?|errors?)\b", last)))
        if status < 0:
            told += f"\nAfter {self._attack.seconds:g} s it had not ended."
        return Found(int(cases[1].replace(",", "")) if cases else 0, failures or int(status != 0), told)

    def stop(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()


def _command(attack: Attack, url: str) -> list[str]:
    return [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/api/schema/"),
        *("--checks", "all", "--phases", PHASES, "--continue-on-failure", "--no-color"),
        *("--max-examples", str(attack.each), "--seed", str(attack.seed)),
        *("--generation-database", "none", "--request-timeout", "20", "--output-sanitize", "false"),
    ]


def _configuration(attack: Attack, world: Mapping[str, Any]) -> str:
    """What the command line can't say. 422: a key that stands for another order, which no description can foretell."""
    text = f"""
[dictionaries.orders]
values = {json.dumps(world["orders"])}

[dictionaries.webhooks]
values = {json.dumps(world["webhooks"])}

[parameters]
"path.id" = {{ dictionary = "orders", probability = 0.8 }}

[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "403", "404", "409", "422"]

[[operations]]
include-path-regex = "^/api/v1/webhooks/"

[operations.parameters]
"path.id" = {{ dictionary = "webhooks", probability = 0.8 }}
"""
    if attack.user:
        text += f"""
[auth.wfc]
path = "people.json"
user = "{attack.user}"
peers = {json.dumps([*world["tokens"]])}
"""
    return text


def _person(name: str, token: str) -> dict[str, Any]:
    return {"name": name, "fixedHeaders": [{"name": "Authorization", "value": f"Token {token}"}]}

"""One run of schemathesis over the whole OpenAPI page of a running shop, and what came of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

PHASES = "examples,coverage,fuzzing,stateful"


@dataclass(frozen=True)
class Attack:
    """``user``: who is logged in; empty: nobody. ``each``: cases at the most, of an operation in a phase."""

    user: str
    each: int
    seed: int
    seconds: int


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
        """Waits for its end.

        Raises:
            AssertionError: it did not come to an end, or did not get to attack anything.
        """
        attack = self._attack
        try:
            status = self._process.wait(attack.seconds + 60)
        finally:
            with suppress(ProcessLookupError):
                self._process.kill()
        told = self._report.read_text()
        cases = re.search(r"([\d,]+) generated", told)
        assert cases, f"No case was tried:\n{told}"
        failed = sum(
            int(number) for number in re.findall(r"(\d+) (?:failures?|errors?)\b", told.splitlines()[-1])
        )
        return Found(int(cases[1].replace(",", "")), failed or int(status != 0), told)


def _command(attack: Attack, url: str) -> list[str]:
    return [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/api/schema/"),
        *("--checks", "all", "--phases", PHASES, "--continue-on-failure", "--no-color"),
        *("--max-examples", str(attack.each), "--seed", str(attack.seed), "--max-time", str(attack.seconds)),
        *("--generation-database", "none", "--request-timeout", "20", "--output-sanitize", "false"),
    ]


def _configuration(attack: Attack, world: Mapping[str, Any]) -> str:
    """What the command line can't say. 422: a key that stands for another order, which no description can foretell."""
    text = f"""
[dictionaries.orders]
values = {json.dumps(world["orders"])}

[parameters]
"path.id" = {{ dictionary = "orders", probability = 0.8 }}

[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "403", "404", "409", "422", "429"]
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

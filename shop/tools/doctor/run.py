"""The examination as a whole: all checks at once, each in a thread of its own, and none is waited for longer than all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from functools import partial

from django.db import connections

from shop.tools.doctor import accounts, broker, configured, database, disk, outside, processes, versions, work
from shop.tools.doctor.findings import Finding, Findings, Report, Scribe, Unknown, sentence
from shop.tools.doctor.installation import Installation

WITHIN = 4.0  # s for all of it
Check = Callable[[], Findings]


def checks_of(shop: Installation) -> Mapping[str, Check]:
    """By name, in the order in which findings of one level are told."""
    found: dict[str, Check] = {"settings": partial(configured.check, shop)}
    for alias in shop.databases:
        name = "database" if alias == "default" else f"database of {alias}"
        found[name] = partial(database.check, shop, alias, Scribe(name))
    found["broker" if not shop.has_rabbitmq else "Redis"] = partial(broker.check_redis, shop)
    if shop.has_rabbitmq:
        found["broker"] = partial(broker.check_rabbitmq, shop)
    return found | {
        "relay": partial(processes.check_relay, shop),
        "workers": partial(processes.check_workers, shop),
        "heartbeats": partial(processes.check_beats, shop),
        "web": partial(outside.check_web, shop),
        "providers": partial(outside.check_providers, shop),
        "work": partial(work.check, shop),
        "accounts": partial(accounts.check, shop),
        "disk": partial(disk.check_space, shop),
        "files": partial(disk.check_files, shop),
        "versions": partial(versions.check, shop),
    }


def examine(shop: Installation, within: float = WITHIN) -> Report:
    """Look at everything. Changes nothing."""
    begun = time.monotonic()
    checks = checks_of(shop)
    running = {name: _Running(name, check) for name, check in checks.items()}
    for one in running.values():
        one.thread.start()
    for one in running.values():
        one.thread.join(max(0.0, begun + within - time.monotonic()))
    findings = [finding for one in running.values() for finding in one.told(within)]
    findings.sort(key=lambda finding: -finding.level)  # stable: among equals as the checks stand
    is_cut = any(one.thread.is_alive() for one in running.values())
    unknown = [name for name, one in running.items() if one.is_unknown]
    return Report([*checks], findings, time.monotonic() - begun, is_cut, unknown)


class _Running:
    def __init__(self, name: str, check: Check) -> None:
        self._name, self._check = name, check
        self._found: list[Finding] = []
        self.is_unknown = False
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self) -> None:
        try:
            for finding in self._check():
                self._found.append(finding)
        except Unknown:
            self.is_unknown = True
        except Exception as error:  # it must not keep the others from being told
            what = f"This could not be looked at: {type(error).__name__}, {sentence(error)}."
            self._found.append(Scribe(self._name).wrong(what, "See whether what stands above explains it."))
        finally:
            connections.close_all()

    def told(self, within: float) -> list[Finding]:
        found = [*self._found]
        if self.thread.is_alive():
            what = f"This could not be looked at: there was no answer within {within:g} s."
            found.append(
                Scribe(self._name).wrong(what, "See whether its host can be reached, and is not frozen.")
            )
        return found

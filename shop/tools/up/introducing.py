"""What a shop that has just come up says of itself: where everything is, and with which passwords."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shop.base.terminal import Say
from shop.tools.up.environment import USERS, Accounts
from shop.tools.up.prepare import Prepared

STAFF = ("operator", "viewer")  # who may less than the admin; like all others they keep their passwords


@dataclass(frozen=True, kw_only=True)
class Options:
    data: Path
    port: int
    style: str
    styles: Sequence[str]
    demo: bool

    @property
    def flower_port(self) -> int:
        return self.port + 1

    @property
    def metrics_port(self) -> int:
        return self.port + 2

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def flower_url(self) -> str:
        return f"http://127.0.0.1:{self.flower_port}"


def introduce(
    say: Say, options: Options, accounts: Accounts, prepared: Prepared, seconds: float, *, demo: bool
) -> None:
    """``demo``: the shop may be broken for show. A password is shown by the run that made it, then kept in one place."""
    kept = f"password in {options.data.resolve() / 'secrets.json'}"
    shown = {
        name: (f"password {accounts.passwords[name]}" if name in prepared.created else kept) for name in USERS
    }
    flower = f"password {accounts.passwords['flower']}" if accounts.fresh else kept
    token = f"token {prepared.token} (shown this once)" if prepared.token else "a token: POST /api/v1/login/"
    new = [name for name in STAFF if name in prepared.created]
    rest = [name for name in STAFF if name not in new]
    say("\n", ("The shop is up", "fine"), f", after {seconds:.1f} s.\n")
    for what, where, who in (
        ("Shop", f"{options.url}/", f"user demo, {shown['demo']}, or a guest"),
        ("API", f"{options.url}/api/docs/", token),
        ("Admin", f"{options.url}/admin/", f"user admin, {shown['admin']}"),
        *(("", "", f"user {name}, {shown[name]}") for name in new),
        *([("", "", f"users {' and '.join(rest)}, passwords there, too")] if rest else []),
        *([("Break it", f"{options.url}/admin/crash/", "and watch nothing get lost")] if demo else []),
        ("Flower", f"{options.flower_url}/", f"user flower, {flower}"),
        ("Metrics", f"http://127.0.0.1:{options.metrics_port}/metrics", "for Prometheus"),
        ("Logs", str(options.data.resolve() / "logs"), ""),
    ):
        told = f"  {who}" if who else ""
        say((f"  {what:<10}", "strong"), (f"{where:<36}" if told else where, "now"), told)

"""Settings, processes, disks and files that are broken, each really, are named by the doctor."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.hashers import make_password

from shop.messaging import leading
from shop.tools.doctor import disk
from shop.tools.doctor.database import connect
from shop.tools.doctor.findings import Finding, Level
from shop.tools.doctor.installation import Provider
from shop.tools.up import health
from shop.tools.up.ports import free_port
from tests.doctor.broken import Shop, found_by, one
from tests.live import Live


def test_a_full_disk_is_named(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounted = not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(tmp_path)], check=False, capture_output=True
    ).returncode
    try:
        if not mounted:  # not everybody may
            monkeypatch.setattr(disk, "LEAST", 2**60)
            monkeypatch.setattr(disk, "LITTLE", 2**60)
        one(found_by("disk", shop(data=tmp_path)), Level.WRONG, str(tmp_path), "MB left", "Make room")
    finally:
        if mounted:
            subprocess.run(["umount", str(tmp_path)], check=True)


def test_passwords_that_others_can_read_are_named(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    file.touch(mode=0o600)
    assert found_by("files", shop(data=tmp_path)) == []
    file.chmod(0o644)
    one(
        found_by("files", shop(data=tmp_path)),
        Level.WRONG,
        "other users of this computer",
        f"chmod 600 {file}",
    )


def test_a_password_anybody_would_try_is_named(shop: Shop, copy: Any) -> None:
    config, connection = copy
    broken = shop(databases={"default": config})
    one(found_by("accounts", broken), Level.WORRY, "nobody who may do everything", "createsuperuser")
    add = "INSERT INTO auth_user VALUES (1, 'root', %s, true, true)"
    connection.execute(add, [make_password("root")])
    one(found_by("accounts", broken), Level.WRONG, "The password of root", "changepassword root")


def test_settings_that_leave_the_door_open_are_named(shop: Shop) -> None:
    public = {"public_url": "https://shop.example", "allowed_hosts": ["shop.example"]}
    quiet = {finding.what for finding in found_by("settings", shop(**public))}

    def new(**changes: Any) -> list[Finding]:
        return [one for one in found_by("settings", shop(**{**public, **changes})) if one.what not in quiet]

    one(new(debug=True), Level.WRONG, "DEBUG is on and PUBLIC_URL is https://shop.example", "Unset DEBUG")
    one(new(demo=True), Level.WRONG, "DEMO is on", "Unset DEMO")
    one(new(secret_key=""), Level.WRONG, "SECRET_KEY is not set")
    one(new(secret_key="short"), Level.WRONG, "SECRET_KEY is weak", "50 random characters")
    one(new(allowed_hosts=["*"]), Level.WRONG, "ALLOWED_HOSTS is *")
    one(new(allowed_hosts=["localhost"]), Level.WRONG, "shop.example is not in ALLOWED_HOSTS")
    in_the_clear = new(public_url="http://shop.example")
    one(in_the_clear, Level.WRONG, "passwords and tokens travel in the clear", "TLS")
    said = {finding.what for finding in found_by("settings", shop(**public))}
    assert "CARRIER is the sandbox's client: nothing is delivered." in said
    assert "PAYMENTS_GATEWAY is the sandbox's client: nobody is charged." in said


def test_no_relay_no_web_and_no_provider_are_named(shop: Shop, copy: Any, settings: Any) -> None:
    config, _ = copy
    one(
        found_by("relay", shop(databases={"default": config})),
        Level.WRONG,
        "No relay runs",
        "manage.py relay",
    )
    closed = f"http://127.0.0.1:{free_port()}"
    one(found_by("web", shop(public_url=closed)), Level.WRONG, "does not answer", "Start the web process")
    away = {"carrier": Provider("CARRIER", "CARRIER_URL", closed)}
    one(found_by("providers", shop(providers=away)), Level.WRONG, "carrier can't be reached", "CARRIER_URL")
    settings.PAYMENTS_GATEWAY = "payments.gateway.NoSuch"
    one(found_by("providers", shop()), Level.WRONG, "payments.gateway.NoSuch", "PAYMENTS_GATEWAY")


def test_a_frozen_relay_keeps_its_connection_and_does_not_count_as_running(
    shop: Shop, live: Live, live_databases: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "DATABASE_URL", live_databases.get("ORDERS_DATABASE_URL", live_databases["DATABASE_URL"])
    )
    for module, name in ((leading, "STILL"), (health, "SILENT")):
        monkeypatch.setattr(module, name, 1.0)
    assert (found_by("relay", shop()), leading.running(), health.relay()) == ([], 1, True)
    process = live.stack.pids()["relay"]
    live.stack.supervisor.kill("relay", signal.SIGSTOP)
    try:
        live.wait_for(lambda: leading.running() == 0, "the relay is missed")
        found = found_by("relay", shop())
        assert not health.relay()
    finally:
        live.stack.supervisor.kill("relay", signal.SIGCONT)
    one(found, Level.WRONG, f"The relay of process {process} has stood still for", f"kill -CONT {process}")
    live.wait_for(lambda: leading.running() == 1, "the relay goes on")
    assert found_by("relay", shop()) == []


def test_a_process_that_has_stopped_beating_is_named(shop: Shop, tmp_path: Path) -> None:
    beats = tmp_path / "beats"
    beats.mkdir()
    for name, age in (("relay", 1), ("worker-payments-2", 60), ("worker-of-old", 7200)):
        (beats / name).touch()
        os.utime(beats / name, (time.time() - age, time.time() - age))
    found = found_by("heartbeats", shop(data=tmp_path))
    one(
        found,
        Level.WORRY,
        "worker-payments-2 has left no sign of life for 60 s",
        "manage.py worker payments.",
    )


def test_messages_that_wait_for_a_person_are_named(shop: Shop) -> None:
    config = shop().databases.get("payments", shop().databases["default"])
    event = uuid4()
    before = found_by("work", shop())
    with connect(config) as connection:
        connection.execute(
            "INSERT INTO payments_inbox (event_id, receiver, type, order_id, number, state) "
            "VALUES (%s, 'nobody', 'Nothing', %s, 'S-0', 'parked')",
            [event, uuid4()],
        )
        try:
            found = [one for one in found_by("work", shop()) if one not in before]
        finally:
            connection.execute("DELETE FROM payments_inbox WHERE event_id = %s", [event])
    one(found, Level.WORRY, "to payments are parked", "/admin/payments/inbox/?state__exact=parked")

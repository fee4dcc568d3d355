"""What docker-compose.yml says of logs, and of who watches the shop."""

from __future__ import annotations

from tests.test_compose import ROOT, SERVICES, WATCHING


def test_who_watches_is_there_only_for_who_asks_for_it() -> None:
    for name in ("metrics", *WATCHING):
        assert SERVICES[name]["profiles"] == ["monitoring"], name
    volumes = [
        volume for name in WATCHING for volume in SERVICES[name].get("volumes", []) if volume.startswith("./")
    ]
    assert volumes
    assert all((ROOT / volume.split(":")[0]).is_file() for volume in volumes)


def test_no_log_grows_for_ever() -> None:
    for name, service in SERVICES.items():
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}, name

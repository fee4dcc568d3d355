"""What a process in a container may do and knows, as docker-compose.yml has it."""

from __future__ import annotations

import re

from tests.test_compose import ASKED, SERVICES, TEXT


def test_nobody_may_become_more_than_they_are_and_our_processes_write_to_data_only() -> None:
    for name, service in SERVICES.items():
        assert "no-new-privileges:true" in service["security_opt"], name
        assert not {"privileged", "network_mode", "pid", "devices", "cap_add"} & service.keys(), name
        assert not any("docker.sock" in str(volume) for volume in service.get("volumes", [])), name
        if service["image"] == "shop:local":
            assert (service["read_only"], service["tmpfs"], service["volumes"]) == (
                True,
                ["/tmp"],
                ["data:/data"],
            ), name


def test_no_secret_has_a_value_of_its_own_and_the_providers_are_told_none() -> None:
    for match in ASKED.finditer(TEXT):
        if re.search("PASSWORD|SECRET|AUTH|TOKEN", match[1]):
            assert match[2] == "?" or not match[3], match[0]
    for name in SERVICES:
        if name.endswith("-sandbox"):
            assert SERVICES[name]["environment"].keys() == {"PORT", "BIND", "SHOP_DATA"}, name

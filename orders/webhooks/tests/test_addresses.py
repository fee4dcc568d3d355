"""Which addresses may be registered, and which may be called."""

from __future__ import annotations

from typing import Any

import pytest

from orders.webhooks.addresses import flaw, is_public


@pytest.fixture(autouse=True)
def strict(settings: Any) -> None:
    settings.WEBHOOKS = {**settings.WEBHOOKS, "ANYWHERE": False}


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1",
        "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::7f00:1",
        "2002:7f00:1::", "2002:a00:1::", "2001:db8::1", "64:ff9b:1::1", "fec0::1",
    ],
)  # fmt: skip
def test_what_is_within_a_network_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "1.1.1.1", "2606:4700::1111", "64:ff9b::1.1.1.1", "::ffff:1.1.1.1"]
)
def test_what_is_on_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url", ["https://example.com/hook?a=b", "https://example.com:8443/", "https://1.1.1.1/"]
)
def test_a_good_url_is_taken(url: str) -> None:
    assert flaw(url) == ""


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "//example.com/",
        "https://user:secret@example.com/", "https://example.com/#part", "https://", "https:///", "https://exa mple.com",
        "https://localhost/", "https://LOCALHOST./", "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest",
        "https://example.com:99999/", "https://[::1", "javascript:alert(1)", "https://example.com/\n", "é", "",
        "https://exämple.com/", "https://example.com/ä",
        f"https://example.com/{'x' * 500}",
    ],
)  # fmt: skip
def test_a_bad_one_is_refused_in_a_sentence(url: str) -> None:
    assert flaw(url).endswith((".", "characters."))


def test_where_it_is_only_tried_out_anything_goes(settings: Any) -> None:
    settings.WEBHOOKS = {**settings.WEBHOOKS, "ANYWHERE": True}
    assert flaw("http://127.0.0.1:9000/hook") == ""
    assert flaw("ftp://127.0.0.1/") == "It must begin with http:// or https://."

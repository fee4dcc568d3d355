"""A sandbox process that all tests of a module share, and a key of each test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from payments.gateway import SandboxGateway
from payments.tests.asking import SLOW
from shop.tools.up.servers import Server
from tests.providers import running_provider


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_provider("payments", tmp_path_factory.mktemp("payments"), slow=SLOW, down=0.6) as it:
        yield it


@pytest.fixture
def gateway(shared: Server) -> SandboxGateway:
    return SandboxGateway(shared.url)


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    return f"charge:{request.node.name}"

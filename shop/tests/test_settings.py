"""What the environment may say is what settings.py says it may; all else is a sentence, whichever process reads it."""

from __future__ import annotations

import ast
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from shop.base.environment import Environment
from shop.tools.papers.settings import ELSEWHERE, comments, source_of
from shop.tools.up.ports import free_port

ROOT = Path(settings.BASE_DIR)
SETTINGS_PY = ROOT / "shop" / "settings.py"
SETTINGS = settings.ENVIRONMENT.known
GARBAGE = "no\nsuch thing"  # of no setting whatever
PASSWORD = "n3ver-told"

Read = Callable[[Mapping[str, str]], tuple[Mapping[str, Any] | None, str]]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Read:
    """Runs settings.py with these variables and none besides. What it sets, or None; and what it says."""

    def run(variables: Mapping[str, str]) -> tuple[Mapping[str, Any] | None, str]:
        monkeypatch.setattr(os, "environ", dict(variables))
        try:
            found: Mapping[str, Any] | None = runpy.run_path(str(SETTINGS_PY))
        except SystemExit as end:
            found = None if end.code == 2 else {}
        finally:
            monkeypatch.undo()
        return found, capsys.readouterr().err

    return run


def test_whatever_setting_is_wrong_is_named_with_what_it_may_be(read: Read) -> None:
    for name, setting in SETTINGS.items():
        found, said = read({name: GARBAGE})
        assert found is None, name
        (sentence,) = said.splitlines()
        assert sentence.startswith(f"{name} is "), sentence
        assert sentence.endswith(f"; it must be {setting.allowed}."), sentence


def test_all_that_is_wrong_is_said_at_once(read: Read) -> None:
    found, said = read(dict.fromkeys(SETTINGS, GARBAGE))
    assert found is None
    assert [line.split()[0] for line in said.splitlines()] == [*SETTINGS]


def test_what_is_the_default_may_be_said_as_well(read: Read) -> None:
    found, said = read({name: setting.default for name, setting in SETTINGS.items()})
    assert found, said
    bare, _ = read({})
    assert bare
    same = [name for name in bare if name.isupper() and name not in ("SECRET_KEY", "ENVIRONMENT")]
    assert {name: found[name] for name in same} == {name: bare[name] for name in same}


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("FULFILLMENT_STYLE", "foo", "'foo'"),
        ("FULFILLMENT_STYLE", "", "empty"),
        ("MESSAGING_SET_SIZE", "0", "'0'"),
        ("MESSAGING_SET_SIZE", "-1", "'-1'"),
        ("MESSAGING_SET_SIZE", "1.5", "'1.5'"),
        ("MESSAGING_SET_SIZE", "", "empty"),
        ("MESSAGING_SET_SIZE", "9" * 500, f"'{'9' * 60}…'"),
        ("RETRY_FIRST", "nan", "'nan'"),
        ("RETRY_FIRST", "inf", "'inf'"),
        ("RETRY_FIRST", "٣", "'٣'"),
        ("DEBUG", "true", "'true'"),
        ("LOG_LEVEL", "LOUD", "'LOUD'"),
        ("ALLOWED_HOSTS", "http://shop.example", "'http://shop.example'"),
        ("ALLOWED_HOSTS", ",", "','"),
        ("SHOP_DATA", __file__, None),
        ("SECRET_KEY", f"{PASSWORD}\n", "something else (not shown here)"),
        ("PUBLIC_URL", "shop.example", "no address"),
        ("PUBLIC_URL", "https://", "https://"),
        ("PUBLIC_URL", "https://shop.example:70000", "https://shop.example:70000"),
        ("PUBLIC_URL", "https://[::1", "https://…"),
        ("PUBLIC_URL", "ftp://shop.example", "ftp://shop.example"),
        ("DATABASE_URL", f"mysql://shop:{PASSWORD}@db:3306/shop", "mysql://db:3306"),
        ("DATABASE_URL", f"postgres://shop:{PASSWORD}@db:x/shop", "postgres://db:x"),
        ("DATABASE_URL", f"postgres://shop:{PASSWORD}@db", "postgres://db"),
        ("ORDERS_DATABASE_URL", f"shop:{PASSWORD}@db/shop", "no address"),
        ("REDIS_URL", f"amqp://shop:{PASSWORD}@mq", "amqp://mq"),
        ("REDIS_URL", f"redis://:{PASSWORD}@mq/zero", "redis://mq"),
        ("BROKER_URL", f"sqs://shop:{PASSWORD}@mq", "sqs://mq"),
        ("PAYMENTS_GATEWAY", "payments.gateway", "'payments.gateway'"),
        ("PAYMENTS_GATEWAY", "payments.gateway.NoGateway", "'payments.gateway.NoGateway'"),
        ("PAYMENTS_GATEWAY", "no.such.Gateway", "'no.such.Gateway'"),
        ("CARRIER", "Carrier", "'Carrier'"),
        ("DEFAULT_FROM_EMAIL", "shop", "'shop'"),
    ],
)
def test_it_is_said_what_it_is_and_no_password(read: Read, name: str, value: str, shown: str | None) -> None:
    found, said = read({name: value})
    assert found is None
    assert said.startswith(f"{name} is {shown or ''}")
    assert said.count("\n") == 1
    assert PASSWORD not in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "postgresql://%2Fvar%2Frun%2Fpostgresql/shop"),
        ("DATABASE_URL", "postgres:///shop?host=/tmp"),
        ("DATABASE_URL", "postgres://shop:p%40ss@[::1]:5432/shop?sslmode=require"),
        ("ORDERS_DATABASE_URL", ""),
        ("REDIS_URL", "rediss://:word@mq:6380/15"),
        ("BROKER_URL", ""),
        ("BROKER_URL", "amqp://shop:word@mq/shop"),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", ".shop.example, [::1]"),
        ("EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend"),
        ("DEFAULT_FROM_EMAIL", "The shop <shop@shop.example>"),
        ("RETRY_FIRST", "0.25"),
        ("DATABASE_STATEMENT_TIMEOUT", "0"),
        ("PUBLIC_URL", "https://shop.example"),
    ],
)
def test_what_is_right_is_taken(read: Read, name: str, value: str) -> None:
    found, said = read({name: value})
    assert found, said


def test_settings_are_read_by_what_they_may_be() -> None:
    """Nothing is read past ``Environment``, and nothing is converted afterwards, where it could break."""
    tree = ast.parse(SETTINGS_PY.read_text())
    environ = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    ]
    assert len(environ) == 1
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("int", "float", "bool", "env"), f"settings.py:{node.lineno}"


def test_each_setting_has_a_comment_right_above() -> None:
    about = comments(SETTINGS_PY.read_text())
    for setting in SETTINGS.values():
        assert about[source_of(setting, about)][1].endswith("."), setting.name


def test_what_is_read_elsewhere_is_documented_too() -> None:
    known = {*SETTINGS, *ELSEWHERE, "TERM", "CI", "PATH", "LD_LIBRARY_PATH", "TMPDIR"}
    for folder in ("shop", *settings.SERVICES):
        for path in (ROOT / folder).rglob("*.py"):
            if "tests" not in path.parts:
                for name in re.findall(r'environ(?:\.get\(|\.setdefault\(|\[)"(\w+)"', path.read_text()):
                    assert name in known, f"{path.relative_to(ROOT)} reads {name}: document it"


def test_the_same_sentence_and_exit_code_come_from_every_process(tmp_path: Path) -> None:
    port = str(free_port())
    env = {**os.environ, "FULFILLMENT_STYLE": "foo", "RETRY_FIRST": "soon", "DJANGO_SETTINGS_MODULE": ""}
    del env["DJANGO_SETTINGS_MODULE"]
    programs = {
        "up": ("manage.py", "up", "--data", str(tmp_path)),
        "relay": ("manage.py", "relay"),
        "worker": ("manage.py", "worker", "orders"),
        "web": (
            *(
                "-m",
                "gunicorn",
                "shop.asgi:application",
                "--bind",
                f"127.0.0.1:{port}",
                "--no-control-socket",
            ),
            *("--worker-class", "shop.base.serving.worker.Worker"),
        ),
        "flower": ("-m", "celery", "-A", "shop", "flower", "--address=127.0.0.1", f"--port={port}"),
        "health": ("-m", "shop.tools.up.health", "worker", "orders"),
    }
    running = {
        name: subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=env,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name, arguments in programs.items()
    }
    for name, process in running.items():
        _, said = process.communicate(timeout=60)
        assert said.splitlines() == [
            "FULFILLMENT_STYLE is 'foo'; it must be orchestration or choreography.",
            "RETRY_FIRST is 'soon'; it must be a number from 0 to 60.",
        ], name
        assert process.returncode == 2, name


def test_until_the_check_what_is_wrong_has_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    env = Environment({"SIZE": "x"})
    assert env.whole("SIZE", 5, 1, 10) == 5
    with pytest.raises(SystemExit):
        env.check()
    assert capsys.readouterr().err == "SIZE is 'x'; it must be a whole number from 1 to 10.\n"

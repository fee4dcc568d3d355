"""What a worker does around each task."""

from __future__ import annotations

import psycopg
import pytest
from django.db import OperationalError, connection

from shop.celery import drop_dead_connections, note_last_use


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_connection_that_broke_in_a_task_that_went_well_is_made_anew_before_the_next() -> None:
    """Else a busy worker whose tasks note what broke, in a database of their own, would never get well."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            _end(*cursor.fetchone())
            note_last_use("SUCCESS")
            with pytest.raises(OperationalError):
                cursor.execute("SELECT 1")
        drop_dead_connections()
        assert connection.connection is None
    finally:
        connection.close()


def _end(pid: int) -> None:
    params = connection.get_connection_params()
    known = {name: params[name] for name in ("dbname", "host", "port", "user", "password")}
    with psycopg.connect(**known, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 1000)", [pid])

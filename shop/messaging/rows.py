"""Set SQL: one statement for many rows. They travel as one JSON parameter, unfolded by the columns' types.

Django's ``bulk_create`` binds every value by itself and ``bulk_update`` builds a CASE per row and column; for a set of a
hundred orders that costs several times as much. Like those, nothing here sends signals or runs a model's ``save``, but
``auto_now`` fields are written. All of it runs in the current transaction, on the model's own database.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from django.db import DataError, connections, models, router
from django.db.backends.postgresql.base import ServerBindingCursor

Model = type[models.Model]
Row = Mapping[str, object]  # by names of fields (of foreign keys: with _id); all rows of a call name the same
Found = list[tuple[Any, ...]]


def insert(
    model: Model,
    rows: Sequence[Row],
    *,
    once: bool = False,
    now: tuple[str, ...] = (),
    returning: tuple[str, ...] = (),
) -> Found:
    """Insert the rows. A field that is not named gets its default. ``once``: what is there already is left out.

    ``now``: fields that get the time, by the database's clock, as the rows' own clock may be wrong.

    Returns the fields ``returning`` of the rows that were inserted.

    Raises:
        django.db.Error: a value does not fit its column, or is there already; nothing is written.
    """
    if not rows:
        return []
    return execute(
        model, _insert(model, tuple(rows[0]), once, now, returning), as_json(rows), fetch=bool(returning)
    )


def update(
    model: Model,
    rows: Iterable[Row],
    *,
    only: Row | None = None,
    now: tuple[str, ...] = (),
    returning: tuple[str, ...] = (),
) -> Found:
    """Write the rows, found by the first field they name.

    ``only``: what else must have been so until now; of a tuple, any of its values. ``now``: as for ``insert``.

    Returns the fields ``returning`` of the rows that were written.
    """
    rows = list(rows)
    if not rows:
        return []
    names, only = tuple(rows[0]), only or {}
    rows.sort(key=lambda row: str(row[names[0]]))  # so that all lock them in one sequence
    sql = _update(model, names, tuple(only), now, returning)
    required = (as_array(value if isinstance(value, tuple) else (value,)) for value in only.values())
    return execute(model, sql, as_json(rows), len(rows), *required, fetch=bool(returning))


def select(
    model: Model, fields: tuple[str, ...], by: str, values: Iterable[object], *, lock: bool = False
) -> Found:
    """These fields of the rows in which ``by`` is one of the values, in sequence of their primary keys.

    ``lock``: nobody else changes them until the transaction ends.
    """
    wanted = as_array(values)
    return [] if wanted == "{}" else execute(model, _select(model, fields, by, lock), wanted, fetch=True)


def now_in(model: Model) -> datetime:
    """What the clock of the model's database says, by which all that is in it is due."""
    ((now,),) = execute(model, "SELECT statement_timestamp()", fetch=True)
    return now  # type: ignore[no-any-return]


def execute(model: Model, sql: str, *params: Any, fetch: bool = False) -> Found:
    """Run a statement on the model's database. It is prepared there: parsed once for each connection."""
    connection: Any = connections[router.db_for_write(model)]
    connection.ensure_connection()
    statement = _Statement(connection.connection)  # type: ignore[call-arg]  # the stubs know no psycopg
    with connection._prepare_cursor(statement) as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if fetch else []


class _Statement(ServerBindingCursor):
    """Keeps what it has sent: psycopg forgets it where it was prepared, and Django's log of statements asks for it."""

    def _convert_query(self, *args: Any) -> Any:
        self._query = super()._convert_query(*args)  # type: ignore[misc]
        return self._query


def as_json(rows: Collection[object]) -> str:
    """What ``unfolded`` takes apart.

    Raises:
        django.db.DataError: a number is larger than any column takes.
    """
    try:
        return msgspec.json.encode(rows).decode()
    except OverflowError as error:
        raise DataError(str(error)) from None


def as_array(values: Iterable[object]) -> str:
    """Ids, numbers or words as the text of an array, which is bound several times as fast as a list."""
    return f"{{{','.join(_element(value) for value in values)}}}"


def _element(value: object) -> str:
    if not isinstance(value, str):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def unfolded(model: Model, names: Iterable[str]) -> str:
    """A FROM item ``new``: the rows of a JSON parameter with these fields of the model, typed as its columns are."""
    columns = ", ".join(f'"{name}" {_type(model, name)}' for name in names)
    return f"json_to_recordset(%s) AS new ({columns})"


@lru_cache(maxsize=512)
def _insert(
    model: Model, names: tuple[str, ...], once: bool, now: tuple[str, ...], returning: tuple[str, ...]
) -> str:
    values = {_column(model, name): f'new."{name}"' for name in names}
    values |= {_column(model, name): "now()" for name in now}
    for field in model._meta.concrete_fields:
        if (
            field.attname not in (*names, *now)
            and not field.has_db_default()
            and not isinstance(field, models.AutoField)
        ):
            values[_column(model, field.attname)] = _default(field)
    return (
        f"INSERT INTO {_table(model)} ({', '.join(values)}) SELECT {', '.join(values.values())} "
        f"FROM {unfolded(model, names)}{' ON CONFLICT DO NOTHING' if once else ''}{_returning(model, returning)}"
    )


@lru_cache(maxsize=512)
def _update(
    model: Model,
    names: tuple[str, ...],
    only: tuple[str, ...],
    now: tuple[str, ...],
    returning: tuple[str, ...],
) -> str:
    key, *fields = names
    assignments = [f'{_column(model, name)} = new."{name}"' for name in fields]
    touched = [name for name in _touched(model) if name not in fields]
    assignments += [f"{_column(model, name)} = now()" for name in (*touched, *now)]
    conditions = [
        f'old.{_column(model, key)} = new."{key}"',
        *(f"old.{_column(model, name)} = ANY(%s::{_type(model, name)}[])" for name in only),
    ]
    # LIMIT tells the planner how many there are. It takes any JSON for 100 rows, and would read a whole table for one.
    return (
        f"UPDATE {_table(model)} AS old SET {', '.join(assignments)} "
        f"FROM (SELECT * FROM {unfolded(model, names)} LIMIT %s) AS new "
        f"WHERE {' AND '.join(conditions)}{_returning(model, returning, 'old.')}"
    )


@lru_cache(maxsize=512)
def _select(model: Model, fields: tuple[str, ...], by: str, lock: bool) -> str:
    key = model._meta.pk.attname
    return (
        f"SELECT {', '.join(_column(model, name) for name in fields)} FROM {_table(model)} "
        f"WHERE {_column(model, by)} = ANY(%s::{_type(model, by)}[]) ORDER BY {_column(model, key)}"
        f"{' FOR NO KEY UPDATE' if lock else ''}"
    )


def _field(model: Model, name: str) -> models.Field[Any, Any]:
    return next(field for field in model._meta.concrete_fields if field.attname == name)


def _table(model: Model) -> str:
    return f'"{model._meta.db_table}"'


def _column(model: Model, name: str) -> str:
    return f'"{_field(model, name).column}"'


def _type(model: Model, name: str) -> str:
    """Without its length: a cast to varchar(60) would cut what is longer, and say nothing."""
    connection = connections[router.db_for_write(model)]
    return str(_field(model, name).cast_db_type(connection)).partition("(")[0]


def _touched(model: Model) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields if getattr(field, "auto_now", False)]


def _default(field: models.Field[Any, Any]) -> str:
    """A field's default, in SQL.

    Raises:
        TypeError: each row would get one of its own; name the field.
    """
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return "now()"
    if field.has_default() and callable(field.default):
        raise TypeError(f"{field} has another default in each row: name it.")
    value = field.get_default()
    if value is None or isinstance(value, bool | int):
        return "NULL" if value is None else str(value).lower()
    return "'" + str(value).replace("'", "''").replace("%", "%%") + "'"


def _returning(model: Model, names: tuple[str, ...], of: str = "") -> str:
    return f" RETURNING {', '.join(of + _column(model, name) for name in names)}" if names else ""

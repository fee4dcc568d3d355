"""Writing many rows at once. Django's ``bulk_update`` builds a CASE per row and column; this is one plain UPDATE."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import connections, models

from shop.messaging.tables import database_of


def save_all(rows: Collection[models.Model], fields: Sequence[str]) -> None:
    """Write the named fields of all rows, found by primary key, in one statement of the current transaction.

    Like ``bulk_update`` it sends no signals; ``auto_now`` fields are written too.

    Raises:
        django.db.DataError: a value does not fit its column; nothing is written.
    """
    if not rows:
        return
    model = type(next(iter(rows)))
    connection = connections[database_of(model)]
    fields_of = {field.name: field for field in model._meta.concrete_fields}
    key = model._meta.pk
    touched = [field for field in fields_of.values() if getattr(field, "auto_now", False)]
    columns = [key, *(fields_of[name] for name in fields), *touched]
    for field in columns[1:]:
        for row in rows:
            field.pre_save(row, add=False)
    names = [connection.ops.quote_name(str(field.column)) for field in columns]
    # Without their length: a cast to varchar(60) would cut what is longer, and say nothing.
    types = [str(field.cast_db_type(connection)).partition("(")[0] for field in columns]
    arrays = ", ".join(f"%s::{type_}[]" for type_ in types)
    table = connection.ops.quote_name(model._meta.db_table)
    assignments = ", ".join(f"{name} = new.{name}" for name in names[1:])
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} AS old SET {assignments} FROM unnest({arrays}) AS new ({', '.join(names)}) "
            f"WHERE old.{names[0]} = new.{names[0]}",
            [
                [field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows]
                for field in columns
            ],
        )

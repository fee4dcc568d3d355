"""Operations for the apps' migrations."""

from django.db.migrations.operations import RunSQL

from shop.messaging.tables import CHANNEL, confirmed_sequence


def wake_relay_on_insert(service: str) -> RunSQL:
    """A statement trigger that wakes the relay (NOTIFY, at commit) whenever this service's outbox gets rows."""
    table, function = f"{service}_outbox", f"{service}_outbox_wake"
    return RunSQL(
        sql=[
            f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN PERFORM pg_notify('{CHANNEL}', '{service}'); RETURN NULL; END $$",
            f"CREATE TRIGGER {function} AFTER INSERT ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {function}()",
        ],
        reverse_sql=[f"DROP TRIGGER {function} ON {table}", f"DROP FUNCTION {function}()"],
    )


def wake_relay_by_itself(service: str) -> RunSQL:
    """Who writes to the outbox says what the relay has to do; the trigger goes."""
    trigger = wake_relay_on_insert(service)
    return RunSQL(sql=trigger.reverse_sql or "", reverse_sql=trigger.sql)


def confirm_by_position(service: str) -> RunSQL:
    """A sequence takes the place of ``confirmed_at``. What is not confirmed yet is due; all else is behind it."""
    table, position = f"{service}_outbox", confirmed_sequence(service)
    return RunSQL(
        sql=[
            f"UPDATE {table} SET due_at = NULL WHERE confirmed_at IS NOT NULL",
            f"UPDATE {table} SET claims = greatest(claims, 1), due_at = now() WHERE confirmed_at IS NULL",
            f"CREATE SEQUENCE {position} MINVALUE 0 START 0",
            f"SELECT setval('{position}', coalesce((SELECT max(id) FROM {table}), 0))",
        ],
        reverse_sql=[
            f"UPDATE {table} SET confirmed_at = now() WHERE due_at IS NULL",
            f"UPDATE {table} SET due_at = now() WHERE due_at IS NULL",
            f"DROP SEQUENCE {position}",
        ],
    )


def leave_room(table: str, fillfactor: int) -> RunSQL:
    """Pages that inserts fill to so many per cent: an update finds room beside its row, and no index is written."""
    return RunSQL(
        f"ALTER TABLE {table} SET (fillfactor = {fillfactor})", f"ALTER TABLE {table} RESET (fillfactor)"
    )


def vacuum_early(table: str) -> RunSQL:
    """Vacuum when 2 % of the rows are dead, not 20 %.

    Old rows are deleted from the low end of the primary key, and a relay that begins there passes by all that are dead.
    """
    return RunSQL(
        f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.02)",
        f"ALTER TABLE {table} RESET (autovacuum_vacuum_scale_factor)",
    )

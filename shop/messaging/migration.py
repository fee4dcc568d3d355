"""Operations for the apps' migrations."""

from django.db.migrations.operations import RunSQL

from shop.messaging.tables import CHANNEL


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

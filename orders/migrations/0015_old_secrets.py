"""As many secrets of a webhook as were renewed within a day, instead of the last one alone.

A sender of the version before asks for columns that are gone: it waits, as for a database that is away, and loses nothing.
"""

from django.db import migrations, models

FORTH = """
    UPDATE orders_webhookendpoint
    SET old_secrets = jsonb_build_array(jsonb_build_object('secret', previous_secret, 'until', previous_until))
    WHERE previous_until > now()
"""
BACK = """
    UPDATE orders_webhookendpoint
    SET previous_secret = old_secrets -> 0 ->> 'secret', previous_until = (old_secrets -> 0 ->> 'until')::timestamptz
    WHERE old_secrets <> '[]'
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0014_webhooks")]

    operations = [
        migrations.AddField(
            model_name="webhookendpoint",
            name="old_secrets",
            field=models.JSONField(blank=True, db_default=[], default=list),
        ),
        migrations.RunSQL(FORTH, BACK),
        migrations.RemoveField(model_name="webhookendpoint", name="previous_secret"),
        migrations.RemoveField(model_name="webhookendpoint", name="previous_until"),
    ]

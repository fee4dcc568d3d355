from django.db import migrations

from shop.messaging.migration import vacuum_early


class Migration(migrations.Migration):
    dependencies = [("payments", "0006_leaner_tables")]

    operations = [
        vacuum_early("payments_outbox"),
        vacuum_early("payments_inbox"),
    ]

from django.db import migrations

from shop.messaging.migration import vacuum_early


class Migration(migrations.Migration):
    dependencies = [("inventory", "0006_leaner_tables")]

    operations = [
        vacuum_early("inventory_outbox"),
        vacuum_early("inventory_inbox"),
    ]

from django.db import migrations

from shop.messaging.migration import vacuum_early


class Migration(migrations.Migration):
    dependencies = [("shipping", "0006_leaner_tables")]

    operations = [
        vacuum_early("shipping_outbox"),
        vacuum_early("shipping_inbox"),
    ]

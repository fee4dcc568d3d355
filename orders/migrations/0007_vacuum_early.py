from django.db import migrations

from shop.messaging.migration import vacuum_early


class Migration(migrations.Migration):
    dependencies = [("orders", "0006_leaner_tables")]

    operations = [
        vacuum_early("orders_outbox"),
        vacuum_early("orders_inbox"),
        vacuum_early("orders_timelineentry"),
    ]

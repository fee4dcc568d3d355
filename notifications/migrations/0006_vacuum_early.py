from django.db import migrations

from shop.messaging.migration import vacuum_early


class Migration(migrations.Migration):
    dependencies = [("notifications", "0005_leaner_tables")]

    operations = [
        vacuum_early("notifications_outbox"),
        vacuum_early("notifications_inbox"),
        vacuum_early("notifications_mail"),
    ]

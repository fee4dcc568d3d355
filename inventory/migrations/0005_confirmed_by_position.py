from django.db import migrations, models
from django.db.models import Q

from shop.messaging.migration import confirm_by_position, wake_relay_by_itself


class Migration(migrations.Migration):
    dependencies = [("inventory", "0004_state")]

    operations = [
        wake_relay_by_itself("inventory"),
        migrations.RemoveIndex("outbox", "inventory_outbox_due"),
        migrations.AlterField("outbox", "due_at", models.DateTimeField(null=True, blank=True)),
        confirm_by_position("inventory"),
        migrations.RemoveField("outbox", "confirmed_at"),
        migrations.AlterField("outbox", "event_id", models.UUIDField(editable=False)),
        migrations.AddIndex(
            "outbox",
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="inventory_outbox_due"),
        ),
        migrations.AlterField("inbox", "order_id", models.UUIDField()),
        migrations.AddIndex(
            "inbox",
            models.Index(fields=["order_id"], condition=~Q(state="done"), name="inventory_inbox_open"),
        ),
    ]

from django.db import migrations, models
from django.db.models import Q

from shop.messaging.migration import confirm_by_position, wake_relay_by_itself


class Migration(migrations.Migration):
    dependencies = [("orders", "0004_labels")]

    operations = [
        wake_relay_by_itself("orders"),
        migrations.RemoveIndex("outbox", "orders_outbox_due"),
        migrations.AlterField("outbox", "due_at", models.DateTimeField(null=True, blank=True)),
        confirm_by_position("orders"),
        migrations.RemoveField("outbox", "confirmed_at"),
        migrations.AlterField("outbox", "event_id", models.UUIDField(editable=False)),
        migrations.AddIndex(
            "outbox",
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="orders_outbox_due"),
        ),
        migrations.AlterField("inbox", "order_id", models.UUIDField()),
        migrations.AddIndex(
            "inbox",
            models.Index(fields=["order_id"], condition=~Q(state="done"), name="orders_inbox_open"),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_wake_relay")]

    operations = [
        migrations.RenameField("outbox", "sends", "claims"),
        migrations.RemoveField("outbox", "version"),
        migrations.AlterField("saga", "step", models.CharField("reached", max_length=20)),
        # Failed steps are noted with all other progress now. What these two had still to do, the saga's deadline does.
        migrations.RunSQL(
            "UPDATE orders_inbox SET state = 'done', due_at = NULL, payload = NULL WHERE state <> 'done' AND receiver IN "
            "('orders.try_again_later', 'orders.wait_for_the_service_that_retries')",
            migrations.RunSQL.noop,
        ),
    ]

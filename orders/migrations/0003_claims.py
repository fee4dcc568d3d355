from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_wake_relay")]

    operations = [
        migrations.RenameField("outbox", "sends", "claims"),
        # With a default, so that the way back is open, too.
        migrations.AlterField("outbox", "version", models.PositiveSmallIntegerField(default=1, db_default=1)),
        migrations.RemoveField("outbox", "version"),
        migrations.AlterField("saga", "step", models.CharField("reached", max_length=20)),
        # Failed steps are noted with all other progress now. What these two had still to do, the saga's deadline does.
        migrations.RunSQL(
            "UPDATE orders_inbox SET state = 'done', due_at = NULL, error = '', payload = NULL WHERE state <> 'done' AND receiver IN "
            "('orders.try_again_later', 'orders.wait_for_the_service_that_retries')",
            migrations.RunSQL.noop,
        ),
    ]

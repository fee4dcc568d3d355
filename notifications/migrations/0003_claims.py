from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0002_wake_relay")]

    operations = [
        migrations.RenameField("outbox", "sends", "claims"),
        # With a default, so that the way back is open, too.
        migrations.AlterField("outbox", "version", models.PositiveSmallIntegerField(default=1, db_default=1)),
        migrations.RemoveField("outbox", "version"),
    ]

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("notifications", "0002_wake_relay")]

    operations = [
        migrations.RenameField("outbox", "sends", "claims"),
        migrations.RemoveField("outbox", "version"),
    ]

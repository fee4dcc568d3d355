from django.db import migrations

from shop.messaging.operations import wake_relay_on_insert


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]

    operations = [wake_relay_on_insert("payments")]

from django.db import migrations

from shop.messaging.migration import wake_relay_on_insert


class Migration(migrations.Migration):
    dependencies = [("inventory", "0001_initial")]

    operations = [wake_relay_on_insert("inventory")]

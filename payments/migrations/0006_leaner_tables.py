import payments.models
from django.db import migrations, models

from shop.messaging.migration import leave_room


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0005_confirmed_by_position'),
    ]

    operations = [
        migrations.AlterField(
            model_name='payment',
            name='charge_key',
            field=models.CharField(default=payments.models.new_key, max_length=32),
        ),
        migrations.AlterField(
            model_name='payment',
            name='refund_key',
            field=models.CharField(default=payments.models.new_key, max_length=32),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.UniqueConstraint(fields=('charge_key',), name='payment_charge_key_once'),
        ),
        leave_room("payments_payment", 60),
    ]

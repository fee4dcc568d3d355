import django.db.models.deletion
import shop.messaging.ids
from django.db import migrations, models

from shop.messaging.migration import leave_room


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0005_confirmed_by_position'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='order',
            name='order_status',
        ),
        migrations.AlterField(
            model_name='order',
            name='customer_id',
            field=models.BigIntegerField(),
        ),
        migrations.AlterField(
            model_name='order',
            name='uuid',
            field=models.UUIDField(default=shop.messaging.ids.uuid7, editable=False, unique=True, verbose_name='id'),
        ),
        migrations.AlterField(
            model_name='orderline',
            name='order',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='orders.order'),
        ),
        migrations.AlterField(
            model_name='saga',
            name='order',
            field=models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='saga', to='orders.order'),
        ),
        migrations.AlterField(
            model_name='timelineentry',
            name='order',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='timeline', to='orders.order'),
        ),
        leave_room("orders_order", 75),
        leave_room("orders_saga", 40),
    ]

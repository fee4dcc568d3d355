import django.db.models.deletion
import shipping.models
from django.db import migrations, models

from shop.messaging.migration import leave_room


class Migration(migrations.Migration):

    dependencies = [
        ('shipping', '0005_confirmed_by_position'),
    ]

    operations = [
        migrations.AlterField(
            model_name='parcel',
            name='key',
            field=models.CharField(default=shipping.models.new_key, max_length=32),
        ),
        migrations.AlterField(
            model_name='parcel',
            name='shipment',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='parcels', to='shipping.shipment'),
        ),
        migrations.AddConstraint(
            model_name='parcel',
            constraint=models.UniqueConstraint(fields=('key',), name='parcel_key_once'),
        ),
        leave_room("shipping_shipment", 40),
        leave_room("shipping_parcel", 40),
    ]

import django.db.models.deletion
from django.db import migrations, models

from shop.messaging.migration import leave_room


class Migration(migrations.Migration):

    dependencies = [
        ('inventory', '0005_confirmed_by_position'),
    ]

    operations = [
        migrations.AlterField(
            model_name='reservationline',
            name='reservation',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='inventory.reservation'),
        ),
        leave_room("inventory_stock", 40),
        leave_room("inventory_reservation", 60),
    ]

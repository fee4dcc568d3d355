import notifications.models
from django.db import migrations, models

from shop.messaging.migration import leave_room


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0004_confirmed_by_position'),
    ]

    operations = [
        migrations.AlterField(
            model_name='mail',
            name='message_id',
            field=models.CharField(max_length=80),
        ),
        migrations.AlterField(
            model_name='notification',
            name='message_id',
            field=models.CharField(default=notifications.models.new_message_id, max_length=80),
        ),
        migrations.AlterField(
            model_name='notification',
            name='order_id',
            field=models.UUIDField(),
        ),
        migrations.AddConstraint(
            model_name='mail',
            constraint=models.UniqueConstraint(fields=('message_id',), name='mail_once'),
        ),
        leave_room("notifications_notification", 60),
    ]

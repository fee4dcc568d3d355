from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0003_claims")]

    operations = [
        # Parcels are planned and labelled in one step now.
        migrations.RunSQL(
            "UPDATE orders_saga SET step = 'paid' WHERE step = 'planned'", migrations.RunSQL.noop
        ),
        # Nobody hears of these any more.
        migrations.RunSQL(
            "UPDATE orders_inbox SET state = 'done', due_at = NULL, error = '', payload = NULL "
            "WHERE state <> 'done' AND type IN ('ParcelPlanned', 'LabelCreated')",
            migrations.RunSQL.noop,
        ),
    ]

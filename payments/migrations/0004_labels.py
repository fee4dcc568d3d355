from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0003_claims")]

    operations = [
        # Another receiver of shipping reacts to it now: the relay has to look whether that one has it.
        migrations.RunSQL(
            "UPDATE payments_outbox SET confirmed_at = NULL, due_at = now() "
            "WHERE type = 'PaymentProcessed' AND style = 'choreography' AND confirmed_at IS NOT NULL",
            migrations.RunSQL.noop,
        ),
        migrations.AlterField("payment", "state", models.CharField(max_length=12)),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inventory", "0003_claims")]

    operations = [migrations.AlterField("reservation", "state", models.CharField(max_length=12))]

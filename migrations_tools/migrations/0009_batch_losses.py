from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("migrations_tools", "0008_queued_imports"),
    ]

    operations = [
        migrations.AddField(
            model_name="batch",
            name="losses",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="batch",
            name="suspects",
            field=models.JSONField(blank=True, null=True),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("migrations_tools", "0009_batch_losses"),
    ]

    operations = [
        migrations.CreateModel(
            name="DualWritten",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("definition", models.CharField(max_length=100)),
                ("step", models.PositiveSmallIntegerField()),
                ("key", models.TextField(db_collation="C")),
                ("source_digest", models.BinaryField(blank=True, null=True)),
                ("written_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "verbose_name_plural": "dual written keys",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("definition", "step", "key"), name="dual_written_once"
                    )
                ],
            },
        ),
    ]

"""Staged rows of the old department are carried over by ``migrate`` itself."""

from django.db import migrations

from migrations_tools.operations import RunDataMigration


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("guarantees", "0005_groups"),
        ("migrations_tools", "0015_uploads"),
    ]

    operations = [RunDataMigration("split_imported_records")]

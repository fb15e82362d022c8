"""Staged sessions of the old systems are carried over by ``migrate`` itself.

One after the other, because they write the same tables. Whatever is done already does nothing the
next time, so that a refusal half-way is gone on from where it stopped.
"""

from django.db import migrations

from migrations_tools.operations import RunDataMigration


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("sessions_app", "0010_groups"),
        ("migrations_tools", "0015_uploads"),
    ]

    operations = [
        RunDataMigration("normalize_collaboration_sessions"),
        RunDataMigration("assign_orphan_sessions"),
        RunDataMigration("enrich_contest_sessions"),
        RunDataMigration("upgrade_lessons"),
    ]

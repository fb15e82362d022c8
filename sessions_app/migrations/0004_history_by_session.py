"""Indexes to find the history of a session's people and files, deleted ones included, and that
of a session by its public id: a migration must not bring back what people took away here.
"""

from django.db import migrations

INDEXES = [
    ("history_session_public_id", "sessions_app_historicalsession"),
    ("history_participant_session", "sessions_app_historicalsessionparticipant"),
    ("history_file_session", "sessions_app_historicalsessionfile"),
]


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0003_project_switches")]

    operations = [
        migrations.RunSQL(f"CREATE INDEX {name} ON {table} (session_id)", f"DROP INDEX {name}")
        for name, table in INDEXES
    ]

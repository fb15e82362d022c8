"""The sentinel project that parks agent sessions without a project (agents.md "Shape")."""

from django.db import migrations

MAKE = """
INSERT INTO sessions_app_project (id, name, status, is_primary, description, created_at)
VALUES ('00000000-0000-0000-0000-000000000000', '__unassigned__', 'active', false, '', now())
ON CONFLICT DO NOTHING
"""
REMOVE = """
DELETE FROM sessions_app_project WHERE id = '00000000-0000-0000-0000-000000000000'
"""


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0001_initial")]

    operations = [migrations.RunSQL(MAKE, REMOVE)]

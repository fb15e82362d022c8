"""Personal projects, and switches of a session's project (agents.md "The session service")."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from migrations_tools.triggers import Trigger, create_operations

SWITCH = "sessions_app_projectswitch"

TRIGGERS = [
    Trigger(
        name="sessions_app_switch_kept",
        table=SWITCH,
        events="BEFORE UPDATE OR DELETE",
        # an open switch may end, and nothing else
        body="""
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state = 'started'
        AND to_jsonb(NEW) - 'state' - 'failure' - 'finished_at'
            = to_jsonb(OLD) - 'state' - 'failure' - 'finished_at' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'Switch % is on record: it can be neither changed nor deleted.', OLD.id
        USING ERRCODE = 'integrity_constraint_violation';
END
""",
    ),
    Trigger(
        name="sessions_app_switch_not_truncated",
        table=SWITCH,
        events="BEFORE TRUNCATE",
        level="STATEMENT",
        body="""
BEGIN
    RAISE EXCEPTION 'Project switches cannot be truncated: they are on record.'
        USING ERRCODE = 'integrity_constraint_violation';
END
""",
    ),
]


class Migration(migrations.Migration):
    dependencies = [
        ("sessions_app", "0002_unassigned_project"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="historicalproject",
            name="personal_of",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="project",
            name="personal_of",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.CreateModel(
            name="ProjectSwitch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("started", "started"),
                            ("completed", "completed"),
                            ("failed", "failed"),
                        ],
                        default="started",
                        max_length=9,
                    ),
                ),
                ("failure", models.CharField(blank=True, default="", max_length=40)),
                (
                    "surface",
                    models.CharField(
                        choices=[
                            ("command", "command line"),
                            ("admin", "admin"),
                            ("api", "API"),
                            ("worker", "worker"),
                            ("migrate", "schema migration"),
                        ],
                        max_length=8,
                    ),
                ),
                ("reason", models.TextField(blank=True, default="")),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "actor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "from_project",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="sessions_app.project",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="project_switches",
                        to="sessions_app.session",
                    ),
                ),
                (
                    "to_project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="sessions_app.project",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "project switches",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "started")),
                        fields=("session",),
                        name="one_open_switch_per_session",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["started", "completed", "failed"])),
                        name="switch_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("finished_at__isnull", True), ("state", "started")),
                            models.Q(
                                models.Q(("state", "started"), _negated=True),
                                ("finished_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="switch_finished_when_ended",
                    ),
                ],
            },
        ),
        *create_operations(TRIGGERS),
    ]

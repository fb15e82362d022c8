"""Dictionaries, import batches, guarantees, actions, and the staged rows of the old system."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import django.utils.timezone
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("migrations_tools", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ActionSession",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("is_locked", models.BooleanField(default=False)),
                ("total_actions", models.PositiveIntegerField(default=0)),
                ("issued_actions", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ["-day", "-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_locked", False)),
                        fields=("day",),
                        name="one_open_session_per_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("issued_actions__lte", models.F("total_actions"))),
                        name="session_issued_within_total",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Bank",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("short_code", models.CharField(blank=True, default="", max_length=50)),
                ("name_en", models.TextField(blank=True, default="")),
                ("name_ar", models.TextField(blank=True, default="")),
                ("normalized_name", models.TextField(blank=True, default="")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ["name_en", "name_ar", "id"],
                "indexes": [
                    django.contrib.postgres.indexes.HashIndex(
                        fields=["normalized_name"], name="bank_by_name"
                    ),
                    django.contrib.postgres.indexes.HashIndex(
                        fields=["short_code"], name="bank_by_short_code"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportBatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("excel", "Excel file"),
                            ("manual", "manual entry"),
                            ("paste", "text paste"),
                        ],
                        max_length=6,
                    ),
                ),
                ("description", models.TextField(blank=True, default="")),
                ("file_name", models.TextField(blank=True, default="")),
                ("sha256", models.CharField(blank=True, default="", max_length=64)),
                ("day", models.DateField(blank=True, null=True)),
                ("total_records", models.PositiveIntegerField(default=0)),
                ("ready_records", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("uploaded_by", models.CharField(blank=True, default="", max_length=254)),
                ("legacy_ref", models.TextField(blank=True, null=True, unique=True)),
            ],
            options={
                "verbose_name_plural": "import batches",
                "ordering": ["-created_at", "-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("sha256", ""), _negated=True),
                        fields=["sha256"],
                        name="batch_by_file",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("kind__in", ("manual", "paste"))),
                        fields=("kind", "day"),
                        name="one_batch_per_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["excel", "manual", "paste"])),
                        name="batch_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind__in", ("manual", "paste")), _negated=True),
                            ("day__isnull", False),
                            _connector="OR",
                        ),
                        name="daily_batch_has_a_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ready_records__lte", models.F("total_records"))),
                        name="batch_ready_within_total",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Guarantee",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.TextField()),
                ("raw_supplier_name", models.TextField(blank=True, default="")),
                ("raw_bank_name", models.TextField(blank=True, default="")),
                ("contract_number", models.TextField(blank=True, default="")),
                ("related_to", models.TextField(blank=True, default="")),
                (
                    "amount",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=16, null=True),
                ),
                ("currency", models.CharField(default="SAR", max_length=3)),
                ("issue_date", models.DateField(blank=True, null=True)),
                ("expiry_date", models.DateField(blank=True, null=True)),
                ("type", models.TextField(blank=True, default="")),
                ("comment", models.TextField(blank=True, default="")),
                (
                    "match_status",
                    models.CharField(
                        choices=[("ready", "ready"), ("needs_review", "needs review")],
                        default="needs_review",
                        max_length=12,
                    ),
                ),
                (
                    "import_kind",
                    models.CharField(
                        choices=[
                            ("excel", "Excel file"),
                            ("manual", "manual entry"),
                            ("paste", "text paste"),
                        ],
                        max_length=6,
                    ),
                ),
                ("import_date", models.DateField()),
                ("is_protected", models.BooleanField(default=False, editable=False)),
                (
                    "current_amount",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=16, null=True),
                ),
                ("current_expiry", models.DateField(blank=True, null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "active"), ("released", "released")],
                        default="active",
                        max_length=8,
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "bank",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="guarantees",
                        to="guarantees.bank",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="guarantees",
                        to="guarantees.importbatch",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="ImportSession",
            fields=[
                ("content_hash", models.BinaryField(blank=True, null=True)),
                ("extra", models.JSONField(blank=True, null=True)),
                (
                    "staged_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("session_type", models.TextField(blank=True, null=True)),
                ("record_count", models.BigIntegerField(blank=True, null=True)),
                ("created_at", models.TextField(blank=True, null=True)),
                ("file_name", models.TextField(blank=True, null=True)),
                (
                    "legacy_import",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="migrations_tools.legacyimport",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Supplier",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.TextField()),
                ("display_name", models.TextField(blank=True, default="")),
                ("normalized_name", models.TextField(blank=True, default="")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ["name", "id"],
                "indexes": [
                    django.contrib.postgres.indexes.HashIndex(
                        fields=["normalized_name"], name="supplier_by_name"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="GuaranteeAction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.TextField()),
                (
                    "action_type",
                    models.CharField(
                        choices=[
                            ("extension", "extension"),
                            ("release", "release"),
                            ("reduction", "reduction"),
                            ("renewal", "renewal"),
                            ("modification", "modification"),
                        ],
                        max_length=12,
                    ),
                ),
                ("action_date", models.DateField()),
                ("previous_expiry", models.DateField(blank=True, null=True)),
                ("new_expiry", models.DateField(blank=True, null=True)),
                (
                    "previous_amount",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=16, null=True),
                ),
                (
                    "new_amount",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=16, null=True),
                ),
                ("notes", models.TextField(blank=True, default="")),
                ("changes", models.JSONField(blank=True, default=dict)),
                ("reason", models.TextField(blank=True, default="")),
                ("supplier_name", models.TextField(blank=True, default="")),
                ("bank_name", models.TextField(blank=True, default="")),
                ("supplier_display_name", models.TextField(blank=True, default="")),
                ("bank_display_name", models.TextField(blank=True, default="")),
                (
                    "status",
                    models.CharField(
                        choices=[("draft", "draft"), ("issued", "issued")],
                        default="draft",
                        max_length=6,
                    ),
                ),
                ("is_locked", models.BooleanField(default=False, editable=False)),
                ("issued_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("issued_in", models.BigIntegerField(blank=True, editable=False, null=True)),
                ("idempotency_key", models.CharField(blank=True, max_length=200, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "bank",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="guarantees.bank",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "guarantee",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="actions",
                        to="guarantees.guarantee",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="actions",
                        to="guarantees.actionsession",
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="guarantees.supplier",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.AddField(
            model_name="guarantee",
            name="supplier",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="guarantees",
                to="guarantees.supplier",
            ),
        ),
        migrations.CreateModel(
            name="SupplierAlias",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.TextField()),
                ("normalized_name", models.TextField(blank=True, default="")),
                ("source", models.CharField(blank=True, default="", max_length=30)),
                ("uses", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="aliases",
                        to="guarantees.supplier",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "supplier aliases",
                "ordering": ["name", "id"],
            },
        ),
        migrations.CreateModel(
            name="SupplierOverride",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.TextField()),
                ("normalized_name", models.TextField(blank=True, default="")),
                ("notes", models.TextField(blank=True, default="")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="overrides",
                        to="guarantees.supplier",
                    ),
                ),
            ],
            options={
                "ordering": ["name", "id"],
            },
        ),
        migrations.CreateModel(
            name="BankAlias",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.TextField()),
                ("normalized_name", models.TextField(blank=True, default="")),
                ("source", models.CharField(blank=True, default="", max_length=30)),
                ("uses", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "bank",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="aliases",
                        to="guarantees.bank",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "bank aliases",
                "ordering": ["name", "id"],
                "indexes": [
                    django.contrib.postgres.indexes.HashIndex(
                        fields=["normalized_name"], name="bank_alias_by_name"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalActionSession",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("is_locked", models.BooleanField(default=False)),
                ("total_actions", models.PositiveIntegerField(default=0)),
                ("issued_actions", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical action session",
                "verbose_name_plural": "historical action sessions",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="guarantees__history_5e6e02_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalBank",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("short_code", models.CharField(blank=True, default="", max_length=50)),
                ("name_en", models.TextField(blank=True, default="")),
                ("name_ar", models.TextField(blank=True, default="")),
                ("normalized_name", models.TextField(blank=True, default="")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical bank",
                "verbose_name_plural": "historical banks",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="guarantees__history_997c7c_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalBankAlias",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("name", models.TextField()),
                ("normalized_name", models.TextField(blank=True, default="")),
                ("source", models.CharField(blank=True, default="", max_length=30)),
                ("uses", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "bank",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="guarantees.bank",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical bank alias",
                "verbose_name_plural": "historical bank aliases",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="guarantees__history_a27ddf_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalImportBatch",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("excel", "Excel file"),
                            ("manual", "manual entry"),
                            ("paste", "text paste"),
                        ],
                        max_length=6,
                    ),
                ),
                ("description", models.TextField(blank=True, default="")),
                ("file_name", models.TextField(blank=True, default="")),
                ("sha256", models.CharField(blank=True, default="", max_length=64)),
                ("day", models.DateField(blank=True, null=True)),
                ("total_records", models.PositiveIntegerField(default=0)),
                ("ready_records", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("uploaded_by", models.CharField(blank=True, default="", max_length=254)),
                ("legacy_ref", models.TextField(blank=True, null=True)),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical import batch",
                "verbose_name_plural": "historical import batches",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="guarantees__history_6b62d6_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalSupplier",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("name", models.TextField()),
                ("display_name", models.TextField(blank=True, default="")),
                ("normalized_name", models.TextField(blank=True, default="")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical supplier",
                "verbose_name_plural": "historical suppliers",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="guarantees__history_990e75_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="ImportedRecord",
            fields=[
                ("content_hash", models.BinaryField(blank=True, null=True)),
                ("extra", models.JSONField(blank=True, null=True)),
                (
                    "staged_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("raw_supplier_name", models.TextField(blank=True, null=True)),
                ("raw_bank_name", models.TextField(blank=True, null=True)),
                ("amount", models.TextField(blank=True, null=True)),
                ("guarantee_number", models.TextField(blank=True, null=True)),
                ("issue_date", models.TextField(blank=True, null=True)),
                ("expiry_date", models.TextField(blank=True, null=True)),
                ("normalized_supplier", models.TextField(blank=True, null=True)),
                ("normalized_bank", models.TextField(blank=True, null=True)),
                ("match_status", models.TextField(blank=True, null=True)),
                ("supplier_id", models.BigIntegerField(blank=True, null=True)),
                ("bank_id", models.BigIntegerField(blank=True, null=True)),
                ("created_at", models.TextField(blank=True, null=True)),
                ("decision_result", models.TextField(blank=True, null=True)),
                ("contract_number", models.TextField(blank=True, null=True)),
                ("type", models.TextField(blank=True, null=True)),
                ("comment", models.TextField(blank=True, null=True)),
                ("bank_display", models.TextField(blank=True, null=True)),
                ("supplier_display_name", models.TextField(blank=True, null=True)),
                ("related_to", models.TextField(blank=True, null=True)),
                ("record_type", models.TextField(blank=True, null=True)),
                (
                    "import_batch",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="legacy_records",
                        to="guarantees.importbatch",
                    ),
                ),
                (
                    "legacy_import",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="migrations_tools.legacyimport",
                    ),
                ),
                (
                    "migrated_action",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="legacy_records",
                        to="guarantees.guaranteeaction",
                    ),
                ),
                (
                    "migrated_guarantee",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="legacy_records",
                        to="guarantees.guarantee",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="records",
                        to="guarantees.importsession",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "indexes": [
                    django.contrib.postgres.indexes.HashIndex(
                        models.Func(
                            models.F("guarantee_number"),
                            models.Value(" \t\n\r\x0b\x0c\xa0"),
                            function="BTRIM",
                            output_field=models.TextField(),
                        ),
                        name="record_by_number",
                    ),
                    models.Index(
                        condition=models.Q(("import_batch__isnull", False)),
                        fields=["import_batch"],
                        name="record_by_batch",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("migrated_guarantee__isnull", False)),
                        fields=("migrated_guarantee",),
                        name="record_guarantee_one_to_one",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("migrated_action__isnull", False)),
                        fields=("migrated_action",),
                        name="record_action_one_to_one",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("migrated_guarantee__isnull", True),
                            ("migrated_action__isnull", True),
                            _connector="OR",
                        ),
                        name="record_has_one_link",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalSupplierOverride",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("name", models.TextField()),
                ("normalized_name", models.TextField(blank=True, default="")),
                ("notes", models.TextField(blank=True, default="")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="guarantees.supplier",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical supplier override",
                "verbose_name_plural": "historical supplier overrides",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="guarantees__history_194d4b_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalSupplierAlias",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("name", models.TextField()),
                ("normalized_name", models.TextField(blank=True, default="")),
                ("source", models.CharField(blank=True, default="", max_length=30)),
                ("uses", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="guarantees.supplier",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical supplier alias",
                "verbose_name_plural": "historical supplier aliases",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="guarantees__history_861f9a_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalGuaranteeAction",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("number", models.TextField()),
                (
                    "action_type",
                    models.CharField(
                        choices=[
                            ("extension", "extension"),
                            ("release", "release"),
                            ("reduction", "reduction"),
                            ("renewal", "renewal"),
                            ("modification", "modification"),
                        ],
                        max_length=12,
                    ),
                ),
                ("action_date", models.DateField()),
                ("previous_expiry", models.DateField(blank=True, null=True)),
                ("new_expiry", models.DateField(blank=True, null=True)),
                (
                    "previous_amount",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=16, null=True),
                ),
                (
                    "new_amount",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=16, null=True),
                ),
                ("notes", models.TextField(blank=True, default="")),
                ("changes", models.JSONField(blank=True, default=dict)),
                ("reason", models.TextField(blank=True, default="")),
                ("supplier_name", models.TextField(blank=True, default="")),
                ("bank_name", models.TextField(blank=True, default="")),
                ("supplier_display_name", models.TextField(blank=True, default="")),
                ("bank_display_name", models.TextField(blank=True, default="")),
                (
                    "status",
                    models.CharField(
                        choices=[("draft", "draft"), ("issued", "issued")],
                        default="draft",
                        max_length=6,
                    ),
                ),
                ("is_locked", models.BooleanField(default=False, editable=False)),
                ("issued_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("issued_in", models.BigIntegerField(blank=True, editable=False, null=True)),
                ("idempotency_key", models.CharField(blank=True, max_length=200, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "bank",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="guarantees.bank",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "guarantee",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="guarantees.guarantee",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="guarantees.actionsession",
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="guarantees.supplier",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical guarantee action",
                "verbose_name_plural": "historical guarantee actions",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="guarantees__history_ce5adc_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalGuarantee",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("number", models.TextField()),
                ("raw_supplier_name", models.TextField(blank=True, default="")),
                ("raw_bank_name", models.TextField(blank=True, default="")),
                ("contract_number", models.TextField(blank=True, default="")),
                ("related_to", models.TextField(blank=True, default="")),
                (
                    "amount",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=16, null=True),
                ),
                ("currency", models.CharField(default="SAR", max_length=3)),
                ("issue_date", models.DateField(blank=True, null=True)),
                ("expiry_date", models.DateField(blank=True, null=True)),
                ("type", models.TextField(blank=True, default="")),
                ("comment", models.TextField(blank=True, default="")),
                (
                    "match_status",
                    models.CharField(
                        choices=[("ready", "ready"), ("needs_review", "needs review")],
                        default="needs_review",
                        max_length=12,
                    ),
                ),
                (
                    "import_kind",
                    models.CharField(
                        choices=[
                            ("excel", "Excel file"),
                            ("manual", "manual entry"),
                            ("paste", "text paste"),
                        ],
                        max_length=6,
                    ),
                ),
                ("import_date", models.DateField()),
                ("is_protected", models.BooleanField(default=False, editable=False)),
                (
                    "current_amount",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=16, null=True),
                ),
                ("current_expiry", models.DateField(blank=True, null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "active"), ("released", "released")],
                        default="active",
                        max_length=8,
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "bank",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="guarantees.bank",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="guarantees.importbatch",
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="guarantees.supplier",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical guarantee",
                "verbose_name_plural": "historical guarantees",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [
                    models.Index(
                        fields=["history_date", "id"], name="guarantees__history_83ddbb_idx"
                    )
                ],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.AddIndex(
            model_name="guaranteeaction",
            index=models.Index(
                django.db.models.functions.text.MD5(
                    models.Func(
                        models.F("number"),
                        models.Value(" \t\n\r\x0b\x0c\xa0"),
                        function="BTRIM",
                        output_field=models.TextField(),
                    )
                ),
                name="action_by_number",
            ),
        ),
        migrations.AddConstraint(
            model_name="guaranteeaction",
            constraint=models.UniqueConstraint(
                condition=models.Q(("idempotency_key__isnull", False)),
                fields=("idempotency_key",),
                name="action_idempotency_key_unique",
            ),
        ),
        migrations.AddConstraint(
            model_name="guaranteeaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "action_type__in",
                        ["extension", "release", "reduction", "renewal", "modification"],
                    )
                ),
                name="action_type_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="guaranteeaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("is_locked", False), ("issued_at__isnull", True), ("status", "draft")
                    ),
                    models.Q(
                        ("is_locked", True), ("issued_at__isnull", False), ("status", "issued")
                    ),
                    _connector="OR",
                ),
                name="action_issued_means_locked",
            ),
        ),
        migrations.AddConstraint(
            model_name="guaranteeaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("action_type", "reduction"), _negated=True),
                    models.Q(
                        ("new_amount__gt", 0),
                        ("new_amount__isnull", False),
                        ("new_amount__lt", models.F("previous_amount")),
                        ("new_expiry__isnull", True),
                        ("previous_amount__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="reduction_to_a_smaller_amount",
            ),
        ),
        migrations.AddConstraint(
            model_name="guaranteeaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("action_type", "release"), _negated=True),
                    models.Q(("new_amount__isnull", True), ("new_expiry__isnull", True)),
                    _connector="OR",
                ),
                name="release_sets_nothing_new",
            ),
        ),
        migrations.AddConstraint(
            model_name="guaranteeaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("action_type", "modification"), ("status", "issued"), _negated=True),
                    ("reason__regex", "\\S"),
                    _connector="OR",
                ),
                name="issued_modification_has_a_reason",
            ),
        ),
        migrations.AddIndex(
            model_name="guarantee",
            index=models.Index(
                django.db.models.functions.text.MD5(
                    models.Func(
                        models.F("number"),
                        models.Value(" \t\n\r\x0b\x0c\xa0"),
                        function="BTRIM",
                        output_field=models.TextField(),
                    )
                ),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="guarantee_newest_of_number",
            ),
        ),
        migrations.AddConstraint(
            model_name="guarantee",
            constraint=models.CheckConstraint(
                condition=models.Q(("number", ""), _negated=True), name="guarantee_number_not_blank"
            ),
        ),
        migrations.AddConstraint(
            model_name="guarantee",
            constraint=models.CheckConstraint(
                condition=models.Q(("match_status__in", ["ready", "needs_review"])),
                name="guarantee_match_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="guarantee",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["active", "released"])),
                name="guarantee_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="guarantee",
            constraint=models.CheckConstraint(
                condition=models.Q(("import_kind__in", ["excel", "manual", "paste"])),
                name="guarantee_import_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="guarantee",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_protected", False), ("match_status", "ready"), _connector="OR"
                ),
                name="protected_guarantee_is_ready",
            ),
        ),
        migrations.AddIndex(
            model_name="supplieralias",
            index=django.contrib.postgres.indexes.HashIndex(
                fields=["normalized_name"], name="supplier_alias_by_name"
            ),
        ),
        migrations.AddIndex(
            model_name="supplieroverride",
            index=django.contrib.postgres.indexes.HashIndex(
                fields=["normalized_name"], name="supplier_override_by_name"
            ),
        ),
    ]

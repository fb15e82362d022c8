"""Groups of people and what they may do with runs (SPEC §6; docs/rights.md)."""

from django.db import migrations

from migrations_tools.operations import GrantPermissions

_EVIDENCE = [
    "run",
    "batch",
    "check",
    "cutover",
    "mismatch",
    "waiver",
    "dualwritten",
    "governor",
    "rowchange",
    "ledgerentry",
    "legacyimport",
    "transition",
    "notice",
    "queuedimport",
    "retentionrecord",
    "reviewitem",
]

_REVIEWED = ["run", "check", "ledgerentry", "legacyimport", "reviewitem", "transition"]

_APPROVED = [
    "run",
    "batch",
    "check",
    "cutover",
    "ledgerentry",
    "reviewitem",
    "retentionrecord",
    "transition",
    "waiver",
]


class Migration(migrations.Migration):
    dependencies = [
        ("migrations_tools", "0013_idempotency_keys"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        GrantPermissions(
            "Operator",
            [
                "run",
                "review",
                "rollback",
                "waive",
                "cutover",
                "import",
                "view_rejectedline",
                *(f"view_{model}" for model in _EVIDENCE),
            ],
        ),
        GrantPermissions("Reviewer", ["review", *(f"view_{model}" for model in _REVIEWED)]),
        GrantPermissions(
            "Approver", ["approve", "purge", *(f"view_{model}" for model in _APPROVED)]
        ),
        GrantPermissions("Auditor", [f"view_{model}" for model in _EVIDENCE]),
    ]

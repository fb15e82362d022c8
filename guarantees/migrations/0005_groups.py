"""What groups of people may do with guarantees (SPEC §6; docs/rights.md)."""

from django.db import migrations

from migrations_tools.operations import GrantPermissions

_ALL = [
    "bank",
    "bankalias",
    "supplier",
    "supplieralias",
    "supplieroverride",
    "guarantee",
    "guaranteeaction",
    "actionsession",
    "importbatch",
    "importsession",
    "importedrecord",
]

_NAMES = ["bank", "bankalias", "supplier", "supplieralias", "supplieroverride"]

_WORK = [
    "add_guarantee",
    "change_guarantee",
    "add_guaranteeaction",
    "change_guaranteeaction",
    "delete_guaranteeaction",
    "change_actionsession",
    "view_rejectedrow",
    *(f"{deed}_{model}" for deed in ("add", "change") for model in _NAMES),
    *(f"view_{model}" for model in _ALL),
]


class Migration(migrations.Migration):
    dependencies = [
        ("guarantees", "0004_rejected_rows"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        GrantPermissions("Operator", _WORK),
        GrantPermissions("Clerk", _WORK),
        GrantPermissions("Auditor", [f"view_{model}" for model in _ALL]),
    ]

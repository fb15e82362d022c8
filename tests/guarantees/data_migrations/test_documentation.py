"""docs/split-imported-records.md tells what is so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from guarantees.data_migrations.split_checks import CHECKS
from guarantees.models import Guarantee
from migrations_tools.definitions import SQLCheck
from tests.guarantees.data_migrations.rows import (
    known,
    transform_action,
    transform_guarantee,
    warnings,
)

TEXT = (Path(settings.BASE_DIR) / "docs" / "split-imported-records.md").read_text()


@pytest.mark.django_db(transaction=True)
def test_its_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    call_command(
        "generate_legacy", "guarantees", rows=40, seed=1, defects=0.1, out=Path("old.sqlite")
    )
    commands = re.findall(r"^    python manage\.py (.+)$", TEXT, re.MULTILINE)
    assert len(commands) == 5
    *forward, back = commands
    for command in forward:
        call_command(*shlex.split(command))
    assert Guarantee.objects.exists()
    call_command("datamigrate", "status", "last", "--json")
    call_command(*shlex.split(back))
    assert not Guarantee.objects.exists()


def test_it_explains_every_warning() -> None:
    bad = {
        "guarantee_number": "",
        "supplier_id": 9,
        "bank_id": 9,
        "amount": "x",
        "expiry_date": "x",
        "created_at": None,
    }
    codes = {
        *warnings(transform_guarantee(known(), **bad)),
        *warnings(transform_guarantee(known(), amount="0")),
        *warnings(transform_action("release", known(), **bad)),
    }
    assert len(codes) == 8
    assert {code for code in codes if f"`{code}`" not in TEXT} == set()


def test_it_explains_every_check() -> None:
    for check in CHECKS:
        for code in [check.code] if isinstance(check, SQLCheck) else check.titles:
            assert f"`{code}`" in TEXT

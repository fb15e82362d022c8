"""``split_imported_records`` under faults: pure, reversible, and safe from every crash."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command

from guarantees.models import Guarantee
from migrations_tools.testing import assert_crash_safe, assert_pure, assert_reversible

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "split_imported_records"


@pytest.fixture
def staged(tmp_path: Path) -> None:
    """Forty rows of the old department, a third of them with defects."""
    file = tmp_path / "old.sqlite"
    call_command("generate_legacy", "guarantees", rows=40, seed=7, defects=0.3, out=file)
    call_command("import_legacy", "guarantees", str(file))


def change_a_guarantee() -> None:
    guarantee = Guarantee.objects.filter(is_protected=False).earliest("pk")
    guarantee.comment = "seen by a person"
    guarantee.save()


def test_it_is_pure_and_reversible(staged: None) -> None:
    assert_pure(NAME)
    assert_reversible(NAME)


@pytest.mark.fault_long
def test_no_crash_loses_or_doubles_anything(staged: None) -> None:
    assert_crash_safe(NAME, batch_size=8, edit=change_a_guarantee)

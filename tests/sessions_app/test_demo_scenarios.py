"""The demonstration of each migration of the sessions, from the sample files to the second run."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from sessions_app.models import Session

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.slow
def test_collaboration_sessions_put_away_by_a_person_survive_the_rollback(
    tmp_path: Path, settings: Settings
) -> None:
    settings.CARRYOVER_HOME = tmp_path
    out = StringIO()
    call_command("demo", "--rows", "120", "--json", stdout=out, stderr=StringIO())
    steps = {
        step["step"]: step
        for step in json.loads(out.getvalue())["steps"]
        if step["migration"] == "normalize_collaboration_sessions"
    }
    assert (tmp_path / "demo" / "demo-sessionmanagements.json").exists()
    assert steps["edits by a person"]["rows"] == 3
    assert "3 conflict" in steps["roll back"]["result"]
    assert "checks passed" in steps["verify again"]["result"]
    assert Session.objects.filter(kind="collaboration", status="archived").count() == 3

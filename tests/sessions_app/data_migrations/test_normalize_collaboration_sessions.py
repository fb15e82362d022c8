"""The migration by the commands that people type, on a generated export with every fault."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from sessions_app.models import Session, SessionFile, SessionParticipant
from tests.sessions_app.data_migrations.collaboration import NAME, A, B, document, stage

pytestmark = pytest.mark.django_db(transaction=True)


def command(*words: str) -> tuple[int, dict[str, Any]]:
    """Exit code and answer."""
    out = io.StringIO()
    code = 0
    try:
        call_command(*words, "--json", stdout=out, stderr=io.StringIO())
    except SystemExit as ended:
        code = int(ended.code or 0)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return code, answer


def wrong(answer: dict[str, Any]) -> dict[str, Any]:
    return {
        check["code"]: check["sample"][:3] or check["failures"]
        for check in answer["checks"]
        if not check["ok"]
    }


@pytest.mark.slow
@pytest.mark.parametrize("defects", [0.15, 1.0])
def test_five_thousand_rows_with_every_fault_from_plan_to_rollback(
    tmp_path: Path, defects: float
) -> None:
    export = tmp_path / "sessionmanagements.json"
    call_command("generate_legacy", "collaboration", rows=5000, seed=7, defects=defects, out=export)
    code, imported = command("import_legacy", "collaboration", str(export))
    assert (code, imported["imported"], imported["rejected"]) == (0, 5000, [])
    _, planned = command("datamigrate", "run", NAME, "--dry-run")
    assert not Session.objects.exists()
    code, done = command("datamigrate", "run", NAME)
    assert (code, done["state"]) == (2, "completed")
    for what in ("total", "outcomes", "warnings", "codes", "changes"):
        assert done[what] == planned[what], what
    assert set(done["codes"]) <= {"invalid_session_id", "no_owner"}
    assert done["outcomes"]["applied"] + done["outcomes"]["quarantined"] == done["total"]
    code, verified = command("datamigrate", "verify", NAME)
    assert (code, wrong(verified)) == (0, {})
    # what cannot be carried over is looked at again, and nothing else
    code, again = command("datamigrate", "run", NAME)
    assert (code, again["outcomes"]["applied"], again["changes"]) == (2, 0, {})
    assert again["outcomes"]["quarantined"] == again["total"] == done["outcomes"]["quarantined"]
    code, back = command("datamigrate", "rollback", done["run"], "--reason", "test")
    assert (code, back["outcomes"]["restored"]) == (0, done["outcomes"]["applied"])
    for model in (Session, SessionParticipant, SessionFile):
        assert not model._default_manager.exists()


def test_a_clean_export_is_done_once_and_later_rows_are_a_delta(tmp_path: Path) -> None:
    for rows, name in ((60, "early.json"), (90, "late.json")):
        call_command(
            "generate_legacy", "collaboration", rows=rows, seed=3, defects=0.0, out=tmp_path / name
        )
    command("import_legacy", "collaboration", str(tmp_path / "early.json"))
    code, first = command("datamigrate", "run", NAME)
    assert (code, first["warnings"]) == (0, {})
    code, nothing = command("datamigrate", "run", NAME)
    assert (code, nothing["run"], nothing["total"]) == (0, None, 0)
    command("import_legacy", "collaboration", str(tmp_path / "late.json"))
    code, failed = command("datamigrate", "verify", NAME)
    assert (code, failed["ok"]) == (3, False)
    assert command("datamigrate", "run", NAME)[0] == 0
    code, verified = command("datamigrate", "verify", NAME)
    assert (code, wrong(verified)) == (0, {})
    code, of_run = command("datamigrate", "verify", "last")
    assert (code, of_run["ok"]) == (0, True)


def test_invalid_ids_are_quarantined_under_the_key_of_their_row() -> None:
    stage(
        document(_id="a", n="N", e=A, s="undefined"),
        document(_id="b", n="N", e=A, s={"x": 1}),
        document(_id="c", n="N", e=A, s="good"),
    )
    code, done = command("datamigrate", "run", NAME)
    assert (code, done["codes"]) == (2, {"invalid_session_id": 2})
    quarantined = [found for found in done["problems"] if found["outcome"] == "quarantined"]
    assert [(found["key"], found["detail"]) for found in quarantined] == [
        ("row:a", "“undefined” is no session id."),
        ("row:b", "“{'x': 1}” is no session id."),
    ]
    assert command("datamigrate", "verify", NAME)[0] == 0


def test_a_run_that_stops_early_leaves_the_rest_waiting_and_verifies() -> None:
    stage(*[document(n="N", e=A, s=f"s-{number}", t=1) for number in range(6)])
    code, done = command("datamigrate", "run", NAME, "--limit", "4", "--batch-size", "2")
    assert (code, done["outcomes"]["applied"]) == (0, 4)
    code, verified = command("datamigrate", "verify", NAME)
    assert (code, wrong(verified)) == (0, {})
    assert command("datamigrate", "run", NAME)[1]["outcomes"]["applied"] == 2


def test_health_tells_what_is_staged_and_what_is_there() -> None:
    stage(document(n="N", e=A, t=1), document(n="N", e=A, i=B, a="edit"), document(s=None))
    command("datamigrate", "run", NAME)
    _, health = command("datamigrate", "health")
    assert (
        health["migrations"][NAME].items()
        >= {
            "rows": 3,
            "rows_without_session": 1,
            "legacy_sessions": 1,
            "sessions": 1,
        }.items()
    )

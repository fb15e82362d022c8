"""The evidence of a run, as a file that proves itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrations_tools.evidence.bundle import check_bundle
from tests.migrations_tools.api.requests import ROOT, Caller, problem
from tests.migrations_tools.engine.test_running import carry, stage
from tests.migrations_tools.people import person


@pytest.mark.django_db(transaction=True)
def test_a_report_is_the_signed_evidence_of_its_run_for_those_who_may_see_it(
    tmp_path: Path,
) -> None:
    stage(2)
    run = carry()["run"]
    auditor = Caller(person("auditor", "view_run"))
    for accepted in ("application/zip", "*/*"):
        answer = auditor.client.get(f"{ROOT}runs/{run}/report/", HTTP_ACCEPT=accepted)
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
    assert answer["Content-Disposition"] == f'attachment; filename="run-{run}.zip"'
    (tmp_path / "report.zip").write_bytes(answer.content)
    checked = check_bundle(tmp_path / "report.zip")
    assert (checked["ok"], checked["run"]) == (True, run)

    guest = Caller(person("guest"))
    assert problem(guest.get(f"runs/{run}/report/")) == (404, "not_found")
    assert problem(auditor.get("runs/nobody/report/")) == (404, "unknown_run")
    assert Caller(None).get(f"runs/{run}/report/").status_code == 401

"""What is kept is English, whatever language the page has that asked for it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from migrations_tools.evidence import evidence_of, write_bundle
from migrations_tools.evidence_language import in_evidence_language
from migrations_tools.exceptions import ImportRefused, PermissionRefused, TransitionRefused
from migrations_tools.models import Check, LegacyImport, Notice, Transition
from migrations_tools.services import runs
from migrations_tools.services.actors import require, system_user
from migrations_tools.services.notices import gather_notices
from migrations_tools.services.queued_imports import queue_imports, work_on_import
from migrations_tools.services.verification import verify_run
from tests.migrations_tools.imports.importing import lines
from tests.migrations_tools.people import person
from tests.migrations_tools.verification.shop import actor, carry, stage

pytestmark = pytest.mark.django_db(transaction=True)


def arabic(kept: object) -> bool:
    return any("\u0600" <= letter <= "\u06ff" for letter in json.dumps(kept, ensure_ascii=False))


def test_a_page_in_arabic_is_told_in_arabic_and_leaves_english_evidence(settings: Any) -> None:
    settings.CARRYOVER_NOTICE_URLS = ["json://127.0.0.1:9/"]
    stage(2)
    stage(1, day=None)
    with translation.override("ar"):
        run = carry()
        with pytest.raises(TransitionRefused) as refused:
            runs.pause_run(run, **actor())
        with pytest.raises(PermissionRefused) as forbidden:
            require(person("dana"), "rollback", surface="admin", run=run)
        assert verify_run(run, **actor())["ok"]
        gather_notices()
    assert refused.value.code == "transition_refused"
    assert arabic(refused.value.message)
    assert arabic(forbidden.value.message)
    transitions = [
        (each.action, each.reason, each.details) for each in Transition.objects.filter(run=run)
    ]
    assert "refused" in [action for action, *_ in transitions]
    checks = [(check.title, check.sample) for check in Check.objects.all()]
    notices = [(notice.title, notice.body) for notice in Notice.objects.all()]
    assert checks
    assert notices
    run.refresh_from_db()
    assert not arabic([transitions, checks, notices, run.state_reason])


def test_a_bundle_asked_for_in_arabic_is_english(tmp_path: Path) -> None:
    stage(2)
    run = carry()
    path = tmp_path / "evidence.zip"
    with translation.override("ar"):
        write_bundle(evidence_of(run), path)
    with zipfile.ZipFile(path) as bundle:
        told = [bundle.read(name).decode() for name in ("evidence.json", "report.html")]
    assert "applied" in told[0]
    assert not arabic(told)


def test_rejected_lines_are_kept_in_english_and_refused_files_told_in_arabic(
    settings: Any, tmp_path: Path
) -> None:
    settings.CARRYOVER_HOME = tmp_path / "home"
    who: dict[str, Any] = {"acting_user": system_user(), "surface": "admin"}
    file = lines(tmp_path / "contest.jsonl", {"_id": "c1"}, "no object")
    other = tmp_path / "contest.pdf"
    other.write_bytes(b"%PDF-1.4 and more")
    with translation.override("ar"):
        queue_imports("contest_sessions", [file], **who)
        work_on_import()
        with pytest.raises(ImportRefused) as refused:
            queue_imports("contest_sessions", [other], **who)
    kept = LegacyImport.objects.get().rejected_lines.values_list("detail", flat=True)
    assert len(kept) == 1
    assert not arabic(list(kept))
    assert "PDF" in refused.value.message
    assert arabic(refused.value.message)


def test_the_language_of_the_page_comes_back() -> None:
    languages: list[str | None] = []
    with translation.override("ar"):
        in_evidence_language(lambda: languages.append(translation.get_language()))()
        languages.append(translation.get_language())
    assert languages == ["en", "ar"]


def test_a_thread_forgets_the_language_of_its_last_page(client: Client) -> None:
    page = client.get("/admin/login/", headers={"accept-language": "ar"})
    assert 'lang="ar"' in page.content.decode()
    assert translation.get_language() == "en"

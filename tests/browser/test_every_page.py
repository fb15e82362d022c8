"""Every page of the engine, in every way people look at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import get_resolver, reverse

from migrations_tools.imports.service import import_legacy
from migrations_tools.models import Cutover, Mismatch, QueuedImport, Run
from migrations_tools.services import runs
from migrations_tools.services.cutover import change_stage
from migrations_tools.services.rollback import roll_back_run
from migrations_tools.services.uploads import receive_upload
from migrations_tools.services.verification import verify_run
from sessions_app.models import LegacyContestSession
from tests.migrations_tools import rows
from tests.migrations_tools.engine.test_running import actor, stage
from tests.shop.models import Order

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

#: Addresses that show no page of their own: files, parts of pages, what only takes a form, and
#: what leads on to another page.
NO_PAGES: Final = {
    "import_commit",
    "import_drop",
    "import_progress",
    "import_rejected_csv",
    "import_rejected_txt",
    "migrations_tools_cutover_change",
    "migrations_tools_legacyimport_add",
    "migrations_tools_run_backup",
    "migrations_tools_run_evidence",
    "migrations_tools_run_live",
    "migrations_tools_run_problems_csv",
    "migrations_tools_run_tune",
}
#: What Django has for every model; nothing here can be added, changed or deleted by a form.
OF_DJANGO: Final = ("_add", "_delete", "_history")
DOCUMENTS: Final = b'{"_id": "a", "user": "bob", "score": 1}\n{"_id": "b"}\n{"broken"\n'


@pytest.fixture
def operator(settings: Any, tmp_path: Path) -> User:
    settings.CARRYOVER_HOME = tmp_path / "home"
    return User.objects.create_superuser("amal")


def own_pages(operator: User, folder: Path) -> dict[str, str]:
    """Pages that are our own, with something on each of them."""
    stage(60, line="a line")
    stage(3, day=None)
    stage(2, kind="unsure")
    run = runs.start_run("carry_orders", tuning={"batch_size": 8}, reason="the first", **actor())
    assert run is not None
    runs.work_run(run)
    verify_run(run, **actor())
    item = run.review_items.earliest("pk")
    Order.objects.filter(number="A0").update(total="99.00")
    rollback = roll_back_run(run, reason="a test", **actor())
    assert rollback is not None
    runs.work_run(rollback)
    again = runs.start_run("carry_orders", tuning={"batch_size": 8}, **actor())
    assert again is not None
    change_stage("collaboration", "dual_write", reason="it opens", **actor())
    mismatch = Mismatch.objects.create(
        cutover=Cutover.objects.get(key="collaboration"),
        operation="list",
        subject="olga",
        digest="d",
        legacy={"title": "a"},
        new={"title": "b"},
    )
    path = folder / "contest.jsonl"
    path.write_bytes(DOCUMENTS)
    by: dict[str, Any] = {"acting_user": operator, "surface": "admin"}
    upload = receive_upload("contest_sessions", [DOCUMENTS], file_name=path.name, **by)
    [imported] = import_legacy("contest_sessions", [path], **by)
    staged = LegacyContestSession.objects.earliest("pk")
    asked: dict[str, list[Any]] = {
        "run_changelist": [],
        "run_change": [run.pk],
        "run_change plan": [run.plan_id],
        "run_change active": [again.pk],
        "run_problems": [run.pk],
        "run_problems conflict": [rollback.pk],
        "run_changes": [run.pk],
        "run_verification": [run.pk],
        "run_transitions": [run.pk],
        "run_do": [again.pk, "pause"],
        "run_do force": [run.pk, "force"],
        "run_waive": [run.pk],
        "run_governor": [],
        "run_definitions": [],
        "run_definition": ["carry_orders"],
        "reviewitem_changelist": [],
        "reviewitem_change": [item.pk],
        "reviewitem_decide": [item.pk, "choose"],
        "reviewitem_decide_all": [run.pk, "skip"],
        "cutover_changelist": [],
        "cutover_key": ["collaboration"],
        "cutover_move": ["collaboration", "shadow"],
        "cutover_rules": ["collaboration"],
        "cutover_explain": [mismatch.pk],
        "legacyimport_change": [imported.pk],
        "import_kinds": [],
        "import_new": ["contest_sessions"],
        "import_upload": [upload.pk],
        "import_compare": ["enrich_contest_sessions", 0, staged.key],
    }
    return {name: address(name.partition(" ")[0], *arguments) for name, arguments in asked.items()}


def plain_pages() -> Iterator[tuple[str, str]]:
    """Lists and rows as Django shows them, in our clothes."""
    rows.make_one_of_each(1)
    for model in admin.site._registry:
        name = model._meta.model_name
        if model._meta.app_label != "migrations_tools" or name == "cutover":
            continue
        found = model._default_manager.order_by("pk").first()
        assert found is not None
        yield f"{name}_changelist", address(f"{name}_changelist")
        if model is not Run:
            yield f"{name}_change", address(f"{name}_change", found.pk)


def address(name: str, *arguments: Any) -> str:
    full = name if name.startswith("import_") else f"migrations_tools_{name}"
    return reverse(f"admin:{full}", args=arguments)


def addresses(patterns: Any) -> Iterator[str]:
    """Names of all addresses of the engine's admin."""
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from addresses(pattern.url_patterns)
        elif (pattern.name or "").startswith(("migrations_tools_", "import_")):
            yield pattern.name


def test_every_page_is_readable_everywhere(
    operator: User, looks: Any, assert_accessible: Any, tmp_path: Path
) -> None:
    own = own_pages(operator, tmp_path)
    plain = dict(plain_pages())
    seen = {name.partition(" ")[0] for name in [*own, *plain]}
    expected = {
        name.removeprefix("migrations_tools_")
        for name in addresses(get_resolver().url_patterns)
        if name not in NO_PAGES and not name.endswith(OF_DJANGO)
    }
    assert seen == expected
    for name, path in own.items():
        looks(operator, path, name=name.replace(" ", "-"), check=assert_accessible)
    for name, path in sorted(plain.items() - own.items()):
        looks(operator, path, name=name, check=assert_accessible, only=("light", "arabic-phone"))
    assert QueuedImport.objects.filter(state="uploaded").count() == 1  # looking changes nothing

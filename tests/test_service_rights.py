"""Every service that changes something, and what it asks of whoever acts.

The tables here are held against the services as they are: one that is missing fails the test, so
whoever adds a service says here which permission it asks.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

import pytest
from django.contrib.auth.models import User

from guarantees.models import Supplier
from guarantees.services import (
    correcting,
    deciding,
    dictionaries,
    entries,
    many_decisions,
    workbook_uploads,
)
from guarantees.services import imports as workbooks
from guarantees.services import matching as names
from guarantees.services.actions import drafting, issuing, previewing
from guarantees.services.actions import many as many_actions
from guarantees.services.actions import sessions as action_sessions
from migrations_tools.definitions.registry import get_definition
from migrations_tools.exceptions import PermissionRefused
from migrations_tools.imports import service as importing
from migrations_tools.models import Mismatch, QueuedImport, Run, Transition
from migrations_tools.services import (
    cutover,
    governor,
    kept_backups,
    policies,
    queued_imports,
    rehearsal,
    requests,
    retention,
    retry,
    reviews,
    rollback,
    runs,
    schedules,
    trial,
    uploads,
    verification,
)
from migrations_tools.states import Surface
from sessions_app.models import Problem, Session
from sessions_app.services import projects, registers, words
from tests.migrations_tools.people import person

pytestmark = pytest.mark.django_db

APPS: Final = ("migrations_tools", "guarantees", "sessions_app")
NAME: Final = "carry_orders"
Deed = Callable[..., object]


def a_run(state: str = "completed") -> Run:
    return Run.objects.create(
        definition=NAME, version=1, kind="apply", state=state, actor=User.objects.get(username="a")
    )


def an_upload(kind: str) -> QueuedImport:
    return QueuedImport.objects.create(
        kind=kind, file_name="f", stored="s", state="uploaded", surface="admin", size=0,
        actor=User.objects.get(username="nobody"),
    )  # fmt: skip


def a_schedule() -> int:
    keeper, _ = User.objects.get_or_create(username="keeper", is_superuser=True)
    made: Any = schedules.schedule(
        "purge", None, at="0 2 * * *", acting_user=keeper, surface="command"
    )
    return int(made.pk)


ACT: Any = SimpleNamespace(action_type="extension")

#: Service → the permission it asks, and how it is called. Arguments are never looked at: who may
#: not act is refused before.
ASKED: Final[dict[Deed, tuple[str, Deed]]] = {
    cutover.change_stage: (
        "cutover",
        lambda **who: cutover.change_stage("x", "off", reason="r", **who),
    ),
    cutover.change_rules: (
        "cutover",
        lambda **who: cutover.change_rules(
            "x", reason="r", mismatch_budget=0, latency_budget_ms=1, ignored=[], **who
        ),
    ),
    cutover.explain_mismatch: (
        "cutover",
        lambda **who: cutover.explain_mismatch(Mismatch(), explanation="e", **who),
    ),
    cutover.waive_key: ("waive", lambda **who: cutover.waive_key(a_run(), "1", reason="r", **who)),
    governor.stop_all_runs: ("run", lambda **who: governor.stop_all_runs(reason="", **who)),
    governor.let_runs_go: ("run", governor.let_runs_go),
    policies.approve_run: ("approve", lambda **who: policies.approve_run(a_run(), **who)),
    importing.import_legacy: (
        "import",
        lambda **who: importing.import_legacy("collaboration", [], **who),
    ),
    importing.preview_file: (
        "import",
        lambda **who: importing.preview_file("collaboration", Path("f"), **who),
    ),
    queued_imports.queue_imports: (
        "import",
        lambda **who: queued_imports.queue_imports("collaboration", [], **who),
    ),
    rehearsal.plan_run: ("run", lambda **who: rehearsal.plan_run(NAME, **who)),
    rehearsal.dry_run: ("run", lambda **who: rehearsal.dry_run(NAME, **who)),
    requests.request_run: ("run", lambda **who: requests.request_run(NAME, "plan", **who)),
    requests.request_rollback: (
        "rollback",
        lambda **who: requests.request_rollback(a_run(), reason="", **who),
    ),
    retention.backup_run: (
        "purge",
        lambda **who: retention.backup_run(a_run(), Path("/"), **who),
    ),
    retention.purge_run: ("purge", lambda **who: retention.purge_run(a_run(), reason="", **who)),
    retention.purge_while_waiting: (
        "purge",
        lambda **who: retention.purge_while_waiting(a_run(), reason="", **who),
    ),
    kept_backups.keep_backup: ("purge", lambda **who: kept_backups.keep_backup(a_run(), **who)),
    kept_backups.kept_backups: ("purge", lambda **who: kept_backups.kept_backups(a_run(), **who)),
    kept_backups.kept_backup: (
        "purge",
        lambda **who: kept_backups.kept_backup(a_run(), "nonsense", **who),
    ),
    kept_backups.check_kept_backup: (
        "purge",
        lambda **who: kept_backups.check_kept_backup(a_run(), "nonsense", **who),
    ),
    retention.erase_personal: (
        "purge",
        lambda **who: retention.erase_personal(a_run(), ["1"], reason="", **who),
    ),
    retry.retry_run: ("run", lambda **who: retry.retry_run(a_run(), [], **who)),
    reviews.decide: ("review", lambda **who: reviews.decide(a_run(), "nonsense", [], **who)),
    rollback.roll_back_run: (
        "rollback",
        lambda **who: rollback.roll_back_run(a_run(), reason="", **who),
    ),
    rollback.rehearse_rollback: (
        "rollback",
        lambda **who: rollback.rehearse_rollback(a_run(), **who),
    ),
    runs.start_run: ("run", lambda **who: runs.start_run(NAME, **who)),
    runs.pause_run: ("run", lambda **who: runs.pause_run(a_run(), **who)),
    runs.cancel_run: ("run", lambda **who: runs.cancel_run(a_run(), **who)),
    runs.tune_run: ("run", lambda **who: runs.tune_run(a_run(), {}, **who)),
    runs.resume_run: ("run", lambda **who: runs.resume_run(a_run(), **who)),
    schedules.schedule: (
        "purge",
        lambda **who: schedules.schedule("purge", None, at="nonsense", **who),
    ),
    schedules.reschedule: (
        "purge",
        lambda **who: schedules.reschedule(a_schedule(), at="nonsense", **who),
    ),
    schedules.remove_schedule: (
        "purge",
        lambda **who: schedules.remove_schedule(a_schedule(), **who),
    ),
    schedules.unschedule: ("run", lambda **who: schedules.unschedule("run", NAME, **who)),
    trial.rehearse_run: ("run", lambda **who: trial.rehearse_run(NAME, **who)),
    uploads.receive_upload: (
        "import",
        lambda **who: uploads.receive_upload("collaboration", [], file_name="f", **who),
    ),
    uploads.preview_upload: (
        "import",
        lambda **who: uploads.preview_upload(an_upload("collaboration"), **who),
    ),
    uploads.commit_upload: (
        "import",
        lambda **who: uploads.commit_upload(an_upload("collaboration"), **who),
    ),
    verification.verify_run: ("run", lambda **who: verification.verify_run(a_run(), **who)),
    verification.verify_definition: (
        "run",
        lambda **who: verification.verify_definition(NAME, **who),
    ),
    verification.request_verifications: (
        "run",
        lambda **who: verification.request_verifications(get_definition(NAME), **who),
    ),
    verification.request_verification: (
        "run",
        lambda **who: verification.request_verification(a_run("queued"), **who),
    ),
    # ------------------------------------------------------------------------------- guarantees
    drafting.draft_action: ("add_guaranteeaction", lambda **who: drafting.draft_action(ACT, **who)),
    drafting.edit_draft: (
        "change_guaranteeaction",
        lambda **who: drafting.edit_draft(1, ACT, **who),
    ),
    drafting.discard_draft: (
        "delete_guaranteeaction",
        lambda **who: drafting.discard_draft(1, **who),
    ),
    issuing.issue_action: ("add_guaranteeaction", lambda **who: issuing.issue_action(ACT, **who)),
    issuing.issue_draft: ("change_guaranteeaction", lambda **who: issuing.issue_draft(1, **who)),
    many_actions.preview_many: (
        "add_guaranteeaction",
        lambda **who: many_actions.preview_many(ACT, **who),
    ),
    many_actions.issue_many: (
        "add_guaranteeaction",
        lambda **who: many_actions.issue_many(ACT, **who),
    ),
    previewing.preview_action: (
        "add_guaranteeaction",
        lambda **who: previewing.preview_action(ACT, **who),
    ),
    previewing.preview_draft: (
        "change_guaranteeaction",
        lambda **who: previewing.preview_draft(1, **who),
    ),
    action_sessions.lock_action_session: (
        "change_actionsession",
        lambda **who: action_sessions.lock_action_session(1, **who),
    ),
    correcting.correct_guarantee: (
        "change_guarantee",
        lambda **who: correcting.correct_guarantee(1, {}, **who),
    ),
    deciding.decide_names: (
        "change_guarantee",
        lambda **who: deciding.decide_names(1, supplier_id=1, bank_id=1, **who),
    ),
    dictionaries.add_row: ("add_supplier", lambda **who: dictionaries.add_row(Supplier, {}, **who)),
    dictionaries.change_row: (
        "change_supplier",
        lambda **who: dictionaries.change_row(Supplier, 1, {}, **who),
    ),
    dictionaries.remove_row: (
        "delete_supplier",
        lambda **who: dictionaries.remove_row(Supplier, 1, **who),
    ),
    entries.enter_guarantee: ("add_guarantee", lambda **who: entries.enter_guarantee({}, **who)),
    entries.preview_entry: ("add_guarantee", lambda **who: entries.preview_entry({}, **who)),
    entries.paste_guarantees: ("add_guarantee", lambda **who: entries.paste_guarantees("", **who)),
    entries.preview_pasted: ("add_guarantee", lambda **who: entries.preview_pasted("", **who)),
    workbooks.preview_workbook: (
        "add_guarantee",
        lambda **who: workbooks.preview_workbook(Path("f"), **who),
    ),
    workbooks.import_workbook: (
        "add_guarantee",
        lambda **who: workbooks.import_workbook(Path("f"), **who),
    ),
    many_decisions.decide_many: (
        "change_guarantee",
        lambda **who: many_decisions.decide_many("bank", [], **who),
    ),
    names.decide_supplier: ("change_guarantee", lambda **who: names.decide_supplier(1, 1, **who)),
    names.decide_bank: ("change_guarantee", lambda **who: names.decide_bank(1, 1, **who)),
    names.decide_name: ("change_guarantee", lambda **who: names.decide_name("bank", 1, 1, **who)),
    names.decide_as_new: (
        "change_guarantee",
        lambda **who: names.decide_as_new("bank", 1, name="n", **who),
    ),
    names.preview_decision: (
        "change_guarantee",
        lambda **who: names.preview_decision("bank", 1, 1, **who),
    ),
    workbook_uploads.receive_workbook: (
        "add_guarantee",
        lambda **who: workbook_uploads.receive_workbook([], file_name="f", **who),
    ),
    workbook_uploads.preview_upload: (
        "add_guarantee",
        lambda **who: workbook_uploads.preview_upload(an_upload("guarantee_workbook"), **who),
    ),
    workbook_uploads.commit_workbook: (
        "add_guarantee",
        lambda **who: workbook_uploads.commit_workbook(an_upload("guarantee_workbook"), **who),
    ),
    # ----------------------------------------------------------------------------- sessions_app
    projects.create_project: ("add_project", lambda **who: projects.create_project({}, **who)),
    projects.update_project: (
        "change_project",
        lambda **who: projects.update_project(UUID(int=1), {}, **who),
    ),
    projects.delete_project: (
        "delete_project",
        lambda **who: projects.delete_project(UUID(int=1), **who),
    ),
    registers.add_row: ("add_problem", lambda **who: registers.add_row(Problem, {}, **who)),
    registers.change_row: (
        "change_problem",
        lambda **who: registers.change_row(Problem, 1, {}, **who),
    ),
    registers.remove_row: (
        "delete_problem",
        lambda **who: registers.remove_row(Problem, 1, **who),
    ),
    words.change_words: (
        "change_agentsession",
        lambda **who: words.change_words(Session(kind="agent"), {}, **who),
    ),
}

#: Services that ask whose the thing is instead, and the tests of what they refuse.
WHOSE: Final = {
    "migrations_tools.services.uploads": ("drop_upload",),  # below
    "sessions_app.services.agent_sessions.lifecycle": (
        "start_session",
        "end_session",
        "recover_session",
        "time_out_sessions",
    ),
    "sessions_app.services.agent_sessions.events": ("record_event",),
    "sessions_app.services.agent_sessions.switching": ("switch_project", "assign_by_name"),
    "sessions_app.services.collaboration.acting": (
        "create_session",
        "edit_session",
        "invite",
        "accept_invitation",
        "leave_session",
        "remove_participant",
        "change_role",
        "transfer_ownership",
        "archive_session",
        "restore_session",
        "delete_session",
    ),
    "sessions_app.services.contest_sessions": ("save_contest_session",),
    "sessions_app.services.lessons.attending": ("check_in", "record_attendance", "give_feedback"),
    "sessions_app.services.lessons.booking": (
        "book_lesson",
        "cancel_booking",
        "confirm_booking",
    ),
    "sessions_app.services.lessons.creating": ("create_lesson",),
    "sessions_app.services.lessons.credits": ("adjust_credits",),
    "sessions_app.services.lessons.reviewing": ("review_performance", "change_review"),
    "sessions_app.services.lessons.updating": (
        "update_lesson",
        "change_lesson_status",
        "delete_lesson",
    ),
    "sessions_app.services.semesters": (
        "create_semester",
        "update_semester",
        "create_cohort",
        "rename_cohort",
        "delete_semester",
        "delete_cohort",
    ),
}

#: Parts of the services above, called after they asked.
PARTS: Final = {
    "migrations_tools.services.queueing": ("queue_run",),
    "migrations_tools.services.policies": ("await_approval",),
    "migrations_tools.services.rehearsal": ("forecast", "try_out", "rehearsing"),
    "migrations_tools.services.rollback": ("queue_rollback", "try_undoing"),
    "migrations_tools.imports.service": ("refuse_unreadable",),
    "migrations_tools.services.uploads": ("waiting_path",),
    "guarantees.services.actions.drafting": ("insert_draft",),
    "guarantees.services.matching": ("require_deciding",),
    "sessions_app.services.agent_sessions.changes": ("save",),
    "sessions_app.services.agent_sessions.permissions": (
        "require_work_on",
        "require_work_on_all",
    ),
    "sessions_app.services.agent_sessions.projects": ("resolve_project",),
    "sessions_app.services.lessons.common": ("refusals_on_record",),
}


def services() -> Iterator[Deed]:
    """Functions of the services that are told who acts, and on which surface."""
    modules = ["migrations_tools.imports.service"]
    for app in APPS:
        package = importlib.import_module(f"{app}.services")
        found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        modules += [module.name for module in found]
    for name in modules:
        for function in vars(importlib.import_module(name)).values():
            meant = inspect.unwrap(function) if inspect.isroutine(function) else None
            if meant is None or meant.__module__ != name or meant.__name__.startswith("_"):
                continue
            if {"acting_user", "surface"} <= inspect.signature(meant).parameters.keys():
                yield function


def test_every_service_says_here_what_it_asks() -> None:
    found = {f"{each.__module__}.{each.__name__}" for each in services()}
    named = {f"{each.__module__}.{each.__name__}" for each in ASKED}
    for table in (WHOSE, PARTS):
        named |= {f"{module}.{name}" for module, functions in table.items() for name in functions}
    assert found == named


def test_nobody_without_the_permission_gets_past_a_service_and_the_attempt_is_kept() -> None:
    User.objects.create_user("a")
    nobody = person("nobody")
    for service, (permission, call) in ASKED.items():
        named = f"{service.__module__}.{service.__name__}"
        before = Transition.objects.filter(action="refused").count()
        with pytest.raises(PermissionRefused) as refused:
            call(acting_user=nobody, surface=Surface.API)
        assert refused.value.fields["permission"] == permission, named
        kept = Transition.objects.filter(action="refused", actor=nobody).order_by("-pk")
        assert kept.count() == before + 1, named
        assert (kept[0].details["permission"], kept[0].surface) == (permission, "api"), named


def test_nobody_rehearses_who_could_not_take_the_rehearsal_back() -> None:
    with pytest.raises(PermissionRefused) as refused:
        trial.rehearse_run(NAME, acting_user=person("ali", "run"), surface=Surface.COMMAND)
    assert refused.value.fields["permission"] == "rollback"
    assert not Run.objects.exists()


def test_an_upload_is_dropped_and_confirmed_by_who_sent_it_only() -> None:
    nobody, other = person("nobody"), person("other", "import")
    upload = an_upload("collaboration")
    for deed in (uploads.preview_upload, uploads.commit_upload, uploads.drop_upload):
        with pytest.raises(uploads.UnknownUpload):
            deed(upload, acting_user=other, surface=Surface.API)
    upload.refresh_from_db()
    assert upload.state == "uploaded"
    uploads.drop_upload(upload, acting_user=nobody, surface=Surface.API)
    upload.refresh_from_db()
    assert upload.state == "dropped"

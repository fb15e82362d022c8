"""Every operation of the API, asked by people of each group (tests/api_rights.py)."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cache
from typing import Any, Final

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, User
from django.core.cache import cache as throttles
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from knox.models import AuthToken
from rest_framework.test import APIClient
from rest_framework.throttling import SimpleRateThrottle

from guarantees.models import BankAlias, SupplierAlias, SupplierOverride
from migrations_tools.engine.transitions import record_action
from migrations_tools.models import (
    Cutover,
    LegacyImport,
    Mismatch,
    QueuedImport,
    ReviewItem,
    Run,
)
from migrations_tools.services.actors import system_user
from migrations_tools.services.kept_backups import folder
from migrations_tools.services.schedules import schedule
from sessions_app.models import LegacyContestSession, PerformanceReview, Profile, Role
from tests.api_rights import ANYBODY, OPEN, PRIVATE, RIGHT_OF, expected_refusal
from tests.docs.test_rights import GROUPS, documented
from tests.guarantees.factories import (
    ActionSessionFactory,
    BankFactory,
    GuaranteeActionFactory,
    GuaranteeFactory,
    ImportBatchFactory,
    SupplierFactory,
)
from tests.sessions_app import academy
from tests.sessions_app.factories import ContestResultFactory, ProjectFactory, SessionFactory
from tests.sessions_app.lesson_factories import CohortFactory

pytestmark = pytest.mark.django_db

METHODS: Final = ("get", "post", "put", "patch", "delete")
#: Statuses of what somebody may: done, or refused for what it is and not for who asks.
MAY: Final = {200, 201, 202, 204, 400, 409, 412, 422}
#: Statements that write anything but the record of a refusal, or when a token was last used.
_WRITES: Final = re.compile(
    r'\s*(INSERT INTO|UPDATE|DELETE FROM) "(?!migrations_tools_transition"|knox_)'
)
_DOCUMENT: Final = {"_id": "c1", "user": "u", "username": "sam", "problems_attempted": []}


@cache
def operations() -> list[tuple[str, str, str]]:
    """Operation id, method and address with its parameters in braces."""
    described: Any = SchemaGenerator().get_schema(public=True)
    return [
        (item[method]["operationId"], method, path)
        for path, item in described["paths"].items()
        for method in METHODS
        if method in item
    ]


class World:
    """One object of each kind, of nobody who asks; and what a request needs to be looked at."""

    def __init__(self) -> None:
        nobody = User.objects.create_user("owner")
        run = Run.objects.create(
            definition="carry_orders", version=1, kind="apply", state="completed",
            actor=system_user(), started_at=timezone.now(), finished_at=timezone.now(),
        )  # fmt: skip
        item = ReviewItem.objects.create(run=run, step=0, key="1", proposal={}, evidence={})
        cutover = Cutover.objects.create(key="collaboration")
        mismatch = Mismatch.objects.create(
            cutover=cutover, operation="list", subject="s", legacy={}, new={}
        )
        imported = LegacyImport.objects.create(
            kind="contest_sessions", file_name="f", size=1, sha256="", actor=nobody
        )
        upload = QueuedImport.objects.create(
            kind="contest_sessions", file_name="f", stored="", size=1, sha256="", actor=nobody,
            state=QueuedImport.State.UPLOADED,
        )  # fmt: skip
        LegacyContestSession.objects.create(key="c1", document=_DOCUMENT, line="{}")
        keep_file(run)
        who: Any = {"acting_user": system_user(), "surface": "command"}
        task = schedule("run", "carry_orders", at="0 2 * * *", **who)
        start = timezone.now() + timedelta(days=3)
        draft_term = academy.semester(status="draft")  # those of others are hidden
        lesson = academy.lesson(starts_at=start, semester=draft_term)
        student = academy.student()
        booking = academy.confirmed(lesson, student)
        review = PerformanceReview.objects.create(lesson=lesson, student=student, score=3)
        cohort = CohortFactory.create(semester=draft_term)
        project = ProjectFactory.create()
        agent = SessionFactory.create(kind="agent", user=nobody, status="active")
        shared = SessionFactory.create(kind="collaboration", user=nobody)
        contest = ContestResultFactory.create(user=nobody).session
        supplier, bank = SupplierFactory.create(), BankFactory.create()
        guarantee = GuaranteeFactory.create()
        draft = GuaranteeActionFactory.create(guarantee=guarantee, status="draft")
        self.ids: dict[str, dict[str, Any]] = {
            "data-migrations": {"name": "enrich_contest_sessions"},
            "runs": {"run": run.pk, "file": "backup.jsonl.gz"},
            "reviews": {"number": item.pk},
            "cutovers": {"key": cutover.key, "number": mismatch.pk},
            "legacy-imports": {"number": imported.pk},
            "legacy-imports/uploads": {"number": upload.pk},
            "import-batches": {"id": ImportBatchFactory.create().pk},
            "import-batches/uploads": {"id": upload.pk},
            "schedules": {"number": task.pk},
            "lessons": {"lesson": lesson.pk, "review": review.pk},
            "bookings": {"booking": booking.pk},
            "semesters": {"semester": lesson.semester_id},
            "cohorts": {"cohort": cohort.pk},
            "projects": {"project_id": project.pk},
            "agent-sessions": {"session_id": agent.session_id},
            "sessions": {"session_id": shared.session_id, "email": "a@example.com"},
            "contest-sessions": {"session_id": contest.session_id},
            "progress": {"username": nobody.username},
            "guarantees": {"id": guarantee.pk},
            "actions": {"id": draft.pk},
            "action-sessions": {"id": ActionSessionFactory.create().pk},
            "suppliers": {"id": supplier.pk},
            "banks": {"id": bank.pk},
            "supplier-aliases": {
                "id": SupplierAlias.objects.create(supplier=supplier, name="a").pk
            },
            "supplier-overrides": {
                "id": SupplierOverride.objects.create(supplier=supplier, name="o").pk
            },
            "bank-aliases": {"id": BankAlias.objects.create(bank=bank, name="a").pk},
        }
        soon = start.isoformat()
        self.bodies: dict[str, Any] = {
            "runs_create": {"migration": "carry_orders", "kind": "plan"},
            "runs_rollback": {"reason": "x"},
            "runs_tune": {"workers": 1},
            "runs_waive": {"key": "1", "reason": "x"},
            "runs_purge": {"reason": "x"},
            "runs_erase": {"keys": ["1"], "reason": "x"},
            "reviews_decide": {"decision": "skip"},
            "reviews_decide_many": {"run": str(run.pk), "decision": "skip"},
            "cutovers_change": {"stage": "dual_write", "reason": "x"},
            "cutovers_rules_change": {
                "mismatch_budget": 0.1, "latency_budget_ms": 5, "ignored": [], "reason": "x",
            },
            "cutovers_mismatches_explain": {"explanation": "x"},
            "governor_stop": {"reason": "x"},
            "schedules_create": {"deed": "run", "migration": "carry_orders", "at": "0 2 * * *"},
            "schedules_change": {"at": "0 3 * * *"},
            "agent_sessions_switch": {"project": str(project.pk)},
            "agent_sessions_assign": {"name": project.name},
            "agent_sessions_events_create": {"event_type": "x", "actor": "ai"},
            "projects_create": {"name": "New"},
            "lessons_create": {
                "title": "T", "semester": lesson.semester_id, "starts_at": soon, "ends_at": soon,
            },
            "lessons_record_attendance": {"student": student.pk, "status": "late"},
            "lessons_change_status": {"status": "active"},
            "lessons_give_feedback": {"rating": 3},
            "lessons_performance_reviews_create": {"student": student.pk, "score": 3},
            "bookings_create": {"lesson": str(lesson.pk)},
            "bookings_record_attendance": {"status": "late"},
            "semesters_create": {
                "code": "N", "name": "N", "start_date": "2026-01-01", "end_date": "2026-02-01",
            },
            "cohorts_create": {"semester": lesson.semester_id, "name": "N"},
            "cohorts_update": {"name": "N"},
            "credits_adjust": {"student": student.pk, "amount": 1, "note": "x"},
            "sessions_create": {"title": "T"},
            "sessions_invite": {"email": "b@example.com", "role": "editor"},
            "sessions_participants_create": {"email": "b@example.com", "role": "editor"},
            "sessions_participants_update": {"role": "viewer"},
            "sessions_transfer": {"email": "b@example.com"},
            "actions_create": {"action_type": "release", "number": guarantee.number},
            "guarantees_match": {"supplier": supplier.pk},
            "guarantees_paste": {"text": "x"},
            "guarantees_paste_preview": {"text": "x"},
            "suppliers_create": {"name": "N"},
            "supplier_aliases_create": {"supplier": supplier.pk, "name": "n"},
            "supplier_overrides_create": {"supplier": supplier.pk, "name": "n"},
            "banks_create": {"name_en": "N"},
            "bank_aliases_create": {"bank": bank.pk, "name": "n"},
        }  # fmt: skip
        self.queries: dict[str, Any] = {
            "calendar_events": {"start": "2026-01-01", "end": "2026-01-31"},
            "data_migrations_compare": {"key": "c1"},
            "guarantees_history_of_number": {"number": guarantee.number},
            "actions_letters": {"ids": str(draft.pk)},
        }

    def address(self, path: str) -> str:
        """The address with ids of the objects."""
        words = path.removeprefix("/api/v1/").split("/")
        known = self.ids.get(words[0], {}) | self.ids.get("/".join(words[:2]), {})
        for name, value in known.items():
            path = path.replace(f"{{{name}}}", str(value))
        assert "{" not in path, path
        return path

    def ask(self, client: APIClient, operation: str, method: str, path: str) -> tuple[int, bool]:
        """The status, and whether anything was written; nothing of it stays."""
        body, form = self.bodies.get(operation, {}), "json"
        if operation in ("legacy_imports_upload", "import_batches_upload"):
            body, form = {"kind": "contest_sessions", "file": SimpleUploadedFile("a", b"{}")}, ""
        if method == "get":
            body = self.queries.get(operation)
        send: Any = getattr(client, method)
        arguments = {} if method == "get" else {"format": form or "multipart"}
        writes: list[str] = []
        # no block around it: some services want to be outside of any
        place = transaction.savepoint()
        with connection.execute_wrapper(_noting(writes)):
            answer = send(self.address(path), body, **arguments)
        wrote = bool(writes)
        transaction.savepoint_rollback(place)
        return answer.status_code, wrote


def keep_file(run: Run) -> None:
    """A backup that the server keeps; its content counts for nothing here."""
    folder().mkdir()
    (folder() / "backup.jsonl.gz").write_bytes(b"")
    counts = dict.fromkeys(("batch", "ledger", "change", "transition"), 0)
    record_action(
        run,
        action="backup",
        acting_user=system_user(),
        surface="command",
        details={"file": "backup.jsonl.gz", "sha256": "", **counts},
    )


def _noting(writes: list[str]) -> Any:
    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if _WRITES.match(str(sql)):
            writes.append(sql)
        return execute(sql, params, many, context)

    return note


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, settings: LazySettings, tmp_path_factory: Any) -> World:
    throttles.clear()
    rates = dict.fromkeys(SimpleRateThrottle.THROTTLE_RATES)
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", rates)
    settings.CARRYOVER_HOME = tmp_path_factory.mktemp("home")
    return World()


def people() -> dict[str, User]:
    """One person of each group, one of none, and a superuser."""
    found = {"nobody": User.objects.create_user("nobody", "nobody@example.com")}
    for group in GROUPS:
        found[group] = User.objects.create_user(group.lower(), f"{group}@example.com")
        found[group].groups.add(Group.objects.get(name=group))
    Profile.objects.create(user=found["Instructor"], role=Role.INSTRUCTOR)
    found["superuser"] = User.objects.create_superuser("boss", "boss@example.com")
    return found


def test_the_table_knows_every_operation() -> None:
    assert {name for name, _, _ in operations()} == set(RIGHT_OF) | OPEN


def test_every_operation_is_for_those_whom_the_page_of_rights_names(world: World) -> None:
    granted = documented()
    wrong = []
    for name, user in people().items():
        client = APIClient()
        token, _ = AuthToken.objects.create(user)
        client.force_authenticate(user, token)
        rights = {".".join(right) for right in granted.get(name, ())} | {ANYBODY}
        for operation, method, path in operations():
            if operation in OPEN:
                continue
            right = RIGHT_OF[operation]
            may = right in rights or (name == "superuser" and right != PRIVATE)
            status, wrote = world.ask(client, operation, method, path)
            expected = MAY if may else expected_refusal(operation, method, path)
            if status not in expected or (wrote and not may):
                wrong.append((name, operation, status, sorted(expected), wrote))
    assert wrong == []


def test_strangers_are_told_to_log_in(world: World) -> None:
    client = APIClient()
    answers = {
        operation: world.ask(client, operation, method, path)
        for operation, method, path in operations()
        if operation not in OPEN
    }
    assert set(answers.values()) == {(401, False)}

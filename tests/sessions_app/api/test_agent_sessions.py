"""``/api/v1/agent-sessions/`` and ``/api/v1/projects/`` (agents.md, docs/agent-sessions.md)."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from migrations_tools.models import Transition
from sessions_app.models import (
    UNASSIGNED_ID,
    ActivityEvent,
    AgentSession,
    Profile,
    Project,
    ProjectStatus,
)
from tests.sessions_app.api.asking import Caller, faults, refusal
from tests.sessions_app.factories import ProjectFactory, SessionFactory

pytestmark = pytest.mark.django_db

AGENTS = "/agent-sessions/"


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann", first_name="Ann", last_name="Lee")


@pytest.fixture
def bob() -> User:
    return User.objects.create_user("bob")


@pytest.fixture
def clerk() -> User:
    return User.objects.create_user("clerk", is_staff=True)


@pytest.fixture
def alpha() -> Project:
    return ProjectFactory.create(name="Alpha shop", is_primary=True)


@pytest.fixture
def beta() -> Project:
    return ProjectFactory.create(name="Beta")


def started(who: User, **values: Any) -> Any:
    return Caller(who).post(AGENTS, {"session_id": "a-1", "title": "Fix", **values})


def test_a_session_is_started_in_its_resolved_project_and_told(ann, alpha):
    answer = started(ann, metadata={"agent_type": "coder"})
    assert answer.status_code == 201
    assert answer["Location"] == "/api/v1/agent-sessions/a-1/"
    told = answer.json()
    times = {told.pop(name) for name in ("created_at", "started_at", "last_activity_at")}
    assert len(times) == 1
    assert told == {
        "session_id": "a-1",
        "title": "Fix",
        "description": "",
        "status": "active",
        "project": {"id": str(alpha.pk), "name": "Alpha shop"},
        "user": {"id": ann.pk, "name": "Ann Lee"},
        "ended_at": None,
        "metadata": {"agent_type": "coder"},
    }
    seen = Caller(ann).get(f"{AGENTS}a-1/")
    assert seen["ETag"] == answer["ETag"]
    assert Caller(ann).get(AGENTS).json()["results"] == [seen.json()]


def test_a_session_is_worked_on_switched_ended_and_recovered(ann, alpha, beta):
    caller = Caller(ann)
    started(ann)
    event = caller.post(
        f"{AGENTS}a-1/events/", {"event_type": "saved", "actor": "ai", "payload": {"file": "a.py"}}
    )
    assert event.status_code == 201
    assert event.json()["project"] == str(alpha.pk)
    listed = caller.get(f"{AGENTS}a-1/events/").json()
    assert listed == {"next": None, "previous": None, "results": [event.json()]}
    switched = caller.post(f"{AGENTS}a-1/switch/", {"project": str(beta.pk), "reason": "moves"})
    assert switched.json()["project"]["name"] == "Beta"
    again = caller.post(f"{AGENTS}a-1/switch/", {"project": str(beta.pk)})
    assert again.status_code == 200
    (switch,) = caller.get(f"{AGENTS}a-1/switches/").json()["results"]
    for name in ("started_at", "finished_at"):
        assert switch.pop(name)
    assert switch == {
        "from_project": {"id": str(alpha.pk), "name": "Alpha shop"},
        "to_project": {"id": str(beta.pk), "name": "Beta"},
        "state": "completed",
        "failure": "",
        "actor": {"id": ann.pk, "name": "Ann Lee"},
        "surface": "api",
        "reason": "moves",
    }
    named = caller.post(f"{AGENTS}a-1/assign/", {"name": "SHOP"})
    assert named.json()["project"]["name"] == "Alpha shop"
    ended = caller.post(f"{AGENTS}a-1/end/", {"status": "abandoned"})
    assert (ended.json()["status"], bool(ended.json()["ended_at"])) == ("abandoned", True)
    twice = caller.post(f"{AGENTS}a-1/end/")
    assert refusal(twice) == (409, "SESSION_ALREADY_ENDED")
    closed = caller.post(f"{AGENTS}a-1/switch/", {"project": str(beta.pk)})
    assert refusal(closed) == (409, "SESSION_ALREADY_ENDED")
    assert refusal(caller.post(f"{AGENTS}recover/")) == (409, "NOTHING_TO_RECOVER")
    started(ann, session_id="a-2")
    AgentSession.objects.filter(session_id="a-2").update(status="inactive", ended_at=timezone.now())
    recovered = caller.post(f"{AGENTS}recover/").json()
    assert (recovered["session_id"], recovered["status"], recovered["ended_at"]) == (
        "a-2", "active", None,
    )  # fmt: skip


def test_others_sessions_are_not_there_and_attempts_are_on_record(ann, bob, clerk, alpha):
    started(ann)
    stranger, staff = Caller(bob), Caller(clerk)
    deeds: list[tuple[str, Any]] = [
        ("end/", None),
        ("switch/", {"project": str(alpha.pk)}),
        ("assign/", {"name": "Alpha"}),
        ("events/", {"event_type": "x", "actor": "ai"}),
    ]
    before = Transition.objects.filter(action="refused", actor=bob).count()
    for deed, body in deeds:
        answer = stranger.post(f"{AGENTS}a-1/{deed}", body)
        assert refusal(answer) == (404, "SESSION_NOT_FOUND")
        assert Caller(None).post(f"{AGENTS}a-1/{deed}", body).status_code == 401
    assert Transition.objects.filter(action="refused", actor=bob).count() == before + len(deeds)
    for path in ("a-1/", "a-1/events/", "a-1/switches/", "%00/", "nothing/"):
        assert refusal(stranger.get(AGENTS + path)) == (404, "SESSION_NOT_FOUND")
    assert stranger.get(AGENTS).json()["count"] == 0
    for path in ("health/", "alerts/"):
        assert refusal(stranger.get(AGENTS + path)) == (403, "forbidden")
        assert staff.get(AGENTS + path).status_code == 200
    assert refusal(stranger.post(f"{AGENTS}time-out/")) == (403, "forbidden")
    assert refusal(started(bob, session_id="a-9", user=ann.pk)) == (403, "forbidden")
    assert staff.get(f"{AGENTS}a-1/").json()["user"]["name"] == "Ann Lee"
    assert staff.post(f"{AGENTS}a-1/end/").json()["status"] == "completed"
    theirs = staff.post(AGENTS, {"session_id": "a-3", "user": ann.pk})
    assert theirs.json()["user"]["id"] == ann.pk


def test_a_switch_that_is_sent_again_is_answered_again(ann, alpha, beta):
    started(ann, project=str(alpha.pk))
    caller = Caller(ann)
    for deed, there, back in (
        ("switch/", {"project": str(beta.pk)}, {"project": str(alpha.pk)}),
        ("assign/", {"name": "Beta"}, {"name": "Alpha"}),
    ):
        path = f"{AGENTS}a-1/{deed}"
        first = caller.post(path, there, Idempotency_Key=f"{deed} there")
        assert caller.post(path, back).json()["project"]["id"] == str(alpha.pk)
        again = caller.post(path, there, Idempotency_Key=f"{deed} there")
        assert (again.status_code, again.json()) == (200, first.json())
        assert again["Idempotent-Replayed"] == "true"
        assert AgentSession.objects.get().project == alpha
        assert refusal(caller.post(path, back, Idempotency_Key=f"{deed} there")) == (
            422,
            "idempotency_key_reused",
        )


def test_what_cannot_be_is_refused_and_changes_nothing(ann, alpha, beta):
    Project.objects.filter(pk=beta.pk).update(status=ProjectStatus.ARCHIVED)
    started(ann)
    caller = Caller(ann)
    ProjectFactory.create(name="Alpha lab")
    refused = {
        "taken": started(ann),
        "unknown": started(ann, session_id="a-2", project=str(uuid.uuid4())),
        "sentinel": started(ann, session_id="a-2", project=str(UNASSIGNED_ID)),
        "inactive": started(ann, session_id="a-2", project=str(beta.pk)),
        "ambiguous": caller.post(f"{AGENTS}a-1/assign/", {"name": "alpha"}),
        "nothing": caller.post(f"{AGENTS}a-1/assign/", {"name": "gamma"}),
    }
    assert {name: refusal(answer) for name, answer in refused.items()} == {
        "taken": (409, "SESSION_EXISTS"),
        "unknown": (404, "PROJECT_NOT_FOUND"),
        "sentinel": (404, "PROJECT_NOT_FOUND"),
        "inactive": (409, "PROJECT_INACTIVE"),
        "ambiguous": (409, "PROJECT_AMBIGUOUS"),
        "nothing": (404, "PROJECT_NOT_FOUND"),
    }
    matches = refused["ambiguous"].json()["error"]["details"]["matches"]
    assert [match["name"] for match in matches] == ["Alpha lab", "Alpha shop"]
    deep: Any = {}
    for _ in range(40):
        deep = {"a": deep}
    for values, field in (
        ({"session_id": "x" * 256}, "session_id"),
        ({"session_id": "a/b"}, "session_id"),
        ({"session_id": ""}, "session_id"),
        ({"title": "x" * 256}, "title"),
        ({"title": "\ud800"}, "title"),
        ({"project": "x"}, "project"),
        ({"user": 10**30}, "user"),
        ({"user": True}, "user"),
        ({"metadata": []}, "metadata"),
        ({"metadata": {"a": "\0"}}, "metadata"),
        ({"metadata": {"\ud800": 1}}, "metadata"),
        ({"metadata": deep}, "metadata"),
    ):
        assert field in faults(started(ann, **({"session_id": "a-4"} | values)))
    infinite = '{"session_id": "a-4", "metadata": {"a": 1e999}}'
    assert refusal(caller.post(AGENTS, infinite)) == (400, "parse_error")
    assert faults(caller.post(f"{AGENTS}a-1/end/", {"status": "active"})) == ["status"]
    assert faults(caller.post(f"{AGENTS}a-1/switch/", {})) == ["project"]
    wrong = {"event_type": " ", "actor": "robot", "payload": "x"}
    assert set(faults(caller.post(f"{AGENTS}a-1/events/", wrong))) == {
        "event_type", "actor", "payload",
    }  # fmt: skip
    assert AgentSession.objects.count() == 1


def test_lists_are_narrowed_searched_and_ordered(clerk, ann, alpha):
    Project.objects.ensure_unassigned()
    now = timezone.now()
    for number, values in enumerate(
        (
            {"user": ann, "project": alpha, "title": "Door"},
            {"project_id": UNASSIGNED_ID, "status": "completed"},
            {"title": "Window", "status": "inactive"},
        )
    ):
        SessionFactory.create(
            kind="agent", session_id=f"a-{number}", created_at=now,
            last_activity_at=now - timedelta(days=number), **values,
        )  # fmt: skip
    caller = Caller(clerk)

    def found(**query: Any) -> list[str]:
        told = caller.get(AGENTS, **query).json()["results"]
        return [each["session_id"] for each in told]

    assert found() == ["a-2", "a-1", "a-0"]
    assert found(ordering="-last_activity_at") == ["a-0", "a-1", "a-2"]
    assert found(orphan="true") == ["a-2"]
    assert found(parked="true") == ["a-1"]
    assert found(parked="false") == ["a-2", "a-0"]
    assert found(status="inactive", search="wind") == ["a-2"]
    assert found(search="alpha") == found(project=str(alpha.pk)) == found(user=ann.pk) == ["a-0"]
    assert found(active_after=(now - timedelta(hours=1)).isoformat()) == ["a-0"]
    for name, value in {"status": "deleted", "project": "x", "user": "x", "page": "x"}.items():
        assert faults(caller.get(AGENTS, **{name: value})) == [name]


def test_lists_take_the_same_statements_however_long_they_are(clerk):
    caller = Caller(clerk)
    counts, events, made = [], [], 0
    for size in (1, 10, 50):
        for number in range(made, size):
            SessionFactory.create(
                kind="agent", session_id=f"a-{number}", project=ProjectFactory.create(),
                user=User.objects.create_user(f"u-{number}"),
            )  # fmt: skip
            ActivityEvent.objects.create(event_id=str(number), session_ref="a-0")
        made = size
        counts.append(caller.statements(AGENTS, page_size=100))
        events.append(caller.statements(f"{AGENTS}a-0/events/"))
    assert counts == [2, 2, 2]
    assert events == [2, 2, 2]


def test_events_go_by_a_cursor_that_new_ones_do_not_move(ann, alpha):
    started(ann)
    for number in range(5):
        ActivityEvent.objects.create(event_id=f"e{number}", session_ref="a-1")
    caller = Caller(ann)
    first = caller.get(f"{AGENTS}a-1/events/", page_size=2).json()
    ActivityEvent.objects.create(event_id="e5", session_ref="a-1")
    seen = [each["event_id"] for each in first["results"]]
    address = first["next"]
    while address:
        page = caller.client.get(address).json()
        seen += [each["event_id"] for each in page["results"]]
        address = page["next"]
    assert seen == [f"e{number}" for number in range(6)]
    assert caller.get(f"{AGENTS}a-1/events/", cursor="x").status_code == 404


def test_health_counts_orphans_and_parked_ones_apart(clerk):
    Project.objects.ensure_unassigned()
    SessionFactory.create_batch(2, kind="agent")
    SessionFactory.create(kind="agent", project_id=UNASSIGNED_ID)
    assert Caller(clerk).get(f"{AGENTS}health/").json() == {
        "orphans": 2,
        "parked": 1,
        "orphans_awaiting_review": 0,
        "last_run": None,
        "active_runs": [],
        "damaged_backups": [],
        "broken_foreign_keys": 0,
        "alerts": [],
    }
    assert Caller(clerk).get(f"{AGENTS}alerts/").json() == []


def test_idle_sessions_time_out(clerk, ann, alpha):
    started(ann)
    AgentSession.objects.update(last_activity_at=timezone.now() - timedelta(hours=3))
    assert Caller(clerk).post(f"{AGENTS}time-out/").json() == {"timed_out": 1}
    assert Caller(ann).get(f"{AGENTS}a-1/").json()["status"] == "inactive"


def test_the_resolution_says_which_project_comes_next_and_makes_none(ann, beta, settings):
    caller = Caller(ann)

    def resolved() -> tuple[str | None, str]:
        told = caller.get(f"{AGENTS}resolution/").json()
        return told["project"] and told["project"]["name"], told["chosen_by"]

    assert resolved() == (None, "personal")
    started(ann)
    assert resolved() == ("Personal project of ann", "personal")
    settings.DEFAULT_PROJECT_NAME = "Beta"
    assert resolved() == ("Beta", "default")
    primary = ProjectFactory.create(name="Main", is_primary=True)
    assert resolved() == ("Main", "primary")
    Profile.objects.create(user=ann, current_project=beta)
    assert resolved() == ("Beta", "current")
    Project.objects.filter(pk__in=[beta.pk, primary.pk]).update(status="archived")
    assert resolved() == ("Personal project of ann", "personal")


# ------------------------------------------------------------------------------------- projects


def allowed(user: User, *names: str) -> User:
    user.user_permissions.add(*Permission.objects.filter(codename__in=names))
    return User.objects.get(pk=user.pk)


def test_projects_are_seen_by_those_who_work_in_them(ann, bob, clerk, alpha, beta):
    ProjectFactory.create(name="Gamma")
    SessionFactory.create_batch(2, kind="agent", user=ann, project=beta)
    Profile.objects.create(user=bob, current_project=beta)

    def names(user: User, **query: str) -> list[str]:
        told = Caller(user).get("/projects/", **query).json()["results"]
        return [each["name"] for each in told]

    assert names(ann) == names(bob) == ["Alpha shop", "Beta"]
    everything = ["Alpha shop", "Beta", "Gamma", "__unassigned__"]
    assert sorted(names(clerk)) == everything
    eve = allowed(User.objects.create_user("eve"), "view_project")
    assert sorted(names(eve)) == everything
    assert names(eve, is_primary="true") == ["Alpha shop"]
    assert names(eve, search="gam", ordering="-created_at") == ["Gamma"]
    assert faults(Caller(eve).get("/projects/", status="x")) == ["status"]
    assert Caller(ann).get(f"/projects/{beta.pk}/").json()["name"] == "Beta"
    gamma = Project.objects.get(name="Gamma")
    assert refusal(Caller(ann).get(f"/projects/{gamma.pk}/")) == (404, "PROJECT_NOT_FOUND")
    assert Caller(ann).patch(f"/projects/{gamma.pk}/", {"name": "x"}).status_code == 404
    assert Caller(None).get("/projects/").status_code == 401
    assert Caller(ann).get("/projects/x/").status_code == 404


def test_projects_are_made_and_changed_with_the_permission(ann, alpha):
    assert refusal(Caller(ann).post("/projects/", {"name": "New"})) == (403, "permission_denied")
    assert refusal(Caller(ann).patch(f"/projects/{alpha.pk}/", {"name": "x"})) == (
        403, "permission_denied",
    )  # fmt: skip
    caller = Caller(allowed(ann, "add_project", "change_project", "view_project"))
    answer = caller.post("/projects/", {"name": " New ", "description": "d"})
    assert answer.status_code == 201
    told = answer.json()
    path = f"/projects/{told['id']}/"
    assert answer["Location"] == f"/api/v1{path}"
    assert told.pop("created_at")
    assert told == {
        "id": told["id"], "name": "New", "status": "active", "is_primary": False,
        "description": "d",
    }  # fmt: skip
    tag = caller.get(path)["ETag"]
    assert caller.patch(path, {"status": "paused"}, If_Match=tag).json()["status"] == "paused"
    stale = caller.patch(path, {"status": "active"}, If_Match=tag)
    assert refusal(stale) == (412, "precondition_failed")
    assert refusal(caller.patch(path, {"is_primary": True})) == (409, "PRIMARY_PROJECT_TAKEN")
    assert refusal(caller.patch(path, {"name": "Alpha shop"})) == (409, "PROJECT_NAME_TAKEN")
    sentinel = caller.patch(f"/projects/{UNASSIGNED_ID}/", {"name": "x"})
    assert refusal(sentinel) == (409, "SENTINEL_STAYS")
    for values in ({"name": ""}, {"name": "x" * 256}, {"status": "x"}, {"is_primary": None}):
        assert faults(caller.patch(path, values)) == list(values)
    project = Project.objects.get(pk=told["id"])
    assert (project.name, project.is_primary) == ("New", False)
    newest = project.history.first()
    assert (newest.history_user, newest.history_change_reason) == (ann, "change project (api)")


def test_projects_that_nothing_names_are_deleted(ann, bob, alpha, beta):
    keeper = Caller(allowed(ann, "delete_project", "view_project"))
    path = f"/projects/{beta.pk}/"
    assert refusal(Caller(bob).delete(path)) == (404, "PROJECT_NOT_FOUND")
    Profile.objects.create(user=bob, current_project=beta)
    assert refusal(Caller(bob).delete(path)) == (403, "permission_denied")
    session = SessionFactory.create(kind="agent", project=beta)
    ActivityEvent.objects.create(event_id="e", project=beta)
    told = keeper.delete(path)
    assert refusal(told) == (409, "PROJECT_IN_USE")
    assert told.json()["error"]["details"] == {"blocking": {"sessions": 1, "activity_events": 1}}
    session.delete()
    ActivityEvent.objects.all().delete()
    assert refusal(keeper.delete(path, If_Match='"x"')) == (412, "precondition_failed")
    assert keeper.delete(path, If_Match=keeper.get(path)["ETag"]).status_code == 204
    assert refusal(keeper.delete(path)) == (404, "PROJECT_NOT_FOUND")
    Project.objects.ensure_unassigned()
    assert refusal(keeper.delete(f"/projects/{UNASSIGNED_ID}/")) == (409, "SENTINEL_STAYS")
    assert list(Project.objects.real()) == [alpha]
    assert Profile.objects.get(user=bob).current_project is None
    newest = Project.history.filter(id=beta.pk).first()
    assert newest is not None
    assert (newest.history_type, newest.history_user) == ("-", ann)

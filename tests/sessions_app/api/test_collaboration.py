"""``/api/v1/sessions/``: collaboration sessions in every stage (collaboration.md)."""

from __future__ import annotations

from typing import Any

import pytest

from migrations_tools.cutover.stages import Stage
from migrations_tools.models import Transition
from sessions_app.models import Session, SessionKind, SessionParticipant
from tests.sessions_app.api.asking import Caller, faults, refusal
from tests.sessions_app.data_migrations.collaboration import A, B, document, stage
from tests.sessions_app.factories import ParticipantFactory, SessionFactory
from tests.sessions_app.services.collaboration.acting import act, at_stage, email, user

pytestmark = pytest.mark.django_db

S1 = "/sessions/s-1/"


def caller(name: str) -> Caller:
    return Caller(user(name))


def created(**values: Any) -> Any:
    return caller("ann").post("/sessions/", {"title": "Compilers", "session_id": "s-1", **values})


def invited(name: str, role: str = "editor", by: str = "ann") -> Any:
    return caller(by).post(f"{S1}invite/", {"email": email(name), "role": role})


def joined(name: str, role: str = "editor") -> Any:
    assert invited(name, role).status_code == 201
    return caller(name).post(f"{S1}accept/")


@pytest.mark.parametrize("leading", [Stage.OFF, Stage.DUAL_WRITE, Stage.LIVE, Stage.COMPLETE])
def test_a_session_is_told_the_same_whichever_system_leads(leading):
    at_stage(leading, read_percentage=100)
    answer = created(description="Second term")
    assert answer.status_code == 201
    assert answer["Location"] == "/api/v1/sessions/s-1/"
    told = answer.json()
    times = [told.pop(name) for name in ("created_at", "last_activity_at")]
    assert times[0] == times[1] == told["participants"][0].pop("joined_at")
    ann = {"email": email("ann"), "display_name": "ann", "role": "owner", "status": "active"}
    assert told == {
        "session_id": "s-1",
        "title": "Compilers",
        "description": "Second term",
        "status": "active",
        "owner": email("ann"),
        "own": {
            "role": "owner",
            "status": "active",
            "rights": ["view", "edit", "manage_people", "own"],
        },
        "participants": [ann | {"invited_by": "", "invited_at": None}],
    }
    asked = invited("Bob", "viewer")
    assert asked.status_code == 201
    assert asked["Location"] == f"/api/v1/sessions/s-1/participants/{email('bob')}/"
    assert (asked.json()["status"], asked.json()["invited_by"]) == ("invited", email("ann"))
    (seen,) = caller("bob").get("/sessions/").json()["results"]
    assert seen["own"] == {"role": "viewer", "status": "invited", "rights": ["view"]}
    assert [each["email"] for each in seen["participants"]] == [email("ann"), email("bob")]
    accepted = caller("bob").post(f"{S1}accept/").json()
    assert accepted["own"]["status"] == "active"
    role = caller("ann").patch(f"{S1}participants/{email('BOB')}/", {"role": "editor"})
    assert (role.status_code, role.json()["role"]) == (200, "editor")
    edited = caller("bob").patch(S1, {"title": "Interpreters"})
    assert (edited.json()["title"], edited.json()["description"]) == (
        "Interpreters", "Second term",
    )  # fmt: skip
    active = caller("bob").get(f"{S1}active-users/").json()
    assert [each["email"] for each in active["results"]] == [email("ann"), email("bob")]
    given = caller("ann").post(f"{S1}transfer/", {"email": email("bob")}).json()
    assert (given["owner"], given["own"]["role"]) == (email("bob"), "admin")
    gone = caller("ann").post(f"{S1}leave/", {"reason": "moves on"})
    assert (gone.status_code, gone.json()["status"]) == (200, "left")
    assert caller("ann").get(S1).status_code == 403
    assert caller("bob").post(f"{S1}archive/").json()["status"] == "archived"
    assert refusal(invited("cid", by="bob")) == (409, "session_archived")
    assert caller("bob").post(f"{S1}restore/").json()["status"] == "active"
    assert caller("bob").delete(S1).status_code == 204
    assert refusal(caller("bob").get(S1)) == (404, "not_found")
    assert caller("bob").get("/sessions/").json()["count"] == 0


def test_each_role_does_what_the_matrix_allows_and_nothing_else():
    created()
    for name, role in (("adam", "admin"), ("eda", "editor"), ("vera", "viewer")):
        joined(name, role)
    invited("ivan")
    deeds: list[tuple[str, str, Any]] = [
        ("get", S1, None),
        ("patch", S1, {"title": "Compilers"}),
        ("post", f"{S1}invite/", {"email": email("new"), "role": "admin"}),
        ("post", f"{S1}archive/", None),
        ("post", f"{S1}transfer/", {"email": email("nobody")}),
    ]
    found = {
        name: [_status(caller(name), *deed) for deed in deeds]
        for name in ("stranger", "ivan", "vera", "eda", "adam")
    }
    assert found == {
        "stranger": [403, 403, 403, 403, 403],
        "ivan": [200, 403, 403, 403, 403],
        "vera": [200, 403, 403, 403, 403],
        "eda": [200, 200, 403, 403, 403],
        "adam": [200, 200, 403, 403, 403],
    }
    assert {_status(Caller(None), *deed) for deed in deeds} == {401}
    assert _status(caller("adam"), "delete", f"{S1}participants/{email('vera')}/", None) == 204
    assert refusal(caller("adam").delete(f"{S1}participants/{email('ann')}/")) == (
        409, "owner_stays",
    )  # fmt: skip
    assert refusal(caller("ann").post(f"{S1}leave/")) == (409, "owner_stays")
    assert Transition.objects.filter(action="refused", surface="api").exists()


def _status(who: Caller, method: str, path: str, body: Any) -> int:
    send = getattr(who, method)
    return int((send(path, body) if body is not None else send(path)).status_code)


def test_refusals_say_what_is_wrong(settings):
    created()
    settings.CARRYOVER_COLLABORATION_CAPACITY = 3
    invited("bob")
    ann = caller("ann")
    refused = {
        "again": invited("bob"),
        "self": invited("ann"),
        "role": invited("cid", "owner"),
        "address": ann.post(f"{S1}invite/", {"email": "nobody", "role": "editor"}),
        "unknown": ann.post("/sessions/s-2/invite/", {"email": email("cid"), "role": "viewer"}),
        "taken": created(),
        "id": created(session_id="null"),
        "title": created(session_id="s-3", title=" "),
        "not in it": ann.patch(f"{S1}participants/x@example.com/", {"role": "editor"}),
        "not joined": ann.post(f"{S1}transfer/", {"email": email("bob")}),
    }
    invited("cid")
    refused["full"] = invited("dan")
    assert {name: refusal(answer) for name, answer in refused.items()} == {
        "again": (409, "already_participant"),
        "self": (400, "self_invitation"),
        "role": (400, "invalid_role"),
        "address": (400, "invalid_email"),
        "unknown": (404, "not_found"),
        "taken": (409, "session_exists"),
        "id": (400, "invalid_session_id"),
        "title": (400, "invalid_title"),
        "not in it": (404, "participant_not_found"),
        "not joined": (409, "transition_refused"),
        "full": (409, "capacity_reached"),
    }
    for body, fields in (
        ({}, {"email", "role"}),
        ({"email": "a\0@b.c", "role": "viewer"}, {"email"}),
        ({"email": ["x"], "role": {}}, {"email", "role"}),
        ({"email": "\ud800", "role": "viewer", "reason": "x" * 2001}, {"email", "reason"}),
    ):
        assert set(faults(ann.post(f"{S1}invite/", body))) == fields
    for path in ("/sessions/%00/", "/sessions/" + "x" * 300 + "/", "/sessions/%ff/"):
        assert refusal(ann.get(path)) == (404, "not_found")


def test_nobody_changes_what_they_have_not_seen():
    created()
    joined("bob")
    bob, ann = caller("bob"), caller("ann")
    tag = ann.get(S1)["ETag"]
    assert bob.patch(S1, {"title": "Bob's"}).status_code == 200
    assert refusal(ann.patch(S1, {"title": "Ann's"}, If_Match=tag)) == (412, "precondition_failed")
    fresh = ann.get(S1)
    assert fresh.json()["title"] == "Bob's"
    assert ann.patch(S1, {"title": "Ann's"}, If_Match=fresh["ETag"]).status_code == 200
    his = f"{S1}participants/{email('bob')}/"
    tag = ann.get(his)["ETag"]
    assert ann.patch(his, {"role": "viewer"}, If_Match=tag).status_code == 200
    stale = ann.patch(his, {"role": "admin"}, If_Match=tag)
    assert refusal(stale) == (412, "precondition_failed")
    for path, seen in ((his, tag), (S1, fresh["ETag"])):
        assert refusal(ann.delete(path, If_Match=seen)) == (412, "precondition_failed")
        assert ann.delete(path, If_Match=ann.get(path)["ETag"]).status_code == 204
    assert SessionParticipant.objects.count() == 0  # the old system leads: nothing is written here


def test_an_invitation_sent_twice_with_one_key_is_one():
    created()
    body = {"email": email("bob"), "role": "viewer"}
    answers = [
        caller("ann").post(f"{S1}participants/", body, Idempotency_Key="one") for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert answers[1]["Idempotent-Replayed"] == "true"


def test_lists_are_narrowed_and_people_of_a_session_are_listed():
    at_stage(Stage.COMPLETE)
    created(description="Second term")
    act(1, "bob", "create", "Databases", sid="s-2")
    act(2, "bob", "invite", "ann", "editor", sid="s-2")
    ann = caller("ann")

    def titles(**query: str) -> list[str]:
        return [each["title"] for each in ann.get("/sessions/", **query).json()["results"]]

    assert set(titles()) == {"Compilers", "Databases"}
    assert titles(which="mine") == ["Compilers"]
    assert titles(which="shared") == ["Databases"]
    assert titles(search="TERM second") == ["Compilers"]
    assert titles(status="archived") == []
    assert titles(page_size="1", page="3") == []
    for name, value in {"which": "x", "status": "deleted", "search": "x" * 201}.items():
        assert faults(ann.get("/sessions/", **{name: value})) == [name]
    people = ann.get("/sessions/s-2/participants/", status="active").json()
    assert [each["email"] for each in people["results"]] == [email("bob")]
    assert faults(ann.get("/sessions/s-2/participants/", role="x")) == ["role"]
    access = ann.get("/sessions/s-2/access/").json()
    assert access == {"role": "editor", "status": "invited", "rights": ["view"]}
    assert refusal(ann.get("/sessions/s-2/access/", right="edit")) == (403, "permission_denied")


@pytest.mark.parametrize("leading", [Stage.OFF, Stage.COMPLETE])
def test_files_are_listed_in_either_system(leading):
    at_stage(leading)
    if leading == Stage.OFF:
        stage(
            document(e=A, n="N", t=1),
            document(e=B, f="b.zip", file_path="/disk/b.zip", t=2),
            document(e=A, f="a.zip", file_path="mongodb://s-1", t=3),
        )
    else:
        session = SessionFactory.create(session_id="s-1")
        ParticipantFactory.create(session=session, email=A)
        session.files.create(
            name="b.zip", path="/disk/b.zip", uploaded_by=B, uploaded_at="2025-05-02T00:00Z"
        )
        session.files.create(
            name="a.zip", path="mongodb://s-1", uploaded_by=A, uploaded_at="2025-05-03T00:00Z"
        )
    answer = caller(A).get(f"{S1}files/").json()
    assert [(each["name"], each["path"], each["uploaded_by"]) for each in answer["results"]] == [
        ("a.zip", "mongodb://s-1", A),
        ("b.zip", "/disk/b.zip", B),
    ]
    assert caller("stranger").get(f"{S1}files/").status_code == 403


def test_a_list_takes_the_same_statements_however_many_sessions_it_has():
    at_stage(Stage.COMPLETE)
    bob = caller("bob")
    counts, made = [], 0
    for size in (1, 10, 50):
        for number in range(made, size):
            act(number, "ann", "create", f"Session {number}", sid=f"s-{number}")
            act(number, "ann", "invite", "bob", "viewer", sid=f"s-{number}")
        made = size
        bob.get("/sessions/")  # the stage of the cutover is read every five seconds
        counts.append(bob.statements("/sessions/", page_size=100))
    assert counts == [2, 2, 2]
    assert Session.objects.filter(kind=SessionKind.COLLABORATION).count() == 50

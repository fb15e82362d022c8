"""Lists, details and access: who sees what, in how many queries, and shadow reads."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from migrations_tools.cutover import believed, comparing
from migrations_tools.cutover.moving import LEAST_COMPARISONS
from migrations_tools.cutover.stages import Stage
from migrations_tools.models import Cutover, Mismatch, Transition
from migrations_tools.services.actors import system_user
from migrations_tools.services.cutover import CutoverRefused, change_stage
from sessions_app.collaboration.errors import CollaborationError
from sessions_app.collaboration.roles import Right
from sessions_app.models import ParticipantRole, ParticipantStatus, SessionParticipant
from sessions_app.services import collaboration
from sessions_app.services.collaboration import Access, Which
from tests.sessions_app.factories import ParticipantFactory, SessionFactory
from tests.sessions_app.services.collaboration.acting import act, at_stage, by, email, user

pytestmark = pytest.mark.django_db


def code(call: Any, *arguments: Any, **named: Any) -> tuple[str, int]:
    with pytest.raises(CollaborationError) as refused:
        call(*arguments, **named)
    return refused.value.code, refused.value.http_status


def two_sessions() -> None:
    """Compilers is Ann's, with Bob; Databases is Bob's, Ann invited; Cid's is his own."""
    at_stage(Stage.SHADOW)
    act(0, "ann", "create", "Compilers", sid="s-1")
    act(1, "ann", "invite", "bob", "viewer", sid="s-1")
    act(2, "bob", "create", "Databases", sid="s-2")
    act(3, "bob", "invite", "ann", "editor", sid="s-2")
    act(4, "cid", "create", "Secret", sid="s-3")


@pytest.mark.parametrize("stage", [Stage.OFF, Stage.SHADOW, Stage.RAMP_DOWN])
def test_people_see_their_own_sessions_and_those_shared_with_them(stage: str):
    two_sessions()
    at_stage(stage)

    def titles(name: str, which: Which = Which.ALL) -> list[str]:
        found = collaboration.list_sessions(acting_user=user(name), which=which)
        return [session.title for session in found]

    assert titles("ann") == ["Databases", "Compilers"]
    assert titles("ann", Which.MINE) == ["Compilers"]
    assert titles("ann", Which.SHARED) == ["Databases"]
    assert titles("eve") == []
    (first, _) = collaboration.list_sessions(acting_user=user("ann"))
    assert sorted(first.members) == [email("ann"), email("bob")]
    assert titles("nobody") == []
    act(5, "cid", "delete", sid="s-3")
    assert titles("cid") == []


@pytest.mark.parametrize("stage", [Stage.OFF, Stage.COMPLETE])
def test_who_is_refused_what(stage: str):
    two_sessions()
    at_stage(stage)
    act(5, "cid", "delete", sid="s-3")
    without_address = User.objects.create_user("mute")
    for call in (
        collaboration.session_details,
        collaboration.active_users,
        collaboration.check_access,
    ):
        assert code(call, "s-1", acting_user=AnonymousUser()) == ("not_authenticated", 401)
        assert code(call, "s-1", acting_user=user("eve")) == ("permission_denied", 403)
        assert code(call, "s-1", acting_user=without_address) == ("permission_denied", 403)
        for unknown in ("s-3", "s-9", "row:x", "a\0b", "\ud800", ""):
            assert code(call, unknown, acting_user=user("cid")) == ("not_found", 404)
    inactive = user("bob")
    inactive.is_active = False
    assert code(collaboration.list_sessions, acting_user=inactive) == ("not_authenticated", 401)
    assert collaboration.list_sessions(acting_user=without_address) == []
    assert code(collaboration.create_session, title="T", acting_user=AnonymousUser(),
                surface="api") == ("not_authenticated", 401)  # fmt: skip


@pytest.mark.parametrize(
    ("values", "code_"),
    [
        ({"title": " "}, "invalid_title"),
        ({"title": "x" * 256}, "invalid_title"),
        ({"title": "a\0b"}, "invalid_value"),
        ({"title": "T", "description": "\ud800"}, "invalid_value"),
        ({"title": "T", "session_id": "with a blank"}, "invalid_session_id"),
        ({"title": "T", "session_id": "undefined"}, "invalid_session_id"),
        ({"title": "T", "session_id": "x" * 101}, "invalid_session_id"),
    ],
)
def test_what_a_session_cannot_be_called(values: dict[str, str], code_: str):
    assert code(collaboration.create_session, **values, **by("ann")) == (code_, 400)


def test_ids_are_told_apart_as_the_old_system_did():
    at_stage(Stage.DUAL_WRITE)
    upper = "77D3B396-4BB1-4ADA-8BF8-CAD181406705"
    made = collaboration.create_session(title="T", session_id=upper, **by("ann"))
    assert made.session_id == upper.lower()
    assert collaboration.session_details(upper, acting_user=user("ann")).title == "T"
    collaboration.create_session(title="D", session_id="Demo", **by("ann"))
    assert code(collaboration.session_details, "demo", acting_user=user("ann"))[0] == "not_found"


def test_access_and_active_users():
    two_sessions()
    act(5, "bob", "accept", sid="s-1")
    access = collaboration.check_access("s-1", acting_user=user("bob"))
    assert access == Access(
        ParticipantRole.VIEWER, ParticipantStatus.ACTIVE, frozenset({Right.VIEW})
    )
    assert code(collaboration.check_access, "s-1", acting_user=user("bob"), right=Right.EDIT) == (
        "permission_denied",
        403,
    )
    assert collaboration.check_access("s-2", acting_user=user("ann")).rights == {Right.VIEW}
    active = collaboration.active_users("s-2", acting_user=user("ann"))
    assert [member.email for member in active] == [email("bob")]


def test_limits_come_from_the_settings(settings: Any):
    settings.CARRYOVER_COLLABORATION_CAPACITY = 2
    settings.CARRYOVER_COLLABORATION_DOMAINS = ["Example.com"]
    act(0, "ann", "create", "Compilers")
    invited = {"session_id": "s-1", "role": "viewer", **by("ann")}
    assert code(collaboration.invite, email="x@example.org", **invited) == (
        "domain_not_allowed",
        400,
    )
    act(1, "ann", "invite", "bob", "viewer")
    assert code(collaboration.invite, email="x@example.com", **invited) == ("capacity_reached", 409)


# ------------------------------------------------------------------------------ queries


@pytest.mark.parametrize(
    ("stage", "queries"),
    [(Stage.OFF, 2), (Stage.DUAL_WRITE, 2), (Stage.LIVE, 2), (Stage.COMPLETE, 2)],
)
def test_a_list_takes_as_many_queries_whatever_its_length(stage: str, queries: int):
    def asked() -> int:
        believed.current("collaboration")
        with CaptureQueriesContext(connection) as captured:
            for session in collaboration.list_sessions(acting_user=user("ann")):
                assert email("ann") in session.members
        return len(captured) - 1  # and that of the account

    at_stage(Stage.DUAL_WRITE)
    act(0, "ann", "create", "First", sid="s-0")
    at_stage(stage)
    assert asked() == queries
    at_stage(Stage.DUAL_WRITE)
    for number in range(1, 6):
        act(number, "ann", "create", "More", sid=f"s-{number}")
        act(number, "ann", "invite", "bob", "viewer", sid=f"s-{number}")
    at_stage(stage)
    assert asked() == queries
    assert len(collaboration.list_sessions(acting_user=user("ann"))) == 6


# ------------------------------------------------------------------------------ shadow


def test_shadow_reads_of_equal_systems_find_no_difference():
    two_sessions()
    for name in ("ann", "bob", "cid", "eve"):
        collaboration.list_sessions(acting_user=user(name))
        for sid in ("s-1", "s-2", "s-9"):
            try:
                collaboration.session_details(sid, acting_user=user(name))
            except CollaborationError:
                continue
    assert not Mismatch.objects.exists()


def test_a_difference_is_recorded_answered_by_the_old_side_and_spends_the_budget():
    two_sessions()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sessions_app_sessionparticipant SET role = 'editor' WHERE email = %s "
            "AND role = 'viewer'",
            [email("bob")],
        )
    details = collaboration.session_details("s-1", acting_user=user("ann"))
    assert details.members[email("bob")].role == "viewer"
    (found,) = Mismatch.objects.all()
    assert (found.operation, found.subject, found.error) == ("details", email("ann"), "")
    told = {"legacy": found.legacy or {}, "new": found.new or {}}
    roles = {side: [each["role"] for each in told[side]["members"]] for side in told}
    assert roles == {"legacy": ["owner", "viewer"], "new": ["owner", "editor"]}
    for _ in range(LEAST_COMPARISONS):
        collaboration.list_sessions(acting_user=user("ann"))
    comparing.flush("collaboration")
    assert Cutover.objects.get(key="collaboration").stage == Stage.DUAL_WRITE
    assert "comparisons differ" in Transition.objects.get(action="step_back").reason


def test_what_the_new_side_alone_hides_or_shows_is_found_too():
    two_sessions()
    SessionParticipant.objects.filter(email=email("ann"), session__session_id="s-1").delete()
    assert collaboration.session_details("s-1", acting_user=user("ann")).title == "Compilers"
    native = ParticipantFactory.create(session__session_id="only-new", email=email("eve"))
    assert (
        code(collaboration.session_details, native.session.session_id, acting_user=user("eve"))[0]
        == "not_found"
    )
    assert Mismatch.objects.count() == 2


def test_the_way_back_is_refused_with_what_only_the_new_system_has():
    two_sessions()
    at_stage(Stage.LIVE)
    act(9, "ann", "create", "Later", sid="s-9")  # written to both

    def back() -> None:
        change_stage(
            "collaboration", Stage.SHADOW, acting_user=system_user(), surface="command",
            reason="a test",
        )  # fmt: skip

    for sid, kind, status in (
        ("native-1", "collaboration", "active"),
        ("native-2", "agent", "active"),
        ("native-3", "collaboration", "deleted"),
    ):
        SessionFactory.create(session_id=sid, kind=kind, status=status)
    with pytest.raises(CutoverRefused, match="native-1") as refused:
        back()
    assert (refused.value.code, refused.value.fields) == (
        "only_in_new",
        {"only_in_new": ["native-1"]},
    )


def test_the_environment_forces_the_old_system(monkeypatch: pytest.MonkeyPatch):
    at_stage(Stage.COMPLETE)
    act(0, "ann", "create", "Compilers")
    assert len(collaboration.list_sessions(acting_user=user("ann"))) == 1
    monkeypatch.setenv("USE_NEW_SESSION_SYSTEM", "false")
    assert collaboration.list_sessions(acting_user=user("ann")) == []

"""The matrix of roles, the tables of statuses, and what is refused, without a database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sessions_app.collaboration import rules
from sessions_app.collaboration.errors import CollaborationError
from sessions_app.collaboration.roles import Right, rights_of
from sessions_app.collaboration.rules import Deed, Limits
from sessions_app.collaboration.state import Change, Collaboration, Member, newest_first
from sessions_app.models import ParticipantRole, ParticipantStatus, SessionStatus

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
ANYBODY = Limits(capacity=100)
Deeds = Callable[[Collaboration], Collaboration]

R, S = ParticipantRole, ParticipantStatus


def email(name: str) -> str:
    return f"{name}@example.com"


def member(name: str, role: str, status: str = "active") -> Member:
    return Member(email(name), name, R(role), S(status))


def session(*members: Member, status: str = "active") -> Collaboration:
    """A session of Olga's, with these people besides."""
    people = [member("olga", "owner"), *members]
    return Collaboration(
        "s-1", "Compilers", "", SessionStatus(status), NOON, NOON, {p.email: p for p in people}
    )


def by(name: str) -> Deed:
    return Deed(email(name), LATER)


def outcome(deed: Callable[..., Collaboration], *arguments: Any, **named: Any) -> str:
    """The code of the refusal, or nothing."""
    try:
        deed(*arguments, **named)
    except CollaborationError as refusal:
        return refusal.code
    return ""


# ------------------------------------------------------------------------------ the matrix

#: Who may decide about which role: invite as, grant, take away, remove.
MANAGES = {
    "owner": {"admin", "editor", "viewer"},
    "admin": {"editor", "viewer"},
    "editor": set(),
    "viewer": set(),
}
OTHER_ROLES = ("admin", "editor", "viewer")


@pytest.mark.parametrize("actor", MANAGES)
def test_who_invites_removes_and_grants_whom(actor: str):
    name = "olga" if actor == "owner" else "ada"
    ada = [] if actor == "owner" else [member("ada", actor)]
    for role in OTHER_ROLES:
        allowed = "" if role in MANAGES[actor] else "permission_denied"
        there = session(*ada, member("tom", role))
        new = email("new")
        assert (
            outcome(rules.invite, there, by(name), email=new, role=role, limits=ANYBODY) == allowed
        ), role
        assert outcome(rules.remove, there, by(name), email=email("tom")) == allowed, role
        for granted in OTHER_ROLES:
            expected = allowed or ("" if granted in MANAGES[actor] else "permission_denied")
            assert (
                outcome(rules.change_role, there, by(name), email=email("tom"), role=granted)
                == expected
            ), (role, granted)


@pytest.mark.parametrize("actor", ["admin", "editor", "viewer"])
def test_what_is_the_owners_alone(actor: str):
    there = session(member("ada", actor), member("tom", "editor"))
    deeds: list[Deeds] = [
        lambda s: rules.transfer(s, by("ada"), email=email("tom")),
        lambda s: rules.change_status(s, by("ada"), status=SessionStatus.ARCHIVED),
        lambda s: rules.change_status(s, by("ada"), status=SessionStatus.DELETED),
    ]
    for deed in deeds:
        assert outcome(deed, there) == "permission_denied"


@pytest.mark.parametrize(
    ("role", "refused"),
    [("owner", ""), ("admin", ""), ("editor", ""), ("viewer", "permission_denied")],
)
def test_words_are_changed_by_those_who_edit(role: str, refused: str):
    there = session() if role == "owner" else session(member("ada", role))
    name = "olga" if role == "owner" else "ada"
    words = {"title": "Parsers", "description": None}
    assert outcome(rules.edit, there, by(name), **words) == refused
    away = session(*([] if role == "owner" else [member("ada", role)]), status="archived")
    assert outcome(rules.edit, away, by(name), **words) == "session_archived"


def test_the_same_words_again_are_no_activity():
    same = rules.edit(session(), by("olga"), title="Compilers", description="")
    assert same.last_activity_at == NOON
    other = rules.edit(session(), by("olga"), title=None, description="Second term")
    assert (other.title, other.description, other.last_activity_at) == (
        "Compilers", "Second term", LATER,
    )  # fmt: skip


def test_what_each_role_and_status_may():
    view, edit = {Right.VIEW}, {Right.VIEW, Right.EDIT}
    people = {**dict.fromkeys(("viewer",), view), "editor": edit}
    people |= {"admin": edit | {Right.MANAGE_PEOPLE}, "owner": set(Right)}
    for role, rights in people.items():
        assert rights_of(member("ada", role)) == rights
        assert rights_of(member("ada", role, "invited")) == view
        assert rights_of(member("ada", role, "left")) == set()
        assert rights_of(member("ada", role, "removed")) == set()
    assert rights_of(None) == set()


@pytest.mark.parametrize(
    "deed",
    [
        lambda s: rules.leave(s, by("olga")),
        lambda s: rules.remove(s, by("ada"), email=email("olga")),
        lambda s: rules.change_role(s, by("ada"), email=email("olga"), role="viewer"),
        lambda s: rules.change_role(s, by("olga"), email=email("olga"), role="admin"),
        lambda s: rules.transfer(s, by("olga"), email=email("olga")),
    ],
)
def test_the_owner_neither_leaves_nor_is_removed_nor_demoted(deed: Deeds):
    assert outcome(deed, session(member("ada", "admin"))) == "owner_stays"


def test_a_transfer_makes_the_owner_an_admin():
    after = rules.transfer(session(member("tom", "viewer")), by("olga"), email=" TOM@example.com ")
    assert {name: person.role for name, person in after.members.items()} == {
        email("olga"): "admin",
        email("tom"): "owner",
    }


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("invited", "transition_refused"),
        ("left", "participant_not_found"),
        ("removed", "participant_not_found"),
    ],
)
def test_ownership_goes_to_active_people_only(status: str, code: str):
    there = session(member("tom", "admin", status))
    assert outcome(rules.transfer, there, by("olga"), email=email("tom")) == code


# ------------------------------------------------------------------------------ statuses


#: What each deed makes of a person in each status: a status, or the code of a refusal.
BECOMES = {
    "accept": {
        "invited": "active",
        "active": "transition_refused",
        "left": "active",
        "removed": "permission_denied",
    },
    "leave": {
        "invited": "transition_refused",
        "active": "left",
        "left": "permission_denied",
        "removed": "permission_denied",
    },
    "remove": {
        "invited": "removed",
        "active": "removed",
        "left": "participant_not_found",
        "removed": "participant_not_found",
    },
    "invite": {
        "invited": "already_participant",
        "active": "already_participant",
        "left": "transition_refused",
        "removed": "invited",
    },
}


@pytest.mark.parametrize("deed", BECOMES)
def test_statuses_of_people(deed: str):
    tom = email("tom")
    deeds: dict[str, Deeds] = {
        "accept": lambda s: rules.accept(s, by("tom")),
        "leave": lambda s: rules.leave(s, by("tom")),
        "remove": lambda s: rules.remove(s, by("olga"), email=tom),
        "invite": lambda s: rules.invite(s, by("olga"), email=tom, role="viewer", limits=ANYBODY),
    }
    for status, becomes in BECOMES[deed].items():
        try:
            found = deeds[deed](session(member("tom", "editor", status))).members[tom].status.value
        except CollaborationError as refusal:
            found = refusal.code
        assert found == becomes, status


def test_statuses_of_sessions():
    allowed = {
        "active": {"archived", "deleted"},
        "archived": {"active", "deleted"},
        "deleted": set(),
    }
    for start, ends in allowed.items():
        for end in allowed:
            code = outcome(
                rules.change_status, session(status=start), by("olga"), status=SessionStatus(end)
            )
            assert code == ("" if end in ends else "transition_refused"), (start, end)


def test_an_archived_session_is_seen_and_left_and_nothing_else():
    there = session(member("tom", "editor"), member("ida", "viewer", "invited"), status="archived")
    tom = email("tom")
    refused: list[Deeds] = [
        lambda s: rules.invite(s, by("olga"), email=email("n"), role="viewer", limits=ANYBODY),
        lambda s: rules.accept(s, by("ida")),
        lambda s: rules.remove(s, by("olga"), email=tom),
        lambda s: rules.change_role(s, by("olga"), email=tom, role="viewer"),
        lambda s: rules.transfer(s, by("olga"), email=tom),
    ]
    assert [outcome(deed, there) for deed in refused] == ["session_archived"] * 5
    assert rules.leave(there, by("tom")).members[tom].status == "left"
    assert rules.seen(there, "s-1", tom) is there


@pytest.mark.parametrize("status", ["left", "removed"])
def test_who_is_gone_sees_nothing(status: str):
    there = session(member("tom", "admin", status))
    assert outcome(rules.seen, there, "s-1", email("tom")) == "permission_denied"
    assert outcome(rules.seen, there, "s-1", "") == "permission_denied"
    assert outcome(rules.seen, None, "s-1", email("tom")) == "not_found"
    gone = session(status="deleted")
    assert outcome(rules.seen, gone, "s-1", email("olga")) == "not_found"


# ------------------------------------------------------------------------------ invitations


@pytest.mark.parametrize(
    ("address", "role", "limits", "code"),
    [
        ("Olga@Example.com", "viewer", ANYBODY, "self_invitation"),
        ("TOM@example.com", "viewer", ANYBODY, "already_participant"),
        ("no address", "viewer", ANYBODY, "invalid_email"),
        ("", "viewer", ANYBODY, "invalid_email"),
        ("new@example.com", "owner", ANYBODY, "invalid_role"),
        ("new@example.com", "king", ANYBODY, "invalid_role"),
        ("new@example.com", "viewer", Limits(2), "capacity_reached"),
        ("new@example.com", "viewer", Limits(3), ""),
        ("new@example.org", "viewer", Limits(9, {"example.com"}), "domain_not_allowed"),
        ("new@sub.example.com", "viewer", Limits(9, {"example.com"}), "domain_not_allowed"),
        ("New@EXAMPLE.com", "viewer", Limits(9, {"example.com"}), ""),
    ],
)
def test_who_can_be_invited(address: str, role: str, limits: Limits, code: str):
    there = session(member("tom", "editor"), member("gone", "editor", "left"))
    deed = outcome(rules.invite, there, by("olga"), email=address, role=role, limits=limits)
    assert deed == code


def test_an_invitation_says_who_whom_when():
    after = rules.invite(
        session(), by("olga"), email=" New@Example.com", role="editor", limits=ANYBODY
    )
    assert after.members[email("new")] == Member(
        email("new"), "new", R.EDITOR, S.INVITED, email("olga"), LATER, None
    )
    assert after.last_activity_at == LATER


def test_a_second_invitation_after_a_removal_begins_anew():
    once = Member(email("tom"), "Thomas", R.ADMIN, S.REMOVED, email("x"), NOON, NOON)
    after = rules.invite(
        session(once), by("olga"), email=email("tom"), role="viewer", limits=ANYBODY
    )
    assert after.members[email("tom")] == Member(
        email("tom"), "Thomas", R.VIEWER, S.INVITED, email("olga"), LATER, None
    )


def test_the_same_role_again_is_no_change():
    there = session(member("tom", "editor"))
    assert rules.change_role(there, by("olga"), email=email("tom"), role="editor") is there


# ------------------------------------------------------------------------------ changes, order


def test_a_change_is_made_of_what_the_other_side_has():
    before = session(member("tom", "viewer"))
    after = rules.change_role(before, by("olga"), email=email("tom"), role="editor")
    other = session(member("tom", "viewer"), member("ida", "admin"))
    assert Change(before, after).on(other) == rules.change_role(
        other, by("olga"), email=email("tom"), role="editor"
    )


def test_the_newest_activity_comes_first_then_the_id():
    def at(name: str, hours: int | None) -> Collaboration:
        when = None if hours is None else NOON + timedelta(hours=hours)
        return Collaboration(name, name, "", SessionStatus.ACTIVE, NOON, when, {})

    found = newest_first([at("d", None), at("c", 1), at("b", 2), at("a", 1)])
    assert [each.session_id for each in found] == ["b", "a", "c", "d"]

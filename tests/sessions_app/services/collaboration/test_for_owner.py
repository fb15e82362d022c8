"""Operators act in the owner's name: same rules, in every stage, with their own name on record."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from migrations_tools.cutover.stages import Side, Stage
from migrations_tools.exceptions import PermissionRefused
from migrations_tools.models import Transition
from migrations_tools.states import Surface
from sessions_app.collaboration.errors import NotFound, OwnerStays, SessionArchived
from sessions_app.models import Session, SessionParticipant
from sessions_app.services import collaboration
from tests.sessions_app.services.collaboration.acting import SID, act, at_stage, both, email, user

pytestmark = pytest.mark.django_db

STAGES = [Stage.OFF, Stage.DUAL_WRITE, Stage.SHADOW, Stage.LIVE, Stage.RAMP_DOWN, Stage.COMPLETE]


def operator() -> User:
    found = user("operator")
    found.user_permissions.add(Permission.objects.get(codename="change_collaborationsession"))
    return User.objects.get(pk=found.pk)


def for_owner(person: User) -> dict[str, Any]:
    return {"acting_user": person, "surface": Surface.ADMIN, "for_owner": True}


@pytest.mark.parametrize("stage", STAGES)
def test_an_operator_does_what_the_owner_may_and_is_in_no_session(stage):
    at_stage(stage)
    act(0, "ann", "create", "Compilers")
    given = for_owner(operator())
    collaboration.invite(SID, email=email("bob"), role="admin", **given)
    act(2, "bob", "accept")
    collaboration.change_role(SID, email=email("bob"), role="viewer", **given)
    collaboration.transfer_ownership(SID, email=email("bob"), **given)
    collaboration.remove_participant(SID, email=email("ann"), **given)
    collaboration.archive_session(SID, **given)
    with pytest.raises(SessionArchived):
        collaboration.invite(SID, email=email("carol"), role="viewer", **given)
    collaboration.restore_session(SID, **given)
    with pytest.raises(OwnerStays):
        collaboration.remove_participant(SID, email=email("bob"), **given)
    for found in filter(None, both()):
        assert {
            member.email: (member.role, member.status) for member in found.members.values()
        } == {email("ann"): ("admin", "removed"), email("bob"): ("owner", "active")}
        assert found.members[email("bob")].invited_by == email("ann")
    leading = collaboration.leading_session(SID)
    assert leading is not None
    assert leading.status == "active"
    collaboration.delete_session(SID, **given)
    with pytest.raises(NotFound):
        collaboration.restore_session(SID, **given)


def test_the_history_names_the_operator_and_no_account_is_mixed_up():
    at_stage(Stage.COMPLETE)
    act(0, "ann", "create", "Compilers")
    SessionParticipant.objects.update(user=None)
    collaboration.archive_session(SID, reason="asked by letter", **for_owner(operator()))
    told = Session.objects.get(session_id=SID).history.latest()
    assert (told.history_user.username, told.history_change_reason) == (
        "operator",
        "archive (admin): asked by letter",
    )
    collaboration.restore_session(SID, **for_owner(operator()))
    collaboration.invite(SID, email=email("bob"), role="viewer", **for_owner(operator()))
    assert not SessionParticipant.objects.filter(user__isnull=False).exists()


@pytest.mark.parametrize("person", ["ann", "stranger"])
def test_without_the_permission_nobody_acts_for_an_owner(person):
    at_stage(Stage.COMPLETE)
    act(0, "ann", "create", "Compilers")
    with pytest.raises(PermissionRefused):
        collaboration.archive_session(SID, **for_owner(user(person)))
    refused = Transition.objects.get(action="refused")
    assert refused.details["deed"] == "archive in the name of a session's owner"
    assert Session.objects.get(session_id=SID).status == "active"


def test_the_leading_system_is_the_one_that_is_written_first():
    sides = {}
    for stage in STAGES:
        at_stage(stage)
        sides[stage] = collaboration.leading_side()
    assert sides == dict(zip(STAGES, [Side.LEGACY] * 3 + [Side.NEW] * 3, strict=True))

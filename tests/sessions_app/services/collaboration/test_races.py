"""People who act at the same moment, each by a connection of their own."""

from __future__ import annotations

import pytest

from migrations_tools.cutover.stages import Stage
from migrations_tools.services import runs
from sessions_app.models import LegacyCollaborationRow, SessionParticipant
from tests.sessions_app.data_migrations.collaboration import (
    NAME,
    actor,
    carry,
    failed_checks,
)
from tests.sessions_app.services.agent_sessions.acting import at_once
from tests.sessions_app.services.collaboration.acting import act, at_stage, both, email, user

pytestmark = pytest.mark.django_db(transaction=True)

STAGES = [Stage.OFF, Stage.DUAL_WRITE, Stage.LIVE, Stage.COMPLETE]


def begin(stage: str) -> None:
    at_stage(stage)
    for name in ("ann", "bob", "cid"):
        user(name)
    act(0, "ann", "create", "Compilers")
    act(1, "ann", "invite", "cid", "admin")
    act(2, "cid", "accept")


@pytest.mark.parametrize("stage", STAGES)
def test_two_invitations_at_once_make_one_row_and_one_conflict(stage: str):
    begin(stage)
    answers = at_once(
        lambda: act(3, "ann", "invite", "bob", "viewer"),
        lambda: act(3, "cid", "invite", "bob", "editor"),
    )
    assert [answer for answer in answers if isinstance(answer, str)] == ["already_participant"]
    invitations = LegacyCollaborationRow.objects.filter(document__invited_email=email("bob"))
    people = SessionParticipant.objects.filter(email=email("bob"))
    assert (invitations.count(), people.count()) == (
        stage != Stage.COMPLETE,
        stage != Stage.OFF,
    )


@pytest.mark.parametrize("stage", STAGES)
def test_a_transfer_and_a_leave_at_once_leave_one_active_owner(stage: str):
    begin(stage)
    transferred, left = at_once(
        lambda: act(3, "ann", "transfer", "cid"),
        lambda: act(3, "cid", "leave"),
    )
    assert (transferred, left).count("owner_stays") + (transferred, left).count(
        "participant_not_found"
    ) == 1
    old, new = both()
    for side in (old, new):
        if side is not None:
            owners = [m.email for m in side.members.values() if m.role == "owner"]
            assert owners == [
                email("ann") if transferred == "participant_not_found" else email("cid")
            ]
    assert None in (old, new) or old == new


@pytest.mark.slow
@pytest.mark.parametrize("stage", [Stage.DUAL_WRITE, Stage.LIVE])
def test_a_run_and_dual_writes_at_once_end_alike(stage: str):
    at_stage(Stage.OFF)
    ids = [f"s-{number}" for number in range(6)]
    for sid in ids:
        act(0, "ann", "create", "Compilers", sid=sid)
        act(1, "ann", "invite", "bob", "viewer", sid=sid)
    carry(limit=3)
    for sid in ids[:3]:
        at_stage(Stage.OFF)
        act(2, "ann", "role", "bob", "editor", sid=sid)  # work for the next run
    at_stage(stage)
    at_once(carry, lambda: [act(3, "ann", "invite", "cid", "viewer", sid=sid) for sid in ids])
    left = runs.start_run(NAME, **actor())  # of keys that changed in the middle, if any did
    if left is not None:
        runs.work_run(left)
    assert [sid for sid in ids if both(sid)[0] != both(sid)[1]] == []
    assert failed_checks() == {}


@pytest.mark.parametrize("stage", STAGES)
def test_two_sessions_of_one_id_are_one(stage: str):
    begin(stage)
    answers = at_once(
        lambda: act(3, "ann", "create", "Mine", sid="twice"),
        lambda: act(3, "cid", "create", "Mine", sid="twice"),
    )
    assert [answer for answer in answers if isinstance(answer, str)] == ["session_exists"]
    assert LegacyCollaborationRow.objects.filter(session_key="twice").count() <= 1

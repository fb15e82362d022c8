"""Every operation answers the same in every stage of the cutover, and both systems stay alike."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, Final

import pytest
from django.core.management import call_command

from migrations_tools.cutover.stages import RULES, Side, Stage
from migrations_tools.definitions.registry import get_definition
from migrations_tools.models import Mismatch
from migrations_tools.selectors.completion import waiting_keys
from sessions_app.models import LegacyCollaborationRow, Session, SessionKind
from sessions_app.services.collaboration import new
from tests.sessions_app.data_migrations.collaboration import (
    NAME,
    carry,
    failed_checks,
    outcomes,
)
from tests.sessions_app.services.collaboration.acting import act, at_stage, both, read

Step = tuple[str, ...]

#: Every operation, allowed and refused for each reason; by whom, what, whom, which role.
SCRIPT: Final[list[Step]] = [
    ("bob", "accept"),
    ("ann", "create", "Compilers"),
    ("ann", "create", "Taken"),
    ("bob", "accept"),
    ("ann", "invite", "bob", "viewer"),
    ("ann", "invite", "bob", "editor"),
    ("ann", "invite", "ann", "editor"),
    ("ann", "invite", "cid", "owner"),
    ("bob", "invite", "cid", "viewer"),
    ("bob", "accept"),
    ("bob", "accept"),
    ("bob", "edit", "Mine"),
    ("bob", "invite", "cid", "viewer"),
    ("ann", "invite", "cid", "admin"),
    ("ann", "transfer", "cid"),
    ("cid", "accept"),
    ("cid", "edit", "Compilers", "and", "more"),
    ("cid", "edit", " Interpreters "),
    ("cid", "edit", "Interpreters"),
    ("cid", "invite", "dan", "admin"),
    ("cid", "invite", "dan", "editor"),
    ("cid", "role", "bob", "editor"),
    ("cid", "role", "bob", "admin"),
    ("cid", "role", "ann", "viewer"),
    ("cid", "remove", "ann"),
    ("cid", "remove", "dan"),
    ("dan", "accept"),
    ("cid", "invite", "dan", "viewer"),
    ("ann", "role", "dan", "admin"),
    ("dan", "accept"),
    ("ann", "leave"),
    ("bob", "leave"),
    ("bob", "leave"),
    ("ann", "invite", "bob", "viewer"),
    ("ann", "remove", "bob"),
    ("bob", "accept"),
    ("bob", "transfer", "bob"),
    ("ann", "transfer", "eve"),
    ("ann", "transfer", "bob"),
    ("ann", "archive"),
    ("bob", "archive"),
    ("bob", "archive"),
    ("bob", "invite", "eve", "viewer"),
    ("bob", "edit", "Put away"),
    ("cid", "leave"),
    ("bob", "restore"),
    ("bob", "restore"),
    ("bob", "remove", "dan"),
    ("eve", "delete"),
    ("ann", "delete"),
    ("bob", "delete"),
    ("bob", "invite", "eve", "viewer"),
    ("bob", "create", "Again"),
]


def played(script: list[Step]) -> list[Any]:
    """What each step answered, and what the person read after it."""
    told = []
    for minute, (actor, *step) in enumerate(script):
        told.append((step, act(minute, actor, *step), read(actor)))
        old, found = both()
        assert old is None or found is None or old == found, step
    return told


@pytest.mark.slow
@pytest.mark.django_db
def test_every_operation_answers_the_same_in_every_stage():
    answers = {}
    for stage in Stage.values:
        LegacyCollaborationRow.objects.all().delete()
        Session.objects.all().delete()
        at_stage(stage, mismatch_budget=0)
        answers[stage] = played(SCRIPT)
        sides = RULES[stage].writes
        assert LegacyCollaborationRow.objects.exists() == (Side.LEGACY in sides)
        assert Session.objects.exists() == (Side.NEW in sides)
    for stage in Stage.values[1:]:
        for expected, found in zip(answers[Stage.OFF], answers[stage], strict=True):
            assert found == expected, stage
    assert not Mismatch.objects.exists()
    refused = [answer for _, answer, _ in answers["off"] if isinstance(answer, str)]
    assert len(refused) == 31
    assert len(set(refused)) == 10


# ------------------------------------------------------------------------------ generated data

_DEEDS: Final = (
    *("invite", "accept", "leave", "remove", "role", "transfer") * 3,
    *("invite", "accept", "role", "archive", "restore", "restore", "delete"),
)
_ROLES: Final = ("admin", "editor", "viewer")


def deed(chance: random.Random, minute: int, sid: str) -> bool:
    """Somebody of a session does something, mostly its owner; whether it was allowed."""
    old, found = both(sid)
    session = old or found
    assert session is not None
    people = list(session.members)
    owner = session.owner.email if session.owner else people[0]
    action = chance.choice(_DEEDS)
    whom = chance.choice([*people, "newcomer", "guest"])
    arguments = {
        "invite": [whom, chance.choice(_ROLES)],
        "role": [whom, chance.choice(_ROLES)],
        "remove": [whom],
        "transfer": [whom],
    }.get(action, [])
    actor = owner if arguments and chance.random() < 0.7 else chance.choice(people)
    if action in ("archive", "restore", "delete") and chance.random() < 0.5:
        actor = owner
    return not isinstance(act(minute, actor, action, *arguments, sid=sid), str)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_generated_sessions_stay_alike_whatever_people_do(tmp_path: Path):
    chance = random.Random(20)
    export = tmp_path / "rows.json"
    call_command("generate_legacy", "collaboration", rows=120, seed=7, defects=0.2, out=export)
    call_command("import_legacy", "collaboration", str(export))
    carry(error_budget=1)
    ids = list(
        Session.objects.filter(kind=SessionKind.COLLABORATION).values_list("session_id", flat=True)
    )
    definition = get_definition(NAME)
    assert waiting_keys(definition) == 0
    done = 0
    for minute in range(150):
        at_stage(chance.choice([Stage.DUAL_WRITE, Stage.SHADOW, Stage.LIVE, Stage.RAMP_DOWN]))
        sid = chance.choice(ids)
        done += deed(chance, minute, sid)
        old, found = both(sid)
        assert old == found
    assert done > 30
    # written to both sides: nothing waits, and a run that looks all the same changes nothing
    assert waiting_keys(definition) == 0
    assert set(outcomes(carry(error_budget=1))) <= {"unchanged", "quarantined"}
    assert failed_checks() == {}
    # the old system alone, as before the cutover or after a way back
    at_stage(Stage.OFF)
    assert sum(deed(chance, 200 + minute, chance.choice(ids)) for minute in range(60)) > 8
    assert waiting_keys(definition) > 0
    carry(error_budget=1)
    assert [sid for sid in ids if both(sid)[0] != new.find(sid)] == []
    assert failed_checks() == {}


@pytest.mark.django_db
def test_the_old_rows_keep_the_old_words():
    at_stage(Stage.DUAL_WRITE)
    act(0, "ann", "create", "Compilers")
    act(1, "ann", "invite", "bob", "editor")
    act(2, "ann", "invite", "cid", "viewer")
    rows = LegacyCollaborationRow.objects.order_by("id")
    told = [{**row.document, "_id": len(row.document["_id"])} for row in rows]
    session = {"_id": 24, "session_id": "s-1", "name": "Compilers", "description": ""}
    sent = {**session, "email": "ann@example.com"}
    assert told == [
        {**sent, "access": "edit", "uploaded_at": "2025-06-01T12:00:00+00:00"},
        {**sent, "invited_email": "bob@example.com", "access": "edit",
         "uploaded_at": "2025-06-01T12:01:00+00:00"},
        {**sent, "invited_email": "cid@example.com", "access": "view",
         "uploaded_at": "2025-06-01T12:02:00+00:00"},
    ]  # fmt: skip
    act(3, "ann", "role", "cid", "editor")
    assert rows.all()[2].document["access"] == "edit"
    assert [row.key for row in rows.all()[3:]] == ["decisions:s-1"]  # the time of the last activity

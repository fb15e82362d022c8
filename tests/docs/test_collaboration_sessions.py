"""docs/collaboration-sessions.md: its program runs, its tables are those of the code."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from sessions_app.collaboration.errors import CollaborationError
from sessions_app.collaboration.roles import MANAGED_ROLES, RIGHTS, Right
from sessions_app.models import SessionKind
from sessions_app.models.participant import PARTICIPANT_TRANSITIONS
from sessions_app.models.session import SESSION_TRANSITIONS
from sessions_app.services import collaboration
from tests.docs.console import blocks, document, section, table

TEXT = document("docs/collaboration-sessions.md")


def words(cell: str) -> set[str]:
    return {word.strip("` ") for word in cell.split(",")}


@pytest.mark.django_db
def test_its_program_runs():
    ann = User.objects.create_user("ann", "ann@example.com")
    bob = User.objects.create_user("bob", "bob@example.com")
    (program,) = blocks(TEXT, "python")
    found: dict[str, Any] = {"ann": ann, "bob": bob}
    exec(program, found)  # noqa: S102 - the document's own words
    assert found["titles"] == ["Compilers"]
    (session,) = collaboration.list_sessions(acting_user=bob, which=collaboration.Which.MINE)
    assert session.owner is not None
    assert session.owner.email == "bob@example.com"


def test_its_matrix_is_that_of_the_program():
    rows = table(section(TEXT, "Who may do what"))
    matrix = {row[0]: row[1:] for row in rows if len(row) == 5}
    assert set(matrix) == {role.value for role in RIGHTS}
    for role, rights in RIGHTS.items():
        views, edits, decides, owns = matrix[role.value]
        told = [(views, Right.VIEW), (edits, Right.EDIT), (owns, Right.OWN)]
        assert all((cell == "yes") == (right in rights) for cell, right in told)
        managed = {each.value for each in MANAGED_ROLES[role]}
        assert (set() if decides == "no" else words(decides)) == managed
        assert (Right.MANAGE_PEOPLE in rights) == bool(managed)


@pytest.mark.parametrize(
    ("heading", "allowed"),
    [
        ("Who is in a session", PARTICIPANT_TRANSITIONS),
        ("Put away and delete", SESSION_TRANSITIONS[SessionKind.COLLABORATION]),
    ],
)
def test_its_statuses_are_those_of_the_program(heading: str, allowed: Any):
    rows = table(section(TEXT, heading))
    told = {row[0].strip("`"): words(row[1]) - {"nothing"} for row in rows}
    assert told == {status.value: {end.value for end in ends} for status, ends in allowed.items()}


def test_it_names_every_operation():
    rows = table(section(TEXT, "From a program"))
    named = set().union(*(words(row[0]) for row in rows))
    assert named == {name for name in collaboration.__all__ if name not in ("Access", "Which")}


def test_its_codes_and_settings_are_those_of_the_program():
    def tree(error: type[CollaborationError]) -> set[type[CollaborationError]]:
        return {error}.union(*map(tree, error.__subclasses__()))

    rows = table(section(TEXT, "What may be refused"))
    told = {(row[0].strip("`"), int(row[1])) for row in rows}
    errors = tree(CollaborationError) - {CollaborationError}
    assert told == {(error.code, error.http_status) for error in errors}
    assert (
        f"`CARRYOVER_COLLABORATION_CAPACITY` ({settings.CARRYOVER_COLLABORATION_CAPACITY})" in TEXT
    )

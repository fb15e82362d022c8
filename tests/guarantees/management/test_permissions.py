"""Commands that show what guarantees say ask for the right to see them."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from migrations_tools.models import Transition
from tests.guarantees.services.acting import clerk, guarantee, issue

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("command", "permission"),
    [("guarantee_history", "view_guarantee"), ("print_letter", "view_guaranteeaction")],
)
def test_a_command_shows_only_what_its_account_may_see(
    command: str, permission: str, tmp_path: Path, settings: Settings
) -> None:
    guarantee()
    action = issue()
    arguments: list[object] = ["LG-1"]
    if command == "print_letter":
        arguments = [action.pk, "--out", tmp_path / "letter.html"]
    settings.CARRYOVER_ACTOR = clerk(name="omar").username
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command(command, *arguments, "--json", stdout=out)
    assert json.loads(out.getvalue())["error"]["code"] == "permission_denied"
    refused = Transition.objects.get(action="refused")
    assert (refused.actor.username, refused.details["permission"]) == ("omar", permission)
    assert list(tmp_path.iterdir()) == []
    settings.CARRYOVER_ACTOR = clerk(permission, name="rana").username
    call_command(command, *arguments, "--json", stdout=StringIO())

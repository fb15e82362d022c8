"""``manage.py issue_action``."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from guarantees.models import Guarantee, GuaranteeAction
from tests.guarantees.services.acting import clerk, guarantee

pytestmark = pytest.mark.django_db


def run(*words: str) -> tuple[str, int]:
    """What the command prints, and its exit code."""
    out = io.StringIO()
    try:
        call_command(*words, stdout=out, stderr=out)
    except SystemExit as ended:
        return out.getvalue(), int(ended.code or 0)
    return out.getvalue(), 0


def answer(*words: str) -> dict[str, Any]:
    printed, code = run("issue_action", *words, "--json")
    assert code == 0, printed
    told: dict[str, Any] = json.loads(printed)
    return told


def test_it_answers_with_the_action_and_what_the_guarantee_is_now():
    found = guarantee()
    told = answer("extension", "LG-1", "--expiry", "٣١/١٢/٢٠٢٦", "--notes", "n", "--reason", "r")
    action = GuaranteeAction.objects.get()
    assert told == {
        "id": action.pk,
        "type": "extension",
        "number": "LG-1",
        "status": "issued",
        "action_date": str(action.action_date),
        "previous_expiry": "2025-12-31",
        "new_expiry": "2026-12-31",
        "previous_amount": "1000.00",
        "new_amount": None,
        "changes": {},
        "reason": "r",
        "notes": "n",
        "session": action.session_id,
        "issued_at": told["issued_at"],
        "guarantee": {
            "id": found.pk,
            "status": "active",
            "currency": "SAR",
            "current_expiry": "2026-12-31",
            "current_amount": "1000.00",
        },
    }


def test_it_takes_every_type_and_a_named_guarantee():
    older = guarantee()
    guarantee()
    assert answer("reduction", "LG-1", "--amount", "1.5")["new_amount"] == "1.50"
    named = answer(
        "modification", "LG-1", "--guarantee", str(older.pk), "--set", "type=Final",
        "--set", "expiry_date=2025-11-30", "--reason", "misread",
    )  # fmt: skip
    assert named["changes"] == {
        "type": ["", "Final"],
        "expiry_date": ["2025-12-31", "2025-11-30"],
    }
    older.refresh_from_db()
    assert (older.type, older.current_expiry) == ("Final", date(2025, 11, 30))
    released = answer("release", "LG-1", "--key", "k")
    assert answer("release", "LG-1", "--key", "k") == released


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["release", "LG-9"], "There is no guarantee “LG-9”. [not_found]"),
        (["extension", "LG-1", "--expiry", "now"], "“now” is not a date. [not_a_date]"),
        (["extension", "LG-1", "--expiry", ""], "--expiry is blank. [invalid_value]"),
        (
            ["reduction", "LG-1", "--amount", "0"],
            "“0” is zero; an amount is more than that. [zero]",
        ),
        (["modification", "LG-1", "--set", "x"], "--set x: write FIELD=VALUE. [invalid_value]"),
    ],
)
def test_a_refusal_is_a_sentence_and_a_code(words, sentence):
    guarantee()
    assert run("issue_action", *words) == (f"{sentence}\n", 1)
    assert not GuaranteeAction.objects.exists()
    printed, code = run("issue_action", *words, "--json")
    error = json.loads(printed)["error"]
    assert (f"{error['message']} [{error['code']}]", code) == (sentence, 1)


def test_an_unknown_type_is_refused():
    with pytest.raises(CommandError, match="invalid choice: 'deletion'"):
        call_command("issue_action", "deletion", "LG-1")


def test_it_acts_as_the_person_that_is_named(settings):
    found = guarantee()
    clerk("change_guaranteeaction")
    settings.CARRYOVER_ACTOR = "clerk"
    printed, code = run("issue_action", "release", "LG-1")
    assert (printed.rstrip()[-19:], code) == ("[permission_denied]", 1)
    clerk("add_guaranteeaction")
    printed, code = run("issue_action", "release", "LG-1")
    assert code == 0
    assert f"guarantee {found.pk} is released, 1000.00 SAR, until 2025-12-31" in printed
    assert Guarantee.history.first().history_user == clerk("add_guaranteeaction")

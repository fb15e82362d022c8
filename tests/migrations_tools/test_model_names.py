"""Names of models and fields are words of the catalogue, and no matter for schema migrations."""

from __future__ import annotations

from django.apps import apps
from django.core.management import call_command
from django.utils import translation

from guarantees.models import Guarantee
from migrations_tools.definitions.registry import get_definition
from migrations_tools.model_names import our_apps, words
from migrations_tools.models import Batch
from migrations_tools.states import state_sentence


def test_names_are_looked_up_when_they_are_shown(monkeypatch):
    asked: list[str] = []

    def look_up(message: str) -> str:
        asked.append(message)
        return f"<{message}>"

    monkeypatch.setattr("django.utils.translation._trans.gettext", look_up)
    assert str(Guarantee._meta.verbose_name_plural) == "<guarantees>"
    assert str(Guarantee._meta.get_field("expiry_date").verbose_name) == "<expiry date>"
    assert str(apps.get_app_config("guarantees").verbose_name) == "<Guarantees>"
    assert str(Batch._meta.verbose_name_plural) == "<batches>"
    assert len(asked) == 4


def test_the_words_are_english_whatever_the_language_of_the_page():
    with translation.override("ar"):
        found = words()
    assert {"supplier", "bank aliases", "expiry date", "Data migrations", "batches"} <= found
    assert not any(word.startswith("historical") for word in found)
    assert {"Upgrade lessons", "Waits for a second person; it starts when approved."} <= found
    assert [config.label for config in our_apps()] == [
        "migrations_tools",
        "sessions_app",
        "guarantees",
    ]


def test_definitions_and_states_speak_the_language_of_the_page():
    with translation.override("ar"):
        assert get_definition("upgrade_lessons").title() == "ترقية الحصص"
        assert state_sentence("apply", "rolled_back") == "أُرجع كل ما كتبته."
    assert get_definition("upgrade_lessons").title() == "Upgrade lessons"


def test_no_migration_is_needed_for_them(db):
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)

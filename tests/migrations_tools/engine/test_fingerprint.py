"""What of the code a plan remembers."""

from __future__ import annotations

import inspect
from types import ModuleType

import pytest

from migrations_tools.definitions.registry import get_definition
from migrations_tools.engine.fingerprint import code_fingerprint, modules_of


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        (
            "split_imported_records",
            {"guarantees.reading.amounts", "guarantees.reading.text", "guarantees.models.number"},
        ),
        (
            "enrich_contest_sessions",
            {"sessions_app.contests.values", "sessions_app.selectors.contest_bank"},
        ),
        ("normalize_collaboration_sessions", {"sessions_app.reading.collaboration"}),
    ],
)
def test_it_covers_what_the_definition_uses_of_its_app(name: str, seen: set[str]) -> None:
    definition = get_definition(name)
    modules = modules_of(definition)
    assert seen | {definition.__module__} <= modules
    assert not [module for module in modules if ".services." in module or ".admin" in module]


def test_it_changes_with_the_source_of_a_module_used(monkeypatch: pytest.MonkeyPatch) -> None:
    definition = get_definition("split_imported_records")
    before = code_fingerprint(definition)
    assert code_fingerprint(definition) == before
    source = inspect.getsource

    def edited(module: ModuleType) -> str:
        ours = module.__name__ == "guarantees.reading.amounts"
        return source(module) + ("# another rule" if ours else "")

    monkeypatch.setattr(inspect, "getsource", edited)
    assert code_fingerprint(definition) != before

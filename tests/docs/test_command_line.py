"""docs/command-line.md names every command and option, and none that is not there."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator

import pytest
from django.core.management import get_commands, load_command_class

from migrations_tools.definitions import registry
from migrations_tools.engine import plan
from migrations_tools.imports.kinds import all_kinds
from migrations_tools.management.base import ExitCode
from migrations_tools.management.commands.datamigrate import SUBCOMMANDS
from migrations_tools.management.datamigrate.showing import MOST_RUNS
from migrations_tools.selectors.summary import nothing_to_do
from migrations_tools.verification.results import Result
from tests.docs.console import blocks, document, section, table
from tests.shop.data_migrations import CarryOrders

TEXT = document("docs/command-line.md")

#: Where our commands are; the others are Django's and its packages'.
OWN_APPS = {"migrations_tools", "sessions_app", "guarantees"}

#: Options of every command; they have a section of their own.
COMMON = {
    "--help", "-h", "--version", "--json", "--settings", "--pythonpath", "--traceback", "-v",
    "--verbosity", "--no-color", "--force-color", "--skip-checks",
}  # fmt: skip


@pytest.fixture
def parsers(monkeypatch: pytest.MonkeyPatch) -> dict[str, argparse.ArgumentParser]:
    """The parser of each command and subcommand, without the flags of any definition."""
    monkeypatch.setattr(registry, "_definitions", {})
    found: dict[str, argparse.ArgumentParser] = {}
    for name, app in get_commands().items():
        if app not in OWN_APPS:
            continue
        parser = load_command_class(app, name).create_parser("manage.py", name)
        nested = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
        for own, subparser in nested[0].choices.items() if nested else ():
            found[f"{name} {own}"] = subparser
        if not nested:
            found[name] = parser
    hidden = [command for command in SUBCOMMANDS if command.help == argparse.SUPPRESS]
    for command in hidden:
        del found[f"datamigrate {command.name}"]
    return found


def documented() -> Iterator[tuple[str, str]]:
    """Usage and text of each command."""
    for part in re.split(r"^### ", TEXT, flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        yield heading.strip("`"), body.partition("\n## ")[0]


def name_of(usage: str) -> str:
    words = usage.split()
    return " ".join(words[:2]) if words[0] in ("datamigrate", "agent_session") else words[0]


def options_in(body: str) -> dict[str, bool]:
    """Options of the table, and whether each takes a value."""
    rows = table(body) if "| option |" in body else []
    spans = [span for row in rows for span in re.findall("`([^`]+)`", row[0])]
    return {span.split()[0]: " " in span for span in spans}


def test_every_command_is_there_and_no_other(parsers: dict[str, argparse.ArgumentParser]) -> None:
    assert sorted(name_of(usage) for usage, _ in documented()) == sorted(parsers)


def test_every_option_is_there_and_no_other(parsers: dict[str, argparse.ArgumentParser]) -> None:
    for usage, body in documented():
        actions = parsers[name_of(usage)]._actions
        expected = {
            option: action.nargs != 0
            for action in actions
            for option in action.option_strings
            if option not in COMMON
        }
        assert options_in(body) == expected, usage


def test_usage_names_what_must_be_given(parsers: dict[str, argparse.ArgumentParser]) -> None:
    for usage, _ in documented():
        for action in parsers[name_of(usage)]._actions:
            if action.option_strings:
                given = action.option_strings[0] in usage.split()
                assert given == action.required, usage
            else:
                assert str(action.metavar or action.dest.upper()) in usage, usage


def test_options_of_every_command_are_there(parsers: dict[str, argparse.ArgumentParser]) -> None:
    common = section(TEXT, "Options of every command")
    assert options_in(common).keys() == COMMON - {"--help", "-h", "--version"}
    for name, parser in parsers.items():
        if name != "worker":
            assert "--json" in parser._option_string_actions, name


def test_exit_codes_are_those_of_the_program() -> None:
    codes = [int(row[0].strip("`")) for row in table(section(TEXT, "Exit codes"))]
    assert codes == [code.value for code in ExitCode]


def test_numbers_and_kinds_are_those_of_the_program() -> None:
    assert f"Up to {plan.MOST_KEYS:,} keys are all executed" in TEXT
    assert f"the {MOST_RUNS} newest runs" in TEXT
    assert "lists the kinds" in TEXT
    listed = {
        name
        for row in table(section(document("docs/importing.md"), "Which files"))
        for name in re.findall("`([a-z_]+)`", row[0])
    }
    assert listed == {kind.name for kind in all_kinds()}


def test_the_json_object_has_the_keys_of_the_program() -> None:
    (example,) = [json.loads(block) for block in blocks(TEXT, "json")]
    answer = nothing_to_do(CarryOrders, "apply")
    assert list(example) == list(answer)
    assert example["outcomes"].keys() == answer["outcomes"].keys()
    flat = TEXT.replace("\n", " ")
    check = ", ".join(f'"{name}"' for name in Result("", "").as_dict())
    assert f"a check is `{{{check}}}`" in flat

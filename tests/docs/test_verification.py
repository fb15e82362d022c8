"""docs/verification.md: its commands do what it says, its codes are those of the program."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import migrations_tools.verification
from migrations_tools.services import retention, verification
from migrations_tools.verification.results import MOST_NAMED
from tests.docs.console import document, run_all, section, table
from tests.docs.test_operations import carried_over

TEXT = document("docs/verification.md")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("practice")
def test_its_commands_do_what_it_says() -> None:
    carried_over()
    run_all(TEXT)


def test_codes_are_those_of_the_program() -> None:
    (folder,) = migrations_tools.verification.__path__
    parts = [*Path(folder).glob("*.py"), Path(inspect.getfile(verification))]
    code = "".join(path.read_text(encoding="utf-8") for path in parts)
    rows = table(section(TEXT, "What is checked"))
    told = {name for row in rows for name in re.findall("`([a-z_]+)`", row[0])}
    assert {name for name in told if f'"{name}"' not in code} == set()
    assert set(re.findall(r'Result\(\s*"([a-z_]+)"', code)) - told == set()


def test_numbers_are_those_of_the_program() -> None:
    assert f"up to {MOST_NAMED} for each check" in TEXT
    assert f"for {retention.DEFAULT_RETENTION_DAYS} days after its end" in TEXT

"""docs/quick-start.md, typed from top to bottom."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.console import commands, document, run_all

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.slow
def test_its_commands_do_what_it_says(practice: Path) -> None:
    text = document("docs/quick-start.md")
    assert commands(text)
    run_all(text)

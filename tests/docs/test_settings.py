"""Every environment variable that the program reads is in README or docs/operations.md."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

from tests.docs.console import document, section, table

_READ = re.compile(r"""(?:env\.\w+|environ\.get|getenv)\(\s*"([A-Z][A-Z_]+)\"""")

#: Told beside the command that reads it.
_OF_A_COMMAND = {"PORT"}


def listed(page: str) -> set[str]:
    rows = table(section(document(page), "Settings"))
    return {name for row in rows for name in re.findall("`([A-Z_]+)`", row[0])}


def test_every_variable_is_listed_and_no_other() -> None:
    folders = [Path(settings.BASE_DIR) / name for name in ("config", "migrations_tools/engine")]
    code = "".join(
        path.read_text(encoding="utf-8") for folder in folders for path in folder.rglob("*.py")
    )
    read = set(_READ.findall(code)) - _OF_A_COMMAND
    told = listed("README.md") | listed("docs/operations.md")
    letters = {name for name in read if name.startswith("CARRYOVER_LETTER_")}
    assert read - letters - told == set()
    assert told - read == set()

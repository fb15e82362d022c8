"""Links between the documents lead somewhere, and the settings they name are read by the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from tests.docs.console import commands

ROOT = Path(settings.BASE_DIR)
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def anchors(text: str) -> set[str]:
    """The names that headings get: small letters, spaces as hyphens, no punctuation."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), link


def test_every_document_is_in_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    others = {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert {name for name in others if f"({name})" not in index} == set()


def test_settings_are_read_by_the_code() -> None:
    named = {
        name
        for path in DOCUMENTS
        for name in re.findall(r"CARRYOVER_[A-Z_]+\b", path.read_text(encoding="utf-8"))
    }
    folders = ("config", "guarantees", "migrations_tools", "sessions_app")
    code = "".join(
        path.read_text(encoding="utf-8")
        for folder in folders
        for path in ROOT.glob(f"{folder}/**/*.py")
    )
    assert {name for name in named if name not in code} == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_block_of_commands_is_read(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    typed = re.findall(r"^ *\$ python manage\.py ", text, re.MULTILINE)
    assert len(commands(text)) == len(typed) == text.count("$ ")

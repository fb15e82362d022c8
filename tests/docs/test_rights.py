"""docs/rights.md says what the database grants, and nothing else."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.contrib.auth.models import Group

pytestmark = pytest.mark.django_db

GROUPS = ["Operator", "Reviewer", "Approver", "Auditor", "Instructor", "Clerk"]


def documented() -> dict[str, set[tuple[str, str]]]:
    """(app, code name) by group, from the tables of the page."""
    text = (settings.BASE_DIR / "docs" / "rights.md").read_text(encoding="utf-8")
    granted: dict[str, set[tuple[str, str]]] = {group: set() for group in GROUPS}
    app = ""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[1:] == GROUPS:
            app = cells[0].strip("`")
        elif len(cells) == len(GROUPS) + 1 and app and not set(line) <= set("|-"):
            for group, cell in zip(GROUPS, cells[1:], strict=True):
                deed = re.match(r"`(\w+)`", cells[0])
                if deed and cell == "yes":
                    granted[group].add(("migrations_tools", deed[1]))
                elif not deed and cell != "–":
                    granted[group] |= {(app, f"{verb}_{cells[0]}") for verb in cell.split(", ")}
    return granted


def test_the_page_is_equal_to_the_database():
    names = ("permissions__content_type__app_label", "permissions__codename")
    stored = {group: set(Group.objects.filter(name=group).values_list(*names)) for group in GROUPS}
    assert documented() == stored
    assert set(Group.objects.values_list("name", flat=True)) == set(GROUPS)


def test_auditors_change_nothing_and_see_no_opinions_about_people():
    codes = set(Group.objects.get(name="Auditor").permissions.values_list("codename", flat=True))
    assert {code.partition("_")[0] for code in codes} == {"view"}
    assert "view_rowchange" in codes
    assert codes.isdisjoint({"view_profile", "view_feedback", "view_legacyidentity"})

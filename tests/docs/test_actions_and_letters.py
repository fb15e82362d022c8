"""docs/actions-and-letters.md: its commands and program run, its tables are the code's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from guarantees.action_errors import ActionRefused
from guarantees.models import ActionType, GuaranteeAction
from guarantees.services.actions.corrections import MODIFIABLE
from guarantees.services.actions.drafting import LONGEST_KEY
from migrations_tools.exceptions import PermissionRefused
from migrations_tools.pdf import PDFUnavailable
from tests.docs.console import blocks, document, run_all, section, table
from tests.guarantees.services.acting import PERMISSIONS, clerk, guarantee, issue

TEXT = document("docs/actions-and-letters.md")


@pytest.mark.django_db
def test_its_commands_do_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number in ("LG-1", "LG-2", "LG-3", "LG-4"):
        guarantee(number=number, amount=Decimal(1000))
    action = issue(number="LG-4")
    run_all(TEXT.replace("ACTION", str(action.pk)))
    assert GuaranteeAction.objects.filter(number="LG-2").count() == 1
    assert {file.name for file in tmp_path.iterdir()} == {"letter.html", "letters.html"}


@pytest.mark.django_db
def test_its_program_runs() -> None:
    guarantee()
    guarantee(number="LG-2")
    [program] = blocks(TEXT, "python")
    exec(program, {"user": clerk()})  # noqa: S102 - our own
    assert set(GuaranteeAction.objects.values_list("action_type", "status")) == {
        ("release", "issued"),
        ("extension", "issued"),
    }


def refusals(base: type[ActionRefused] = ActionRefused) -> Iterator[str]:
    for refusal in base.__subclasses__():
        yield refusal.code
        yield from refusals(refusal)


def test_it_names_every_refusal() -> None:
    rows = table(section(TEXT, "What is refused"))
    codes = [code for row in rows for code in re.findall("`([^`]+)`", row[0])]
    assert sorted(codes) == sorted([PermissionRefused.code, PDFUnavailable.code, *refusals()])


def test_it_names_every_type_field_and_permission() -> None:
    acting = section(TEXT, "Act on a guarantee")
    assert [row[0].strip("`") for row in table(acting)] == ActionType.values
    fields = acting[acting.index("A modification sets") :]
    assert re.findall("`([^`]+)`", fields) == list(MODIFIABLE)
    assert {name for name in PERMISSIONS if f"`{name}`" not in TEXT} == set()
    assert f"up to {LONGEST_KEY} characters" in TEXT

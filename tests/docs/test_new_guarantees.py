"""docs/new-guarantees.md: its commands and programs run, its tables are the code's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from guarantees.entry_errors import EntryRefused
from guarantees.models import Guarantee
from guarantees.workbooks import column_of, limits
from migrations_tools.exceptions import PermissionRefused
from tests.docs.console import blocks, document, run_all, section
from tests.guarantees.services.entering import dictionaries, keeper
from tests.guarantees.workbooks.files import HEADINGS, ROW, xlsx
from tests.guarantees.workbooks.test_hostile_files import HOSTILE

TEXT = document("docs/new-guarantees.md")


@pytest.mark.django_db
def test_its_commands_do_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    dictionaries()
    unknown, bad = ("LG-2", "Somebody", *ROW[2:]), (*ROW[:3], "1e3", "C", "now")
    xlsx(tmp_path / "received.xlsx", HEADINGS, ROW, unknown, bad)
    run_all(TEXT)
    assert Guarantee.objects.count() == 4


@pytest.mark.django_db
def test_its_programs_run() -> None:
    supplier, bank = dictionaries()
    entering, deciding = blocks(TEXT, "python")
    known = {"user": keeper(), "supplier": supplier}
    exec(entering, known)  # noqa: S102 - our own
    exec(deciding, known)  # noqa: S102 - our own
    found = Guarantee.objects.order_by("pk").values_list("number", "supplier", "bank", "related_to")
    assert list(found) == [
        ("LG-9", supplier.pk, bank.pk, "contract"),
        ("LG-10", None, bank.pk, "purchase_order"),
    ]


def test_its_headings_are_known() -> None:
    headings = section(TEXT, "Which workbooks are understood")
    rows = re.findall(r"^\| (?:the|a|type) .*?\| (.*) \|$", headings, re.MULTILINE)
    written = [heading for row in rows for heading in re.findall("`([^`]+)`", row)]
    assert len(written) > 25
    assert [heading for heading in written if column_of(heading) is None] == []


def test_it_names_every_refusal_and_limit() -> None:
    told = set(re.findall("`([a-z_]+)`", section(TEXT, "What is refused")))
    codes = {refusal.code for refusal in EntryRefused.__subclasses__()} - {"decision_refused"}
    codes |= {code for _, code in HOSTILE.values()} | {PermissionRefused.code}
    assert codes - told == set()
    for limit in (limits.ROWS, limits.COLUMNS):
        assert f"| {limit:,} |" in TEXT
    megabytes = (limits.FILE_BYTES, limits.OLD_FILE_BYTES)
    for size in (f"{limit // limits.MEGABYTE} MB" for limit in megabytes):
        assert size in TEXT

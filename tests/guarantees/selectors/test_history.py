"""The history of a number (guarantees.md "History of a number")."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.core.management import call_command

from guarantees.action_errors import NotFound
from guarantees.models import ImportedRecord
from guarantees.selectors.history import history_of_number
from migrations_tools.signing import save
from tests.guarantees.data_migrations.rows import stage, stage_session
from tests.guarantees.factories import GuaranteeActionFactory
from tests.guarantees.services.acting import clerk, draft, guarantee, issue

pytestmark = pytest.mark.django_db


def told(number="LG-1"):
    """Kind, title and differences, the newest first."""
    return [
        (entry["kind"], entry["title"], entry["differences"]) for entry in history_of_number(number)
    ]


def test_imports_and_actions_each_once_the_newest_first():
    found = guarantee(created_at=datetime(2024, 1, 1, tzinfo=UTC))
    issue()
    assert told() == [
        ("action", "Extension", {"expiry_date": ["2025-12-31", "2026-12-31"]}),
        ("import", f"Imported as guarantee {found.pk}", {}),
    ]
    newest = history_of_number(" LG-1 ")[0]
    assert (newest["by"], newest["source"], newest["guarantee"]) == ("clerk", "action", found.pk)


def test_every_type_of_action_tells_its_difference():
    guarantee(created_at=datetime(2024, 1, 1, tzinfo=UTC))
    issue("reduction", new_amount=Decimal(500))
    issue("modification", reason="misread", changes={"type": "Final"})
    issue("release")
    differences = {title: difference for _, title, difference in told()}
    assert differences["Reduction"] == {"amount": ["1000.00", "500.00"]}
    assert differences["Modification"] == {"type": ["", "Final"]}
    assert differences["Release"] == {"status": ["active", "released"]}


def test_a_draft_is_named_as_one_and_has_changed_nothing():
    guarantee(created_at=datetime(2024, 1, 1, tzinfo=UTC))
    draft(new_expiry=date(2030, 1, 1))
    assert next(title for _, title, _ in told()) == "Extension (draft)"


def test_a_change_by_hand_is_told_with_who_and_why():
    found = guarantee(created_at=datetime(2024, 1, 1, tzinfo=UTC))
    found.comment = "seen"
    save(found, acting_user=clerk(), reason="after a call")
    save(found, acting_user=clerk(), reason="nothing changed")
    newest, _ = history_of_number("LG-1")
    assert newest["differences"] == {"comment": ["", "seen"]}
    assert (newest["kind"], newest["by"], newest["reason"]) == ("change", "clerk", "after a call")


def test_another_import_of_the_number_differs_from_the_version_before():
    guarantee(created_at=datetime(2024, 1, 1, tzinfo=UTC), supplier=None, bank=None)
    issue("modification", reason="misread", changes={"type": "Final"})
    guarantee(
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        supplier=None,
        bank=None,
        type="Final",
        amount=9,
    )
    kind, _, difference = told()[0]
    assert (kind, difference) == ("import", {"amount": ["1000.00", "9.00"]})


def test_old_rows_are_told_until_they_are_carried_over():
    stage_session(1)
    row = stage(1, guarantee_number=" LG-1", amount="1,500", expiry_date="not known")
    stage(1, guarantee_number="LG-1", created_at="2024-03-06 08:00:00", amount="1,600",
          expiry_date="31-12-2026")  # fmt: skip
    newest, oldest = history_of_number("LG-1")
    assert newest["differences"] == {
        "amount": ["1500.00", "1600.00"],
        "expiry_date": ["not known", "2026-12-31"],
    }
    assert (oldest["kind"], oldest["id"]) == ("legacy", row.pk)
    assert oldest["source"] == f"old row {row.pk}, not carried over yet"
    ImportedRecord.objects.filter(pk=row.pk).update(migrated_guarantee=guarantee(number="LG-1"))
    assert [entry["id"] for entry in history_of_number("LG-1")].count(row.pk) == 0


def test_an_action_of_the_old_system_differs_from_the_version_before_it():
    found = guarantee(created_at=datetime(2024, 1, 1, tzinfo=UTC))
    GuaranteeActionFactory.create(guarantee=found, issued=True, new_expiry=date(2027, 1, 1))
    (kind, title, difference), _ = told()
    assert (kind, title) == ("action", "Extension")
    assert difference == {"expiry_date": ["2025-12-31", "2027-01-01"]}
    assert history_of_number("LG-1")[0]["source"] == "action of the old system"


def test_it_asks_a_constant_number_of_queries(django_assert_num_queries):
    guarantee(supplier=None, bank=None)
    with django_assert_num_queries(4):
        history_of_number("LG-1")
    guarantee()
    for year in range(2027, 2031):
        issue(new_expiry=date(year, 1, 1))
        stage(guarantee_number="LG-1")
    with django_assert_num_queries(4):
        assert len(history_of_number("LG-1")) == 10


@pytest.mark.parametrize("number", ["LG-1", "", "LG\0", "\ud800"])
def test_an_unknown_number_is_not_found(number):
    with pytest.raises(NotFound):
        history_of_number(number)


def test_the_command_tells_it_to_people_and_to_programs():
    guarantee(created_at=datetime(2024, 1, 1, tzinfo=UTC))
    issue(reason="as agreed")
    out = io.StringIO()
    call_command("guarantee_history", "LG-1", stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[0] == "2025-05-01T22:30  Extension (action, by clerk): as agreed"
    assert lines[1] == "  expiry_date: 2025-12-31 → 2026-12-31"
    out = io.StringIO()
    call_command("guarantee_history", "LG-1", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"number": "LG-1", "entries": history_of_number("LG-1")}

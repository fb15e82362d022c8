"""``/api/v1/guarantees/``: looked at, entered, corrected, told of."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from guarantees.models import Guarantee, ImportBatch, SupplierAlias
from migrations_tools.models import Transition
from tests.guarantees.api.calling import Caller, chief, code, faults, person
from tests.guarantees.factories import (
    BankFactory,
    GuaranteeFactory,
    ImportBatchFactory,
    SupplierFactory,
)
from tests.guarantees.services.acting import guarantee, issue
from tests.guarantees.services.entering import dictionaries, entry

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Caller:
    return Caller(chief())


def numbers(answer: Any) -> list[str]:
    return [found["number"] for found in answer.json()["results"]]


def test_a_guarantee_is_told_with_names_and_decimal_strings(api):
    found = guarantee(raw_supplier_name="Noor Trdng", amount=Decimal("1234.5"))
    answer = api.get(f"guarantees/{found.pk}/")
    assert answer.status_code == 200
    assert answer["ETag"]
    told = answer.json()
    assert told["created_at"] == "2025-05-01T15:00:00+03:00"
    del told["created_at"]
    assert told == {
        "id": found.pk,
        "number": "LG-1",
        "raw_supplier_name": "Noor Trdng",
        "raw_bank_name": "",
        "supplier": found.supplier_id,
        "supplier_name": str(found.supplier),
        "bank": found.bank_id,
        "bank_name": str(found.bank),
        "contract_number": "",
        "related_to": "",
        "amount": "1234.50",
        "currency": "SAR",
        "issue_date": None,
        "expiry_date": "2025-12-31",
        "type": "",
        "comment": "",
        "match_status": "needs_review",
        "batch": found.batch_id,
        "import_kind": "excel",
        "import_date": "2025-05-01",
        "is_protected": False,
        "current_amount": "1000.00",
        "current_expiry": "2025-12-31",
        "status": "active",
    }


def test_lists_are_filtered_searched_and_ordered(api):
    bank, supplier = BankFactory.create(name_ar="بنك الرياض"), SupplierFactory.create()
    GuaranteeFactory.create(number="A", bank=bank, raw_supplier_name="شركة النور", amount=3)
    GuaranteeFactory.create(number="B", supplier=supplier, status="released", amount=1)
    GuaranteeFactory.create(
        number=" B ", match_status="ready", current_expiry=date(2027, 1, 1), amount=2
    )
    batch = Guarantee.objects.get(number="A").batch_id
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"status": "released"}, ["B"]),
        ({"match_status": "ready"}, [" B "]),
        ({"bank": bank.pk}, ["A"]),
        ({"supplier": supplier.pk}, ["B"]),
        ({"batch": batch}, ["A"]),
        ({"number": "B", "ordering": "id"}, ["B", " B "]),
        ({"expiry_from": "2026-01-01"}, [" B "]),
        ({"expiry_to": "2026-01-01", "ordering": "number"}, ["A", "B"]),
        ({"search": "النور"}, ["A"]),
        ({"search": "الرياض"}, ["A"]),
        ({"ordering": "amount"}, ["B", " B ", "A"]),
        ({"ordering": "-amount"}, ["A", " B ", "B"]),
        ({"ordering": "password"}, [" B ", "B", "A"]),
    ]
    assert [numbers(api.get("guarantees/", query)) for query, _ in cases] == [
        expected for _, expected in cases
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "lost"),
        ("bank", "x"),
        ("bank", "0"),
        ("batch", str(10**30)),
        ("expiry_from", "2025-02-30"),
        ("expiry_to", "31/12/2025"),
        ("page", "0"),
        ("page_size", "101"),
        ("search", "x" * 201),
        ("search", "\0"),
        ("number", "\0"),
    ],
)
def test_a_filter_that_cannot_be_is_refused_with_its_name(api, name, value):
    answer = api.get("guarantees/", {name: value})
    assert (answer.status_code, code(answer)) == (422, "validation_failed")
    if value != "\0":
        assert [field for field, _ in faults(answer)] == [name]


def test_pages_stay_whole_while_guarantees_come_in(api):
    for number in range(5):
        GuaranteeFactory.create(number=str(number))
    first = api.get("guarantees/", {"ordering": "created_at", "page_size": 3})
    GuaranteeFactory.create(number="5")
    second = api.get("guarantees/", {"ordering": "created_at", "page_size": 3, "page": 2})
    assert numbers(first) + numbers(second) == list("012345")
    assert (first.json()["count"], second.json()["count"]) == (5, 6)
    assert "page=2" in first.json()["next"]


def test_a_list_takes_the_same_statements_for_many_rows(api):
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert api.get("guarantees/").status_code == 200
        return len(captured)

    guarantee()
    few = statements()
    for number in range(8):
        guarantee(number=f"LG-{number}")
    assert statements() == few == 4  # session, user, count, page


def test_whoever_may_not_look_finds_nothing():
    found = guarantee()
    stranger, nobody = Caller(), Caller(person())
    assert stranger.get("guarantees/").status_code == 401
    for path in ("guarantees/", "unmatched-names/", "duplicates/", "actions/", "banks/"):
        answer = nobody.get(path)
        assert (answer.status_code, code(answer)) == (403, "permission_denied")
    for path in (f"guarantees/{found.pk}/", f"guarantees/{found.pk}/history/", "actions/1/"):
        assert nobody.get(path).status_code == 404
    looker = Caller(person("view_guarantee"))
    assert looker.get(f"guarantees/{found.pk}/").status_code == 200
    assert looker.get("actions/").status_code == 403


def test_what_may_be_seen_may_not_always_be_changed():
    found = guarantee()
    looker = Caller(person("view_guarantee", "view_guaranteeaction"))
    asked = [
        ("POST", "guarantees/", entry()),
        ("POST", "guarantees/paste/", {"text": "Number: 1"}),
        ("POST", "guarantees/paste/preview/", {"text": "Number: 1"}),
        ("PATCH", f"guarantees/{found.pk}/", {"comment": "x"}),
        ("POST", f"guarantees/{found.pk}/match/", {"supplier": found.supplier_id}),
        *(
            ("POST", f"guarantees/{found.pk}/{name}/", {})
            for name in ("extend", "release", "renew", "reduce", "modify")
        ),
        ("POST", "actions/", {"action_type": "release", "number": "LG-1"}),
        ("PATCH", "actions/1/", {"notes": "x"}),
        ("POST", "actions/1/issue/", {}),
        ("DELETE", "actions/1/", {}),
        ("POST", "action-sessions/1/lock/", {}),
        ("POST", "suppliers/", {"name": "x"}),
        ("DELETE", f"banks/{found.bank_id}/", {}),
    ]
    answers = [looker.send(*each, Idempotency_Key=str(place)) for place, each in enumerate(asked)]
    assert [(answer.status_code, code(answer)) for answer in answers] == [
        (403, "permission_denied")
    ] * len(asked)
    assert Transition.objects.filter(action="refused", surface="api").count() == len(asked)
    assert found.actions.count() == 0


def test_a_guarantee_is_entered_as_people_write_it(api):
    supplier, bank = dictionaries()
    answer = api.post("guarantees/", entry(amount="١٬٥٠٠٫٢٥"))
    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert answer["Location"] == f"/api/v1/guarantees/{told['id']}/"
    assert (told["amount"], told["expiry_date"]) == ("1500.25", "2030-12-31")
    assert (told["supplier"], told["bank"], told["match_status"]) == (
        supplier.pk,
        bank.pk,
        "ready",
    )
    assert told["warnings"] == []
    again = api.post("guarantees/", entry(amount="1500.25")).json()
    assert [warning["code"] for warning in again["warnings"]] == ["duplicate"]
    batch = api.get(f"import-batches/{told['batch']}/").json()
    assert (batch["kind"], batch["total_records"], batch["ready_records"]) == ("manual", 2, 2)


def test_all_that_is_wrong_with_an_entry_is_told_at_once(api):
    answer = api.post(
        "guarantees/",
        {"number": ["x"], "supplier": "S", "amount": "1e3", "expiry_date": "now", "colour": "red"},
    )
    assert (answer.status_code, code(answer)) == (400, "invalid_entry")
    assert sorted(faults(answer)) == [
        ("amount", "exponent"),
        ("bank", "missing"),
        ("colour", "unknown_field"),
        ("contract_or_order", "missing"),
        ("expiry_date", "not_a_date"),
        ("number", "not_text"),
    ]
    assert not Guarantee.objects.exists()
    assert not ImportBatch.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("{", 400),
        ("[]", 422),
        ('"text"', 422),
        ("null", 422),
        ("{}", 400),
        ('{"number": "\\u0000"}', 400),
        ('{"number": "\\ud800", "\\ud800": "\\udfff"}', 400),
        ('{"amount": 1e400}', 400),
        ('{"amount": NaN}', 400),
        ('{"amount": ' + "9" * 5000 + "}", 400),
        ('{"amount": ' + "9" * 31 + "}", 400),
        ('{"expiry_date": ' + "9" * 400 + "}", 400),
        ('{"related_to": ["contract"]}', 400),
        ('{"number": ' + "[" * 200 + "]" * 200 + "}", 400),
    ],
)
def test_whatever_is_sent_is_refused_in_words(api, body, status):
    answer = api.post("guarantees/", body)
    assert answer.status_code == status, answer.content
    assert set(answer.json()["error"]) >= {"code", "message", "request_id"}
    assert not Guarantee.objects.exists()


def test_a_text_is_previewed_and_then_pasted(api):
    dictionaries()
    text = (
        "رقم الضمان: LG-10\nالمورد: Al Noor Trading\nالبنك: بنك الرياض\nالمبلغ: ١٬٥٠٠\n"
        "أمر الشراء: 4500\n"
    )
    preview = api.post("guarantees/paste/preview/", {"text": f"{text}\nرقم الضمان: LG-11"})
    assert preview.status_code == 200
    told = preview.json()
    assert (told["read"], told["rejected"]) == (2, 1)
    assert [row["status"] for row in told["rows"]] == ["ready", "rejected"]
    assert told["rows"][0]["values"]["amount"] == "1500.00"
    assert not ImportBatch.objects.exists()

    answer = api.post("guarantees/paste/", {"text": text})
    assert answer.status_code == 201
    (made,) = answer.json()["guarantees"]
    assert (made["number"], made["related_to"]) == ("LG-10", "purchase_order")
    assert answer["Location"] == f"/api/v1/import-batches/{made['batch']}/"
    preview = api.post("guarantees/paste/preview/", {"text": text}).json()
    assert [warning["code"] for warning in preview["rows"][0]["warnings"]] == ["duplicate"]

    for wrong, expected in [("", "not_understood"), ("hello", "not_understood"),
                            ("x" * 200_001, "too_long")]:  # fmt: skip
        refused = api.post("guarantees/paste/", {"text": wrong})
        assert (refused.status_code, faults(refused)) == (400, [("text", expected)])


def test_a_correction_is_made_of_what_was_read(api):
    found = guarantee()
    tag = api.get(f"guarantees/{found.pk}/")["ETag"]
    answer = api.patch(f"guarantees/{found.pk}/", {"amount": "2,000", "issue_date": "1/2/2025"},
                       If_Match=tag)  # fmt: skip
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert (told["amount"], told["current_amount"], told["issue_date"]) == (
        "2000.00",
        "2000.00",
        "2025-02-01",
    )
    late = api.patch(f"guarantees/{found.pk}/", {"amount": "3"}, If_Match=tag)
    assert (late.status_code, code(late)) == (412, "precondition_failed")
    same = api.patch(f"guarantees/{found.pk}/", {"amount": 2000}, If_Match=answer["ETag"])
    assert (same.status_code, same["ETag"]) == (200, answer["ETag"])
    assert Guarantee.objects.get().amount == 2000


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"amount": "0"}, ("amount", "zero")),
        ({"amount": True}, ("amount", "not_a_number")),
        ({"amount": 10**30}, ("amount", "too_large")),
        ({"expiry_date": "2025-02-30"}, ("expiry_date", "impossible_date")),
        ({"expiry_date": 46000}, ("expiry_date", "not_a_date")),
        ({"supplier": 10**30}, ("supplier", "max_value")),
        ({"supplier": "x"}, ("supplier", "invalid")),
        ({"number": "\0"}, ("number", "null_characters_not_allowed")),
        ({"number": " "}, ("number", "invalid_value")),
        ({"comment": "\ud800"}, ("comment", "surrogate_characters_not_allowed")),
        ({"currency": "ريا"}, ("currency", "invalid_value")),
        ({"status": "released"}, ("status", "unknown_field")),
    ],
)
def test_a_correction_that_cannot_be_changes_nothing(api, body, expected):
    found = guarantee()
    answer = api.patch(f"guarantees/{found.pk}/", body)
    assert (answer.status_code, faults(answer)) == (422, [expected])
    assert Guarantee.history.filter(id=found.pk).count() == 1


def test_what_is_not_there_or_protected_is_not_corrected(api):
    protected = GuaranteeFactory.create(protected=True)
    refused = api.patch(f"guarantees/{protected.pk}/", {"comment": "x"})
    assert (refused.status_code, code(refused)) == (409, "guarantee_protected")
    for pk in (0, 99, 10**18 * 9, 10**19 - 1):
        assert api.get(f"guarantees/{pk}/").status_code == 404
        assert api.patch(f"guarantees/{pk}/", {"comment": "x"}).status_code == 404
        assert api.post(f"guarantees/{pk}/release/").status_code == 404
        assert api.post(f"guarantees/{pk}/match/", {"bank": 1}).status_code == 404
    assert api.get("guarantees/LG-1/").status_code == 404
    assert api.send("PUT", f"guarantees/{protected.pk}/").status_code == 405


def test_the_history_of_a_number_is_told_with_differences(api):
    found = guarantee(number=" LG-1 ")
    made = issue()
    for path, query in [(f"guarantees/{found.pk}/history/", {}), ("guarantees/history/",
                                                                  {"number": "LG-1"})]:  # fmt: skip
        told = api.get(path, query).json()
        assert told["count"] == 2
        newest, oldest = told["results"]
        assert (newest["kind"], newest["id"], newest["by"]) == ("action", made.pk, "clerk")
        assert newest["differences"] == {"expiry_date": ["2025-12-31", "2026-12-31"]}
        assert (oldest["kind"], oldest["guarantee"]) == ("import", found.pk)
    assert api.get("guarantees/history/", {"number": "none"}).status_code == 404
    assert faults(api.get("guarantees/history/")) == [("number", "required")]
    assert api.get(f"guarantees/{found.pk}/history/", {"page_size": 1}).json()["next"]


def test_a_name_is_decided_and_learnt(api):
    supplier, bank = dictionaries()
    names = {"raw_supplier_name": "Noor Trdng", "raw_bank_name": "RIBL"}
    first = GuaranteeFactory.create(batch=ImportBatchFactory.create(total_records=3), **names)
    GuaranteeFactory.create(batch=first.batch, **names)
    GuaranteeFactory.create(batch=first.batch, raw_supplier_name="al noor tradin")

    (frequent, similar) = api.get("unmatched-names/", {"party": "supplier"}).json()["results"]
    assert (frequent["name"], frequent["guarantees"], frequent["batch"]) == (
        "Noor Trdng",
        2,
        first.batch_id,
    )
    assert [found["id"] for found in similar["suggestions"]] == [supplier.pk]
    assert api.get("unmatched-names/", {"batch": 10**18}).json()["count"] == 0
    assert api.get("unmatched-names/", {"party": "x"}).status_code == 422

    decided = api.post(
        f"guarantees/{frequent['guarantee']}/match/",
        {"supplier": supplier.pk, "bank": bank.pk, "reason": "asked"},
    )
    assert decided.status_code == 200, decided.content
    told = decided.json()
    assert (len(told["guarantees"]), told["ready"], told["taught"]) == (2, 2, True)
    assert told["guarantee"]["match_status"] == "ready"
    assert SupplierAlias.objects.get().name == "Noor Trdng"
    assert api.get("unmatched-names/").json()["count"] == 1

    for body, status in [({}, 422), ({"bank": 99}, 404), ({"bank": 10**18}, 404)]:
        assert api.post(f"guarantees/{first.pk}/match/", body).status_code == status


def test_two_names_are_decided_both_or_not_at_all(api):
    supplier, _ = dictionaries()
    found = GuaranteeFactory.create(raw_supplier_name="Noor Trdng")
    assert api.post(
        f"guarantees/{found.pk}/match/", {"supplier": supplier.pk, "bank": 99}
    ).status_code == 404  # fmt: skip
    found.refresh_from_db()
    assert found.supplier_id is None
    assert not SupplierAlias.objects.exists()


def test_duplicates_are_listed_by_number_bank_amount_and_expiry(api):
    bank = BankFactory.create()
    twins = [GuaranteeFactory.create(number=number, bank=bank) for number in ("A", " A")]
    unknown = [GuaranteeFactory.create(number="B", raw_bank_name=name) for name in ("x", "X ")]
    GuaranteeFactory.create(number="A", bank=bank, amount=7)
    GuaranteeFactory.create(number="B", raw_bank_name="y")
    told = api.get("duplicates/").json()
    assert told["count"] == 2
    assert [(found["number"], found["bank"], found["guarantees"]) for found in told["results"]] == [
        ("B", None, [found.pk for found in unknown]),
        ("A", bank.pk, [found.pk for found in twins]),
    ]
    assert told["results"][0] | {"guarantees": []} == {
        "number": "B",
        "bank": None,
        "amount": "1000.00",
        "expiry_date": "2025-12-31",
        "count": 2,
        "guarantees": [],
    }

"""Actions and letters by the API: asked for, drafted, issued, locked, printed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from guarantees.models import ActionSession, GuaranteeAction
from migrations_tools.models import IdempotencyKey
from tests.guarantees.api.calling import Caller, chief, code, faults, person
from tests.guarantees.services.acting import currently, draft, guarantee, issue

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Caller:
    return Caller(chief())


def test_an_extension_is_issued_and_told(api):
    found = guarantee()
    answer = api.post(f"guarantees/{found.pk}/extend/", {"reason": "asked by the site"})
    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert answer["Location"] == f"/api/v1/actions/{told['id']}/"
    assert api.get(f"actions/{told['id']}/").json() == told
    assert api.get(f"actions/{told['id']}/")["ETag"] == answer["ETag"]
    made = GuaranteeAction.objects.get()
    assert told.pop("issued_at")
    assert told.pop("created_at")
    assert told == {
        "id": made.pk,
        "guarantee": found.pk,
        "number": "LG-1",
        "action_type": "extension",
        "status": "issued",
        "is_locked": True,
        "session": made.session_id,
        "action_date": str(made.action_date),
        "previous_expiry": "2025-12-31",
        "new_expiry": "2026-12-31",
        "previous_amount": "1000.00",
        "new_amount": None,
        "changes": {},
        "reason": "asked by the site",
        "notes": "",
        "supplier": found.supplier_id,
        "supplier_name": made.supplier_name,
        "supplier_display_name": made.supplier_display_name,
        "bank": found.bank_id,
        "bank_name": made.bank_name,
        "bank_display_name": made.bank_display_name,
        "created_by": "chief",
    }
    assert currently(found)[0] == date(2026, 12, 31)


def test_each_type_of_action_takes_what_is_its_own(api):
    found = guarantee()
    for name, body, told in [
        ("extend", {"new_expiry": "٣٠/٠٦/٢٠٢٦"}, {"new_expiry": "2026-06-30"}),
        ("reduce", {"new_amount": "٤٠٠٫٥"}, {"new_amount": "400.50", "new_expiry": None}),
        ("renew", {"new_amount": 500}, {"new_amount": "500.00", "new_expiry": "2027-06-30"}),
        (
            "modify",
            {"changes": {"type": "Final", "amount": "1,500"}, "reason": "misread"},
            {"changes": {"type": ["", "Final"], "amount": ["1000.00", "1500.00"]}},
        ),
        ("release", {}, {"action_type": "release", "new_expiry": None}),
    ]:
        answer = api.post(f"guarantees/{found.pk}/{name}/", body)
        assert answer.status_code == 201, answer.content
        assert answer.json() | told == answer.json()
    shown = api.get(f"guarantees/{found.pk}/").json()
    assert (shown["status"], shown["current_amount"], shown["current_expiry"], shown["amount"]) == (
        "released",
        "500.00",
        "2027-06-30",
        "1500.00",
    )


@pytest.mark.parametrize(
    ("values", "name", "body", "status", "expected"),
    [
        ({"status": "released"}, "release", {}, 409, "already_released"),
        ({"status": "released"}, "extend", {}, 409, "guarantee_released"),
        ({"current_expiry": None, "expiry_date": None}, "extend", {}, 409, "no_expiry"),
        ({"supplier": None}, "extend", {}, 409, "supplier_unknown"),
        ({"bank": None}, "release", {}, 409, "bank_unknown"),
        ({}, "extend", {"new_expiry": "2025-12-31"}, 422, "not_later"),
        ({}, "extend", {"new_expiry": "2026-02-30"}, 422, "impossible_date"),
        ({}, "extend", {"new_expiry": "١٤٤٧/٠١/٠١"}, 422, "hijri_year"),
        ({}, "extend", {"new_amount": "5"}, 422, "unknown_field"),
        ({}, "extend", {"draft": "perhaps"}, 422, "invalid"),
        ({}, "extend", {"reason": "\ud800"}, 422, "surrogate_characters_not_allowed"),
        ({}, "extend", {"notes": "\0"}, 422, "null_characters_not_allowed"),
        ({}, "reduce", {}, 422, "invalid_value"),
        ({}, "reduce", {"new_amount": "1000"}, 422, "amount_out_of_range"),
        ({}, "reduce", {"new_amount": "0"}, 422, "zero"),
        ({}, "reduce", {"new_amount": -1}, 422, "negative"),
        ({}, "reduce", {"new_amount": 10**30}, 422, "too_large"),
        ({}, "reduce", {"new_amount": "1e3"}, 422, "exponent"),
        ({}, "modify", {"changes": {"type": "x"}}, 422, "reason_missing"),
        ({}, "modify", {"reason": "x"}, 422, "nothing_changed"),
        ({}, "modify", {"changes": {"is_protected": False}, "reason": "x"}, 422, "unknown_field"),
        ({}, "modify", {"changes": "x", "reason": "x"}, 422, "invalid"),
        ({}, "modify", {"changes": {"bank": 99}, "reason": "x"}, 404, "not_found"),
        ({}, "release", [1], 422, "invalid"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(api, values, name, body, status, expected):
    found = guarantee(**values)
    answer = api.post(f"guarantees/{found.pk}/{name}/", body)
    assert answer.status_code == status, answer.content
    told = code(answer)
    assert expected == (faults(answer)[0][1] if told == "validation_failed" else told)
    assert not GuaranteeAction.objects.exists()
    assert not ActionSession.objects.exists()


def test_an_expired_guarantee_may_still_be_extended(api):
    found = guarantee(current_expiry=date(2001, 2, 28), expiry_date=date(2000, 2, 29))
    told = api.post(f"guarantees/{found.pk}/extend/").json()
    assert (told["previous_expiry"], told["new_expiry"]) == ("2001-02-28", "2002-02-28")


def test_an_action_by_number_means_its_newest_guarantee(api):
    older, newest = guarantee(number=" LG-1 "), guarantee()
    told = api.post("actions/", {"action_type": "extension", "number": "LG-1"}).json()
    assert told["guarantee"] == newest.pk
    body: dict[str, Any] = {"action_type": "release", "number": "LG-1", "guarantee": older.pk}
    assert api.post("actions/", body).json()["guarantee"] == older.pk
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({"number": "LG-7"}, 404, "not_found"),
        ({"guarantee": 10**18}, 404, "not_found"),
        ({"action_type": "theft"}, 422, "invalid_value"),
        ({"number": ""}, 422, "validation_failed"),
    ]
    for wrong, status, expected in cases:
        refused = api.post("actions/", body | wrong)
        assert (refused.status_code, code(refused)) == (status, expected)


def test_the_same_request_again_is_one_action(api):
    found = guarantee()
    path = f"guarantees/{found.pk}/extend/"
    first, again = (api.post(path, {}, Idempotency_Key="form-17") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again["Idempotent-Replayed"] == "true"
    assert GuaranteeAction.objects.count() == 1
    other = api.post(path, {"notes": "x"}, Idempotency_Key="form-17")
    assert (other.status_code, code(other)) == (422, "idempotency_key_reused")
    clerk = Caller(person("add_guaranteeaction", name="another"))
    assert clerk.post(path, {}, Idempotency_Key="form-17").json()["id"] != first.json()["id"]
    assert clerk.post(path, {}, Idempotency_Key="k" * 255).status_code == 201
    assert clerk.post(path, {}, Idempotency_Key="k" * 256).status_code == 422


def test_a_key_that_the_api_has_forgotten_still_makes_one_action(api):
    path = f"guarantees/{guarantee().pk}/extend/"
    first = api.post(path, {}, Idempotency_Key="form-17").json()
    IdempotencyKey.objects.all().delete()
    assert api.post(path, {}, Idempotency_Key="form-17").json() == first
    assert GuaranteeAction.objects.count() == 1


def test_a_draft_is_changed_issued_or_discarded(api):
    found = guarantee()
    made = api.post(f"guarantees/{found.pk}/extend/", {"draft": True, "notes": "first"})
    path = f"actions/{made.json()['id']}/"
    assert (made.json()["status"], currently(found)[0]) == ("draft", date(2025, 12, 31))

    changed = api.patch(path, {"new_expiry": "2027-01-01"}, If_Match=made["ETag"])
    assert changed.status_code == 200, changed.content
    assert (changed.json()["new_expiry"], changed.json()["notes"]) == ("2027-01-01", "first")
    late = api.patch(path, {"notes": "x"}, If_Match=made["ETag"])
    assert (late.status_code, code(late)) == (412, "precondition_failed")
    assert faults(api.patch(path, {"new_expiry": "x"})) == [("new_expiry", "not_a_date")]
    assert code(api.patch(path, {"new_amount": "5"})) == "invalid_value"

    issued = api.post(f"{path}issue/")
    assert (issued.status_code, issued.json()["status"]) == (200, "issued")
    assert currently(found)[0] == date(2027, 1, 1)
    for answer in (api.patch(path, {"notes": "x"}), api.post(f"{path}issue/"), api.delete(path)):
        assert (answer.status_code, code(answer)) == (409, "already_issued")

    second = api.post(f"guarantees/{found.pk}/release/", {"draft": True}).json()["id"]
    assert api.delete(f"actions/{second}/", If_Match=made["ETag"]).status_code == 412
    assert api.delete(f"actions/{second}/").status_code == 204
    assert api.get(f"actions/{second}/").status_code == 404
    for answer in (api.patch("actions/0/"), api.delete("actions/99/"), api.post("actions/9/issue/"),
                   api.patch(f"actions/{10**19 - 1}/")):  # fmt: skip
        assert answer.status_code == 404


def test_a_draft_of_a_guarantee_that_has_changed_is_not_issued(api):
    found = guarantee()
    made = draft()
    issue(new_expiry=date(2026, 1, 1))
    answer = api.post(f"actions/{made.pk}/issue/")
    assert (answer.status_code, code(answer)) == (409, "changed_meanwhile")
    assert currently(found)[0] == date(2026, 1, 1)


def test_a_locked_session_takes_nothing_any_more(api):
    guarantee()
    made = draft()
    path = f"action-sessions/{made.session_id}/"
    told = api.get(path).json()
    assert (told["day"], told["total_actions"], told["issued_actions"], told["is_locked"]) == (
        "2025-05-02",
        1,
        0,
        False,
    )
    locked = api.post(f"{path}lock/", {"reason": "end of the day"})
    assert (locked.status_code, locked.json()["is_locked"]) == (200, True)
    for answer in (
        api.post(f"{path}lock/"),
        api.post(f"actions/{made.pk}/issue/"),
        api.delete(f"actions/{made.pk}/"),
    ):
        assert (answer.status_code, code(answer)) == (409, "session_locked")
    for missing in (99, 10**19 - 1):
        assert api.post(f"action-sessions/{missing}/lock/").status_code == 404


def test_actions_are_filtered_searched_and_counted(api):
    guarantee()
    other = guarantee(number="LG-2")
    first, second = issue(), draft("release", number="LG-2", notes="ليس الآن")
    for query, expected in [
        ({}, [second.pk, first.pk]),
        ({"ordering": "id"}, [first.pk, second.pk]),
        ({"status": "draft"}, [second.pk]),
        ({"action_type": "extension"}, [first.pk]),
        ({"guarantee": other.pk}, [second.pk]),
        ({"number": " LG-1 "}, [first.pk]),
        ({"session": first.session_id}, [second.pk, first.pk]),
        ({"date_to": "2025-05-01"}, []),
        ({"search": "الآن"}, [second.pk]),
    ]:
        assert [found["id"] for found in api.get("actions/", query).json()["results"]] == expected
    for query in ({"status": "lost"}, {"session": "x"}, {"date_from": "May"}):
        refused = api.get("actions/", query)
        assert refused.status_code == 422
        assert [field for field, _ in faults(refused)] == list(query)
    (session,) = api.get("action-sessions/", {"is_locked": "false"}).json()["results"]
    assert (session["total_actions"], session["issued_actions"]) == (2, 1)

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert api.get("actions/").status_code == 200
        return len(captured)

    few = statements()
    for _ in range(6):
        draft(number="LG-2")
    assert statements() == few == 4


def test_a_letter_is_html_or_pdf_as_asked(api):
    pytest.importorskip("weasyprint", exc_type=ImportError)
    found = guarantee()
    made = issue()
    path = f"actions/{made.pk}/letter/"
    for query, headers, kind in [
        ({}, {}, "text/html; charset=utf-8"),
        ({}, {"accept": "text/html"}, "text/html; charset=utf-8"),
        ({}, {"accept": "application/pdf"}, "application/pdf"),
        ({"format": "pdf"}, {"accept": "application/json"}, "application/pdf"),
        ({"format": "html"}, {"accept": "application/pdf"}, "text/html; charset=utf-8"),
    ]:
        answer = api.get(path, query, **headers)
        assert (answer.status_code, answer["Content-Type"]) == (200, kind), answer.content
        assert answer.content.startswith(b"%PDF" if "pdf" in kind else b"<!DOCTYPE html>")
    assert "٣١ ديسمبر ٢٠٢٦" in api.get(path).content.decode()
    english = api.get(f"guarantees/{found.pk}/letter/", {"language": "en"})
    assert "31 December 2026" in english.content.decode()


def test_the_style_of_a_letter_is_the_only_one_that_its_page_allows(api):
    guarantee()
    policy = api.get(f"actions/{issue().pk}/letter/")["Content-Security-Policy"]
    styles = next(part for part in policy.split("; ") if part.startswith("style-src "))
    assert "'sha256-" in styles
    assert "unsafe-inline" not in policy


def test_letters_that_are_not_written_are_refused_as_json(api):
    found = guarantee()
    made = draft()
    for path, query, headers, status, expected in [
        (f"actions/{made.pk}/letter/", {}, {"accept": "text/html"}, 409, "no_letter"),
        (f"guarantees/{found.pk}/letter/", {}, {}, 409, "no_letter"),
        (f"action-sessions/{made.session_id}/letters/", {}, {}, 409, "no_letter"),
        ("actions/99/letter/", {"format": "pdf"}, {}, 404, "not_found"),
        (f"actions/{made.pk}/letter/", {"language": "fr"}, {}, 422, "validation_failed"),
        (f"actions/{made.pk}/letter/", {"format": "doc"}, {}, 422, "validation_failed"),
        (f"actions/{made.pk}/letter/", {}, {"accept": "image/png"}, 406, "not_acceptable"),
        ("actions/letters/", {}, {}, 422, "validation_failed"),
        ("actions/letters/", {"id": "x"}, {}, 422, "validation_failed"),
    ]:
        answer = api.get(path, query, **headers)
        assert (answer.status_code, answer["Content-Type"]) == (status, "application/json")
        assert code(answer) == expected
    assert Caller(person()).get(f"actions/{made.pk}/letter/").status_code == 404
    assert [field for field, _ in faults(api.get("actions/letters/"))] == ["id"]


def test_letters_of_a_session_or_of_several_actions_are_one_document(api, monkeypatch):
    guarantee()
    guarantee(number="LG-2")
    first, second = issue(), issue("release", number="LG-2")
    issue("modification", changes={"type": "x"}, reason="misread")
    session = api.get(f"action-sessions/{first.session_id}/letters/", {"language": "en"})
    assert session.content.decode().count('<section class="letter">') == 2
    parts = f"action-sessions/{first.session_id}/letters/"
    monkeypatch.setattr("guarantees.letters.pages.MOST_IN_PDF", 1)
    last = api.get(parts, {"language": "en", "part": 2}).content.decode()
    assert ("Release of bank" in last, "Extension of bank" in last) == (True, False)
    too_many = api.get(parts, {"format": "pdf"})
    assert (too_many.status_code, "part 1 to part 2" in too_many.json()["error"]["message"]) == (
        422,
        True,
    )
    assert api.get(parts, {"part": 3}).status_code == 422
    both = api.get("actions/letters/", {"id": [second.pk, first.pk], "language": "en"})
    text = both.content.decode()
    assert text.index("Release of bank") < text.index("Extension of bank")


def test_an_action_of_the_old_system_has_no_guarantee(api):
    GuaranteeAction.objects.create(
        number="OLD-1", action_type="extension", action_date=date(2024, 1, 1),
        status="issued", is_locked=True, issued_at="2024-01-01T00:00Z",
    )  # fmt: skip
    (told,) = api.get("actions/").json()["results"]
    assert (told["guarantee"], told["created_by"], told["session"]) == (None, None, None)

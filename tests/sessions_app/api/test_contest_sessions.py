"""``/api/v1/contest-sessions/`` and ``/api/v1/progress/`` (contests.md)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from migrations_tools.models import Transition
from sessions_app.contests.reading import ATTEMPT_FIELDS, FIELDS
from sessions_app.models import ContestResult, ContestSave, Session
from tests.sessions_app.api.asking import Caller, faults, refusal
from tests.sessions_app.contest_files import GONE, attempt, import_bank, session
from tests.sessions_app.factories import AttemptFactory, ContestResultFactory, SessionFactory

pytestmark = pytest.mark.django_db

CONTESTS = "/contest-sessions/"


@pytest.fixture
def sam() -> User:
    return User.objects.create_user("sam")


@pytest.fixture
def auditor() -> User:
    user = User.objects.create_user("auditor")
    user.user_permissions.add(Permission.objects.get(codename="view_contestresult"))
    return user


def document(**values: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "_id": GONE,
        "user_id": GONE,
        "created_at": "2025-05-01T11:00:00Z",
        "completed_at": "2025-05-01T11:10:00Z",
        "problems_attempted": [attempt(attempt_timestamp="2025-05-01T11:05:00Z")],
    }
    return session(**(given | values))


def later() -> None:
    """A second passes."""
    for save in ContestSave.objects.all():
        save.saved_at -= timedelta(seconds=2)
        save.save()


def test_a_saved_session_is_its_document_of_19_fields_in_order(sam, tmp_path):
    import_bank(tmp_path)
    caller = Caller(sam)
    bare = attempt(7, correct_answer=None, difficulty=GONE, topics=[], is_correct=False)
    bare["attempt_timestamp"] = None
    answer = caller.post(
        CONTESTS, document(problems_attempted=[attempt(attempt_timestamp=None), bare], note="kept")
    )
    assert answer.status_code == 201, answer.content
    assert answer.json() == {"session_id": "s-1", "outcome": "created", "warnings": []}
    assert answer["Location"] == "/api/v1/contest-sessions/s-1/"
    told = caller.get(f"{CONTESTS}s-1/document/")
    assert told["ETag"]
    found = told.json()
    assert tuple(found) == (*FIELDS, "note")
    assert len(FIELDS) == 19
    assert caller.get(f"{CONTESTS}s-1/").json() == found
    assert tuple(found["problems_attempted"][1]) == ATTEMPT_FIELDS
    assert found["problems_attempted"][1]["topics"] == ["Number Theory", "GCD and LCM"]
    assert found["problems_attempted"][1]["correct_answer"].startswith("B")
    assert list(found["topic_performance"]) == [
        "Algebra", "Mean", "Number Theory", "GCD and LCM",
    ]  # fmt: skip
    assert found["topic_performance"]["Algebra"] == {"attempted": 1, "correct": 1, "accuracy": 100}
    assert found["performance_metrics"]["accuracy_percentage"] == 50
    assert (found["user_id"], found["username"], found["year"]) == (None, "sam", 2022)
    assert (found["created_at"], found["mode"]) == ("2025-05-01T11:00:00Z", "practice")


def test_the_same_again_is_unchanged_and_other_content_is_written_in_place(sam):
    caller = Caller(sam)
    assert caller.post(CONTESTS, document()).status_code == 201
    too_soon = caller.post(CONTESTS, document())
    assert refusal(too_soon) == (429, "saved_too_soon")
    assert too_soon["Retry-After"] == "1"
    later()
    again = caller.post(CONTESTS, document())
    assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")
    later()
    changed = caller.post(CONTESTS, document(created_at="2025-06-01T00:00:00Z", score=0))
    assert (changed.status_code, changed.json()["outcome"]) == (200, "updated")
    assert [warning["code"] for warning in changed.json()["warnings"]] == ["score_mismatch"]
    found = caller.get(f"{CONTESTS}s-1/document/").json()
    assert (found["score"], found["created_at"]) == (0, "2025-05-01T11:00:00Z")
    assert Session.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "missing_data"),
        (document(session_id=None), "missing_data"),
        (document(year=" "), "missing_data"),
        (document(problems_attempted=GONE), "missing_data"),
        (document(problems_attempted="x"), "invalid_document"),
        (document(problems_attempted=[3]), "invalid_document"),
        (document(problems_attempted=[attempt(is_correct="maybe")]), "invalid_is_correct"),
        (document(contest="a\0b"), "invalid_document"),
        (document(note="\ud800"), "invalid_document"),
        (document(problems_attempted=[attempt()] * 1001), "invalid_document"),
        ([], "invalid_document"),
        ("null", "invalid_document"),
        ("{", "parse_error"),
        ('{"score": NaN}', "parse_error"),
    ],
)
def test_what_is_no_session_is_400(sam, body, code):
    assert refusal(Caller(sam).post(CONTESTS, body)) == (400, code)
    assert not Session.objects.exists()


def test_people_write_and_see_only_their_own(sam, auditor):
    eve = User.objects.create_user("eve")
    assert Caller(sam).post(CONTESTS, document()).status_code == 201
    assert refusal(Caller(eve).post(CONTESTS, document())) == (403, "permission_denied")
    later()
    own = Caller(eve).post(CONTESTS, document(username="eve"))
    assert own.json()["session_id"] == "s-1~eve"
    assert Caller(eve).get(f"{CONTESTS}s-1~eve/document/").json()["username"] == "eve"
    for path in (f"{CONTESTS}s-1/", f"{CONTESTS}s-1/document/", f"{CONTESTS}%00/"):
        assert refusal(Caller(eve).get(path)) == (404, "not_found")
    seen = {
        user.username: [item["username"] for item in Caller(user).get(CONTESTS).json()["results"]]
        for user in (sam, eve, auditor)
    }
    assert seen == {"sam": ["sam"], "eve": ["eve"], "auditor": ["eve", "sam"]} or seen == {
        "sam": ["sam"], "eve": ["eve"], "auditor": ["sam", "eve"],
    }  # fmt: skip
    assert Caller(auditor).get(f"{CONTESTS}s-1/document/").status_code == 200
    assert {Caller(None).get(path).status_code for path in (CONTESTS, "/progress/")} == {401}


def test_an_item_of_the_list_and_what_it_can_be_narrowed_by(sam):
    old = SessionFactory.create(
        kind="contest", session_id="a/b c", title="AMC 8", created_at="2024-01-01T00:00Z",
        status="completed",
    )  # fmt: skip
    ContestResultFactory.create(
        session=old, user=sam, year=2021, contest="AMC 8", score="3.5",
        performance_metrics={"accuracy_percentage": 62.5}, total_attempted=8, total_time_ms=100,
    )  # fmt: skip
    caller = Caller(sam)
    caller.post(CONTESTS, document())
    (item,) = caller.get(CONTESTS, contest="amc 8").json()["results"]
    assert item == {
        "session_id": "a/b c",
        "session_status": "completed",
        "created_at": item["created_at"],
        "completed_at": None,
        "username": "sam",
        "year": 2021,
        "contest": "AMC 8",
        "mode": "",
        "shuffle": False,
        "score": 3.5,
        "total_attempted": 8,
        "accuracy": 62.5,
        "total_time_ms": 100,
    }
    assert caller.get(f"{CONTESTS}a%2Fb%20c/document/").json()["session_id"] == "a/b c"

    def found(**query: Any) -> list[str]:
        told = caller.get(CONTESTS, **query).json()["results"]
        return [each["session_id"] for each in told]

    assert found() == ["s-1", "a/b c"]
    assert found(ordering="created_at") == ["a/b c", "s-1"]
    assert found(ordering="password") == ["s-1", "a/b c"]
    assert found(year=2022) == ["s-1"]
    assert found(search="10A") == ["s-1"]
    assert found(created_before="2025-01-01T00:00:00Z") == ["a/b c"]
    for name, value in {
        "year": "x", "status": "deleted", "created_after": "x", "search": "\0", "page": "0",
    }.items():  # fmt: skip
        assert caller.get(CONTESTS, **{name: value}).status_code == 422


def test_pages_do_not_repeat_anything_while_sessions_are_added(sam):
    caller = Caller(sam)

    def add() -> None:
        made = SessionFactory.create(kind="contest", created_at="2025-01-01T00:00Z")
        ContestResultFactory.create(session=made, user=sam)

    for _ in range(6):
        add()
    seen: list[str] = []
    for page in (1, 2, 3):
        told = caller.get(CONTESTS, page=page, page_size=2, ordering="created_at").json()
        seen += [each["session_id"] for each in told["results"]]
        add()
    assert len(set(seen)) == len(seen) == 6


def test_lists_and_documents_take_the_same_statements_however_long_they_are(sam):
    caller = Caller(sam)
    lists, documents, made = [], [], 0
    for size in (1, 10, 50):
        for _ in range(made, size):
            last = SessionFactory.create(kind="contest", session_id=f"c-{size}-{_}")
            result = ContestResultFactory.create(session=last, user=sam)
        AttemptFactory.create_batch(size, result=result)
        made = size
        lists.append(caller.statements(CONTESTS, page_size=100))
        documents.append(caller.statements(f"{CONTESTS}{last.session_id}/document/"))
    assert lists == [lists[0]] * 3
    assert documents == [documents[0]] * 3
    assert (lists[0], documents[0]) == (4, 4)  # two of each: what the caller may see


def test_progress_is_ones_own_and_others_with_the_permission(sam, auditor):
    caller = Caller(sam)
    caller.post(CONTESTS, document())
    own = caller.get("/progress/").json()
    assert own["totals"] == {
        "attempted": 1, "correct": 1, "accuracy": 100.0, "sessions": 1, "total_time_ms": 1000,
    }  # fmt: skip
    assert own["last_sessions"][0]["session_id"] == "s-1"
    assert own["trend"]["change"] is None
    assert [topic["name"] for topic in own["topics"]] == ["Algebra", "Mean"]
    assert own["difficulties"] == [
        {"name": "easy", "attempted": 1, "correct": 1, "accuracy": 100.0}
    ]
    assert (own["percentile"], own["cohort"]) == (None, 0)
    assert caller.get("/progress/sam/").json() == own
    assert Caller(auditor).get("/progress/sam/").json() == own
    for path in ("/progress/auditor/", "/progress/nobody/", "/progress/%00/"):
        assert refusal(caller.get(path)) == (404, "not_found")
    assert refusal(Caller(auditor).get("/progress/nobody/")) == (404, "not_found")


def test_everybody_together_is_for_those_who_may_see_results(sam, auditor):
    for name, right, attempted in (("a", 1, 4), ("b", 2, 4), ("c", 8, 8)):
        ContestResult.objects.create(
            session=SessionFactory.create(kind="contest"),
            username=name,
            performance_metrics={"total_attempted": attempted, "total_correct": right},
            topic_performance={"Algebra": {"attempted": attempted, "correct": right}},
            difficulty_performance={"easy": {"attempted": attempted, "correct": right}},
        )
    assert refusal(Caller(sam).get("/progress/cohort/")) == (403, "permission_denied")
    assert Transition.objects.filter(action="refused", actor=sam).exists()
    bucket = {"attempted": 16, "correct": 11, "accuracy": 68.75}
    assert Caller(auditor).get("/progress/cohort/").json() == {
        "people": 3,
        "totals": bucket,
        "accuracies": {"lower_quartile": 37.5, "median": 50.0, "upper_quartile": 75.0},
        "topics": [{"name": "Algebra", **bucket}],
        "difficulties": [{"name": "easy", **bucket}],
    }
    ContestResult.objects.all().delete()
    empty = Caller(auditor).get("/progress/cohort/").json()
    assert (empty["people"], empty["accuracies"]["median"]) == (0, None)
    assert faults(Caller(sam).get(CONTESTS, page="x")) == ["page"]

"""Contest documents become sessions, by every rule of contests.md."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from migrations_tools.services import runs
from migrations_tools.states import RunState
from sessions_app.contests.analytics import BUCKET, METRICS
from sessions_app.contests.reading import ATTEMPT_FIELDS, FIELDS
from sessions_app.data_migrations.enrich_contest_sessions import EnrichOptions, EnrichStep
from sessions_app.models import (
    ContestResult,
    LegacyContestSession,
    LegacyIdentity,
    Problem,
    ProblemAttempt,
    Session,
)
from tests.migrations_tools.imports.importing import counts, import_file, lines
from tests.sessions_app.contest_files import (
    GONE,
    NAME,
    actor,
    attempt,
    carry,
    failed_checks,
    import_bank,
    import_sessions,
    import_users,
    nothing_to_do,
    outcomes,
    session,
    take_back,
    the_document,
    the_result,
    the_session,
)
from tests.sessions_app.factories import SessionFactory

pytestmark = pytest.mark.django_db(transaction=True)


def carried(folder: Path, *documents: Any, **options: Any) -> dict[str, Any]:
    """Import the documents and run; the summary."""
    import_sessions(folder, *documents)
    return carry(**options)


def attempts(*places: int, right: tuple[int, ...] = ()) -> list[dict[str, Any]]:
    return [attempt(number, is_correct=number in right) for number in places]


# ---------------------------------------------------------------------------------- the example


def the_example() -> dict[str, Any]:
    """Session of sam, 25 attempts in order with empty topics; 7,426 ms in all."""
    tried = [
        {
            "problem_number": number,
            "problem_id": f"AMC10A_2022_{number}",
            "is_correct": number in (1, 2, 13),
            "selected_answer": "A",
            "time_spent_ms": 297 + (number == 25),
            "topics": [],
        }
        for number in range(1, 26)
    ]
    return {
        "_id": {"$oid": "65f0a1b2c3d4e5f6a7b8c9d0"},
        "session_id": "example",
        "created_at": "2024-05-01T09:00:00Z",
        "username": "sam",
        "user_id": "None",
        "year": "2022",
        "contest": "AMC 10A",
        "mode": "contest",
        "score": 3,
        "problems_attempted": tried,
    }


def test_the_example_to_the_digit(tmp_path):
    import_bank(tmp_path)
    summary = carried(tmp_path, the_example())
    assert outcomes(summary) == {"applied": 1}
    assert summary["warnings"] == {}
    document = the_document("example")
    assert tuple(document) == FIELDS
    topics = document["topic_performance"]
    assert len(topics) == 30
    assert [tuple(topics[name].values()) for name in list(topics)[:1]] == [(9, 2, 22.22)]
    assert {
        name: tuple(topics[name][each] for each in BUCKET)
        for name in ("Algebra", "Geometry", "Number Theory", "Counting and Probability", "Logic")
    } == {
        "Algebra": (9, 2, 22.22),
        "Geometry": (8, 1, 12.5),
        "Number Theory": (3, 0, 0),
        "Counting and Probability": (4, 0, 0),
        "Logic": (1, 0, 0),
    }
    assert list(topics)[:4] == [
        "Algebra",
        "Continued Fractions",
        "Ratios and Proportions",
        "System of Linear Equations",
    ]
    assert document["difficulty_performance"] == {
        "easy": {"attempted": 10, "correct": 2, "accuracy": 20},
        "medium": {"attempted": 10, "correct": 1, "accuracy": 10},
        "hard": {"attempted": 5, "correct": 0, "accuracy": 0},
    }
    assert list(document["difficulty_performance"]) == ["easy", "medium", "hard"]
    assert (document["total_time_ms"], document["total_attempted"]) == (7426, 25)
    assert (document["total_time_seconds"], document["total_time_minutes"]) == (7.43, 0.12)
    assert document["user_id"] is None
    assert (document["mode"], document["year"], document["shuffle"]) == ("competition", 2022, False)
    assert document["session_status"] == "completed"
    metrics = document["performance_metrics"]
    assert tuple(metrics) == METRICS
    assert metrics["accuracy_percentage"] == 12
    assert metrics["average_time_per_problem_ms"] == 297.04
    assert metrics["average_time_per_problem_seconds"] == 0.3
    assert tuple(document["problems_attempted"][0]) == ATTEMPT_FIELDS
    first = document["problems_attempted"][0]
    assert first["topics"] == ["Algebra", "Continued Fractions"]
    assert (first["difficulty"], first["correct_answer"][:2]) == ("easy", "D)")
    assert failed_checks() == {}


# ------------------------------------------------------------------------------------- the document


#: What a document says, and a field of what it becomes, with the warnings.
FIELD_CASES: list[tuple[dict[str, Any], str, Any, set[str]]] = [
    ({"session_status": GONE}, "session_status", "completed", set()),
    ({"session_status": " Paused "}, "session_status", "paused", set()),
    ({"session_status": "done"}, "session_status", "completed", {"unknown_status"}),
    ({"session_status": 3}, "session_status", "completed", {"unknown_status"}),
    ({"created_at": "2024-05-01 12:00:00"}, "created_at", "2024-05-01T12:00:00Z", set()),
    ({"completed_at": "2024-05-01T12:00:00+03:00"}, "completed_at", "2024-05-01T09:00:00Z", set()),
    ({"completed_at": "soon"}, "completed_at", None, {"bad_timestamp"}),
    ({"completed_at": None}, "completed_at", None, set()),
    (
        {"created_at": "soon"},
        "created_at",
        "2024-05-01T09:00:01Z",
        {"bad_timestamp", "missing_created_at"},
    ),
    ({"created_at": GONE}, "created_at", "2024-05-01T09:00:01Z", {"missing_created_at"}),
    ({"user_id": {"$oid": "5" * 24}}, "user_id", "5" * 24, set()),
    ({"user_id": 12}, "user_id", "12", set()),
    ({"year": "2021"}, "year", 2021, {"number_mismatch"}),
    ({"year": "MMXXI"}, "year", None, {"bad_number"}),
    ({"year": GONE}, "year", None, set()),
    ({"mode": "contest"}, "mode", "competition", set()),
    ({"mode": "review"}, "mode", "review", set()),
    ({"shuffle": GONE}, "shuffle", False, set()),
    ({"shuffle": "true"}, "shuffle", True, set()),
    ({"shuffle": "maybe"}, "shuffle", False, {"bad_flag"}),
    ({"score": 7}, "score", 7, {"score_mismatch"}),
    ({"score": "1"}, "score", 1, set()),
    ({"score": 1.5}, "score", 1.5, {"score_mismatch"}),
    ({"score": None}, "score", None, set()),
    ({"total_attempted": GONE, "attempted": 4}, "total_attempted", 4, set()),
    ({"total_attempted": None, "attempted": "5"}, "total_attempted", 5, set()),
    ({"total_attempted": GONE}, "total_attempted", 1, set()),
    ({"total_time_ms": None, "totalTime": 595}, "total_time_seconds", 0.6, set()),
    ({"total_time_ms": GONE, "totalTime": GONE}, "total_time_ms", 1000, set()),
    ({"total_time_ms": 0}, "total_time_ms", 0, set()),
    ({"total_time_ms": 7426}, "total_time_minutes", 0.12, set()),
    ({"problems_attempted": [], "score": 0}, "topic_performance", {}, set()),
]


def warned(summary: dict[str, Any]) -> dict[str, set[str]]:
    """Codes of the warnings by key of the document."""
    found: dict[str, set[str]] = {}
    for problem in summary["problems"]:
        if problem["outcome"] == "applied":
            found.setdefault(problem["key"], set()).add(problem["code"])
    return found


def test_every_field_of_a_document(tmp_path):
    documents = [session(str(place), **case[0]) for place, case in enumerate(FIELD_CASES)]
    summary = carried(tmp_path, *documents)
    assert outcomes(summary) == {"applied": len(FIELD_CASES)}
    warnings = warned(summary)
    for place, (values, field, value, codes) in enumerate(FIELD_CASES):
        document = the_document(f"s-{place}")
        assert document[field] == value, values
        assert tuple(document) == FIELDS
        assert warnings.get(str(place), set()) == codes, values
    assert failed_checks() == {}


@pytest.mark.parametrize("given", [None, "None", "null", "", "  ", GONE])
def test_a_session_without_user_id_gets_that_of_the_users_file(tmp_path, given):
    User.objects.create_user("sam")
    import_users(tmp_path, "noor", "sam")
    carried(tmp_path, session(user_id=given))
    assert the_document()["user_id"] == "id of sam"
    account = LegacyIdentity.objects.get(legacy_id="id of sam").user
    assert account.username == "sam-2"
    assert (the_result().user, the_session().user) == (account, account)


def test_a_user_nobody_knows_is_null_and_present(tmp_path):
    carried(tmp_path, session(user_id="null"))
    assert the_document()["user_id"] is None
    assert the_result().user is None


def test_the_id_of_an_account_names_it_whatever_the_user_is_called(tmp_path):
    import_users(tmp_path, "noor")
    carried(tmp_path, session(user_id="id of noor", username="noor the second"))
    assert the_result().user == LegacyIdentity.objects.get(legacy_id="id of noor").user


def test_unknown_keys_are_kept_after_the_known_fields(tmp_path):
    extra: dict[str, Any] = {"zeal": 3, "aim": {"a": [1, None]}}
    carried(tmp_path, session(**extra, problems_attempted=[attempt(hint=True)]))
    document = the_document()
    assert tuple(document)[:19] == FIELDS
    assert {name: document[name] for name in list(document)[19:]} == extra
    assert list(document["problems_attempted"][0])[-1] == "hint"
    assert failed_checks() == {}


def test_the_mode_is_kept_if_asked(tmp_path):
    carried(tmp_path, session(mode="contest"), keep_mode=True)
    assert the_document()["mode"] == "contest"
    assert failed_checks() == {}


def test_metrics_of_the_document_are_never_believed(tmp_path):
    carried(
        tmp_path,
        session(
            total_time_ms=99_999,
            performance_metrics={"total_correct": 99},
            topic_performance={"Magic": {"attempted": 3}},
        ),
    )
    document = the_document()
    assert document["performance_metrics"]["total_correct"] == 1
    assert document["performance_metrics"]["average_time_per_problem_ms"] == 1000
    assert list(document["topic_performance"]) == ["Algebra", "Mean"]


# ----------------------------------------------------------------------------------------- attempts


def only_attempt() -> ProblemAttempt:
    return ProblemAttempt.objects.get()


def test_names_of_former_years(tmp_path):
    former = {
        "problem_number": "3",
        "correct": "false",
        "time_spent": "595",
        "timestamp": "2024-05-01T09:00:07",
        "difficulty": "HARD",
        "topics": "Logic",
    }
    carried(tmp_path, session(problems_attempted=[former], score=0))
    found = only_attempt()
    assert (found.problem_number, found.is_correct, found.time_spent_ms) == (3, False, 595)
    assert found.attempted_at == datetime(2024, 5, 1, 9, 0, 7, tzinfo=UTC)
    assert found.topics == ["Logic"]
    document = the_document()
    assert document["problems_attempted"][0]["time_spent_seconds"] == 0.6
    assert list(document["difficulty_performance"]) == ["hard"]
    assert failed_checks() == {}


@pytest.mark.parametrize("missing", [None, "", [], GONE])
def test_missing_values_are_filled_each_on_its_own(tmp_path, missing):
    import_bank(tmp_path)
    carried(
        tmp_path,
        session(
            problems_attempted=[
                attempt(1, correct_answer=missing, topics=["Mine"]),
                attempt(2, difficulty=missing),
                attempt(3, topics=missing),
            ],
            score=3,
        ),
    )
    first, second, third = ProblemAttempt.objects.order_by("position")
    assert (first.correct_answer, first.topics) == ("D) 7", ["Mine"])
    assert (second.difficulty, second.correct_answer) == ("easy", "D")
    assert third.topics == ["Algebra", "System of Linear Equations"]
    assert [found.problem_id for found in (first, second, third)] == list(
        Problem.objects.filter(number__in=(1, 2, 3)).order_by("number").values_list("pk", flat=True)
    )
    assert failed_checks() == {}


BARE = {"correct_answer": None, "difficulty": None, "topics": None}


#: An attempt's id or number, whether the session is shuffled, the problem found, the warnings.
LOOK_UPS: list[tuple[dict[str, Any], bool, int | None, set[str]]] = [
    ({"problem_id": "AMC10A_2022_7"}, False, 7, set()),
    ({"problem_id": "2022_amc10a_p7"}, False, 7, set()),
    ({"problem_id": "amc10a_2022_p7"}, False, 7, set()),
    ({"problem_id": f"{7:024x}"}, False, 7, set()),
    ({"problem_id": {"$oid": f"{7:024x}"}}, True, 7, set()),
    ({"problem_id": GONE}, False, 7, set()),
    ({"problem_id": "unheard of"}, False, 7, set()),
    ({"problem_id": GONE}, True, None, {"unresolved_problem"}),
    ({"problem_id": "AMC10A_2022_8"}, False, 8, {"number_mismatch"}),
    ({"problem_id": "AMC10A_2022_8"}, True, 8, set()),
    (
        {"problem_id": "AMC10A_1999_7"},
        False,
        None,
        {"number_mismatch", "unresolved_problem"},
    ),
    ({"problem_id": GONE, "problem_number": 26}, False, None, {"unresolved_problem"}),
]


def test_how_a_problem_is_found(tmp_path):
    import_bank(tmp_path)
    documents = [
        session(
            str(place),
            problems_attempted=[attempt(7, **(BARE | values))],
            shuffle=shuffle,
        )
        for place, (values, shuffle, _, _) in enumerate(LOOK_UPS)
    ]
    summary = carried(tmp_path, *documents)
    assert outcomes(summary) == {"applied": len(LOOK_UPS)}
    warnings = warned(summary)
    for place, (values, _, number, codes) in enumerate(LOOK_UPS):
        found = the_result(f"s-{place}").attempts.get()
        assert (found.problem.number if found.problem else None) == number, values
        assert warnings.get(str(place), set()) == codes, values
        if number is None:
            assert (found.correct_answer, found.difficulty, found.topics) == (None, None, None)
            assert the_document(f"s-{place}")["difficulty_performance"] == {}
    assert failed_checks() == {}


def test_a_number_does_not_name_a_problem_of_a_session_without_contest_or_year(tmp_path):
    import_bank(tmp_path)
    bare = attempt(7, problem_id=GONE, **BARE)
    summary = carried(
        tmp_path,
        session("1", contest=GONE, problems_attempted=[bare]),
        session("2", year=None, problems_attempted=[bare]),
    )
    assert summary["warnings"] == {"unresolved_problem": 2}


def test_two_sources_that_disagree_are_told_and_the_newer_shape_wins(tmp_path):
    older = {
        "_id": "2022_amc10a_p1",
        "year": 2022,
        "contest": "AMC 10A",
        "problem_number": "1",
        "answer_key": "A",
    }
    import_bank(tmp_path)
    import_file("problems", lines(tmp_path / "older.jsonl", older))
    summary = carried(tmp_path, session(problems_attempted=[attempt(1, correct_answer="")]))
    assert summary["warnings"] == {"answer_conflict": 1}
    assert only_attempt().correct_answer == "D) 7"


# --------------------------------------------------------------------------------------- quarantine


NO_SESSIONS: list[tuple[dict[str, Any], str]] = [
    ({"problems_attempted": GONE}, "invalid_document"),
    ({"problems_attempted": {"a": 1}}, "invalid_document"),
    ({"problems_attempted": [1]}, "invalid_document"),
    ({"username": 7}, "invalid_document"),
    ({"username": GONE}, "invalid_document"),
    ({"username": "n" * 256}, "invalid_document"),
    ({"session_id": "s" * 256}, "invalid_document"),
    ({"problems_attempted": [attempt(is_correct="yes")]}, "invalid_is_correct"),
    ({"problems_attempted": [attempt(is_correct=1)]}, "invalid_is_correct"),
    ({"problems_attempted": [attempt(is_correct=GONE)]}, "invalid_is_correct"),
]


def test_what_is_no_session_is_set_aside_and_costs_nobody_else(tmp_path):
    bad = [session(f"bad-{place}", **values) for place, (values, _) in enumerate(NO_SESSIONS)]
    summary = carried(tmp_path, *bad, session("good"))
    assert outcomes(summary) == {"applied": 1, "quarantined": len(NO_SESSIONS)}
    codes = {problem["key"]: problem["code"] for problem in summary["problems"]}
    assert codes == {f"bad-{place}": code for place, (_, code) in enumerate(NO_SESSIONS)}
    assert Session.objects.get().session_id == "s-good"
    assert failed_checks() == {}


# --------------------------------------------------------------------------------------- identities


def test_the_second_users_copy_of_an_id_gets_a_name_behind_it(tmp_path):
    summary = carried(
        tmp_path,
        session("1", session_id="same"),
        session("2", session_id="same", username="noor"),
        session("3", session_id="same", username="lena"),
    )
    assert summary["warnings"] == {"session_id_shared": 2}
    named = ContestResult.objects.values_list("username", "session__session_id")
    assert dict(named) == {"sam": "same", "noor": "same~noor", "lena": "same~lena"}
    assert failed_checks() == {}


def test_who_came_second_does_not_depend_on_the_order_of_runs(tmp_path):
    import_sessions(
        tmp_path,
        session("1", session_id="same"),
        session("2", session_id="same", username="noor"),
    )
    carry(user="noor")
    carry()
    named = ContestResult.objects.values_list("username", "session__session_id")
    assert dict(named) == {"sam": "same", "noor": "same~noor"}


def test_an_id_that_another_kind_of_session_has_is_a_conflict(tmp_path):
    SessionFactory.create(session_id="s-1")
    summary = carried(tmp_path, session("1"), session("2"))
    assert outcomes(summary) == {"applied": 1, "conflict": 1}
    assert summary["codes"] == {"session_id_taken": 1}


def test_a_second_document_of_a_users_session_is_a_conflict(tmp_path):
    summary = carried(tmp_path, session("1", session_id="x"), session("2", session_id="x"))
    assert outcomes(summary) == {"applied": 1, "conflict": 1}
    assert summary["codes"] == {"duplicate_session": 1}


def test_a_document_without_ids_is_known_by_user_and_session_or_by_its_content(tmp_path):
    summary = carried(
        tmp_path, session(_id=GONE), session(_id=GONE, session_id=GONE, username="noor")
    )
    assert outcomes(summary) == {"applied": 2}
    by_name, by_content = LegacyContestSession.objects.order_by("username").values_list(
        "key", flat=True
    )[::-1]
    assert by_name == '["sam", "s-1"]'
    assert Session.objects.filter(session_id=by_content).count() == 1


def test_only_the_documents_of_one_user_are_selected(tmp_path):
    import_sessions(tmp_path, session("1"), session("2", username="noor"), session("3"))
    assert outcomes(carry(user="noor")) == {"applied": 1}
    assert nothing_to_do(user="noor")
    assert failed_checks() == {}
    assert outcomes(carry()) == {"applied": 2}


# ------------------------------------------------------------------------------- again, and changed


def rows_written() -> tuple[int, ...]:
    models = (Session, ContestResult, ProblemAttempt)
    return tuple(
        number
        for model in models
        for number in (
            model._default_manager.count(),
            model.history.count(),
        )
    )


def test_a_second_run_finds_nothing_to_do_and_writes_nothing(tmp_path):
    documents = [session("1"), session("2", username="noor")]
    carried(tmp_path, *documents)
    before, export = rows_written(), the_document()
    assert nothing_to_do()
    assert counts(import_sessions(tmp_path, *documents)) == (0, 0, 2, 0)
    assert nothing_to_do()
    assert (rows_written(), the_document()) == (before, export)


def test_a_changed_document_is_merged_and_keeps_when_it_was_made(tmp_path):
    carried(tmp_path, session("1", problems_attempted=attempts(1, 2), score=0), session("2"))
    result = the_result()
    changed = session(
        "1",
        created_at="2024-06-01T00:00:00Z",
        problems_attempted=attempts(1, 3, 4, right=(3,)),
        note="second try",
    )
    summary = carried(tmp_path, changed)
    assert outcomes(summary) == {"applied": 1}
    assert the_result().pk == result.pk
    document = the_document()
    assert document["created_at"] == "2024-05-01T09:00:00Z"
    assert [each["problem_number"] for each in document["problems_attempted"]] == [1, 3, 4]
    assert (document["performance_metrics"]["total_correct"], document["note"]) == (1, "second try")
    assert failed_checks() == {}
    summary = carried(tmp_path, session("1", problems_attempted=attempts(1), score=0))
    assert ProblemAttempt.objects.filter(result=result).count() == 1
    assert failed_checks() == {}
    assert nothing_to_do()


def test_a_bank_that_grows_completes_what_it_could_not(tmp_path):
    bare = attempt(30, correct_answer=None, difficulty=None, topics=[])
    other = bare | {"problem_number": 31, "problem_id": "2022_amc10a_p31"}
    carried(tmp_path, session("1", problems_attempted=[bare, other]), session("2"))
    late = {
        "_id": "2022_amc10a_p30",
        "year": 2022,
        "contest": "AMC 10A",
        "problem_number": "30",
        "answer_key": "C",
    }
    import_file("problems", lines(tmp_path / "late.jsonl", late))
    assert failed_checks() == {}  # it was not there to be found
    summary = carry()
    assert (summary["total"], outcomes(summary)) == (1, {"applied": 1})
    assert nothing_to_do()
    import_file(
        "problems",
        lines(
            tmp_path / "later.jsonl",
            late | {"difficulty": "hard", "topics": ["Logic"]},
            late | {"_id": "2022_amc10a_p31", "problem_number": "31", "answer_key": "D"},
        ),
    )
    assert failed_checks() == {}
    assert outcomes(carry()) == {"applied": 1}
    assert nothing_to_do()
    document = the_document()
    assert [
        (each["correct_answer"], each["difficulty"], each["topics"])
        for each in document["problems_attempted"]
    ] == [("C", "hard", ["Logic"]), ("D", None, None)]
    assert document["topic_performance"] == {
        "Logic": {"attempted": 1, "correct": 1, "accuracy": 100}
    }
    assert failed_checks() == {}


def test_a_bank_that_grows_leaves_what_people_edited(tmp_path):
    bare = attempt(30, correct_answer=None)
    carried(tmp_path, session("1", problems_attempted=[bare]))
    ProblemAttempt.objects.get().save()  # nothing changed, and yet somebody's
    result = the_result()
    result.score = 9
    result.save()
    import_file(
        "problems",
        lines(
            tmp_path / "late.jsonl",
            {"contest_id": "AMC10A_2022", "problem_number": 30, "correct_answer": "C) 5"},
        ),
    )
    assert nothing_to_do()
    result.history.filter(history_change_reason=None).delete()
    ProblemAttempt.history.filter(history_change_reason=None).delete()
    ContestResult.objects.update(score=1)
    second = carry()
    assert the_document()["problems_attempted"][0]["correct_answer"] == "C) 5"
    assert take_back(second["run"]).state == RunState.COMPLETED
    assert the_document()["problems_attempted"][0]["correct_answer"] is None
    assert outcomes(carry()) == {"applied": 1}


def test_people_who_are_imported_later_are_given_their_sessions(tmp_path):
    carried(
        tmp_path,
        session("named", user_id=GONE),
        session("numbered", username="somebody", user_id="id of noor"),
        session("nobody", username="eve", user_id="None"),
        session("edited", user_id=GONE),
    )
    edited = ContestResult.objects.get(session__session_id="s-edited")
    edited.score = 9
    edited.save()
    import_users(tmp_path, "noor", "sam")
    assert failed_checks() == {}  # they were not there to be found
    summary = carry()
    assert (summary["total"], outcomes(summary)) == (2, {"applied": 2})
    assert nothing_to_do()
    told = ContestResult.objects.values_list("session__session_id", "user__username", "user_ref")
    assert sorted(told) == [
        ("s-edited", None, ""),
        ("s-named", "sam", "id of sam"),
        ("s-nobody", None, ""),
        ("s-numbered", "noor", "id of noor"),
    ]
    assert the_session("s-named").user == the_result("s-named").user
    assert failed_checks() == {}
    take_back(summary["run"])
    assert the_result("s-named").user is None
    assert outcomes(carry()) == {"applied": 2}


def test_a_document_that_waits_for_the_next_run_is_not_compared(tmp_path):
    carried(tmp_path, session())
    import_sessions(tmp_path, session(year=2019, problems_attempted="none"))
    assert LegacyContestSession.objects.get().document["year"] == 2019
    assert failed_checks() == {}
    summary = carry()
    assert summary["codes"] == {"invalid_document": 1}
    assert failed_checks() == {}


@pytest.mark.parametrize("what", ["session", "result", "attempt", "attempts"])
def test_what_was_edited_here_is_not_overwritten(tmp_path, what):
    carried(tmp_path, session(problems_attempted=attempts(1, 2), score=0))
    if what == "session":
        found = the_session()
        found.status = "abandoned"
        found.save()
    elif what == "result":
        result = the_result()
        result.score = 9
        result.save()
    elif what == "attempt":
        tried = ProblemAttempt.objects.get(position=1)
        tried.selected_answer = "E"
        tried.save()
    else:
        ProblemAttempt.objects.get(position=2).delete()
    before = the_document()
    summary = carried(tmp_path, session(problems_attempted=attempts(3), score=0))
    assert outcomes(summary) == {"conflict": 1}
    assert summary["codes"] == {"changed_after_migration": 1}
    assert the_document() == before


def test_a_new_title_is_no_edit_of_what_the_document_says(tmp_path):
    carried(tmp_path, session())
    found = the_session()
    found.title = "My first contest"
    found.save()
    assert outcomes(carried(tmp_path, session(mode="review"))) == {"applied": 1}
    assert (the_session().title, the_result().mode) == ("My first contest", "review")


def test_a_rollback_takes_everything_back_and_the_next_run_is_the_same(tmp_path):
    import_bank(tmp_path)
    summary = carried(tmp_path, session("1"), session("2", problems_attempted=attempts(1, 2)))
    before = [the_document("s-1"), the_document("s-2")]
    assert take_back(summary["run"]).state == RunState.COMPLETED
    assert not Session.objects.exists()
    assert not ProblemAttempt.objects.exists()
    assert outcomes(carry()) == {"applied": 2}
    assert [the_document("s-1"), the_document("s-2")] == before


def test_a_rollback_leaves_a_session_that_was_edited(tmp_path):
    summary = carried(tmp_path, session("1"), session("2"))
    result = the_result("s-2")
    result.score = 5
    result.save()
    take_back(summary["run"])
    assert Session.objects.get().session_id == "s-2"
    assert ProblemAttempt.objects.count() == 1


# ---------------------------------------------------------------------------------------- the batch


def test_a_batch_asks_a_constant_number_of_queries(tmp_path, django_assert_num_queries):
    import_bank(tmp_path)
    import_users(tmp_path, "sam")
    import_sessions(tmp_path, *(session(str(number)) for number in range(40)))
    rows = list(LegacyContestSession.objects.all())
    step = EnrichStep(EnrichOptions())
    for some in (rows[:1], rows):
        with django_assert_num_queries(5):
            step.load(some)


def test_a_plan_says_what_should_be_imported_first(tmp_path):
    import_sessions(tmp_path, session())
    plan = runs.plan_run(NAME, **actor())
    assert plan is not None
    assert len(plan.report["recommendations"]) == 2

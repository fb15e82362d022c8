"""Whatever JSON it is given, reading answers or says that it is no session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.contests.building import attempt_values, result_values
from sessions_app.contests.notes import SENTENCES
from sessions_app.contests.problems import Bank, complete
from sessions_app.contests.reading import (
    ATTEMPT_FIELDS,
    ATTEMPT_NAMES,
    FIELDS,
    LONGEST_NAME,
    SESSION_NAMES,
    Unreadable,
    read_document,
)

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def names(fields: Sequence[str], former: Mapping[str, Sequence[str]]) -> st.SearchStrategy[str]:
    return st.sampled_from([*fields, *(name for each in former.values() for name in each)])


ATTEMPTS = st.dictionaries(names(ATTEMPT_FIELDS, ATTEMPT_NAMES), JSON) | JSON
DOCUMENTS = st.dictionaries(names(FIELDS, SESSION_NAMES), JSON)


@given(JSON)
def test_any_json_is_read_or_refused(document):
    with pytest.raises(Unreadable) as refused:
        read_document(document)
    assert refused.value.code == "invalid_document"


def _may_be_too_long(session_id: Any) -> bool:
    """Whether it can have more characters than a name may: numbers are written out, 1e300 too."""
    return len(session_id) > LONGEST_NAME if isinstance(session_id, str) else bool(session_id)


@given(DOCUMENTS, st.lists(ATTEMPTS, max_size=4), st.booleans())
def test_any_document_is_read_or_refused_by_name(values, attempts, are_right):
    given_attempts = [
        {**each, "is_correct": are_right} if isinstance(each, dict) else each for each in attempts
    ]
    document = {**values, "username": "sam", "problems_attempted": given_attempts}
    try:
        read = read_document(document)
    except Unreadable as refusal:
        sentence = str(refusal)
    else:
        sentence = ""
    if "session id" in sentence:
        assert _may_be_too_long(values["session_id"])
        return
    assert ("Attempt" in sentence) is not all(isinstance(each, dict) for each in attempts)
    if sentence:
        return
    complete(read, Bank())
    assert len(read.attempts) == len(attempts)
    assert result_values(read)["performance_metrics"]["total_attempted"] == len(attempts)
    assert [attempt_values(each)["position"] for each in read.attempts] == list(
        range(1, len(attempts) + 1)
    )
    assert {warning.code for warning in read.notes.warnings()} <= set(SENTENCES)


@given(DOCUMENTS)
def test_reading_twice_is_the_same(values: dict[str, Any]) -> None:
    document = {**values, "username": "sam", "problems_attempted": [], "session_id": "s"}
    first, again = read_document(document), read_document(document)
    assert repr(first.notes.warnings()) == repr(again.notes.warnings())
    assert result_values(first)["score"] == result_values(again)["score"]


def test_a_warning_tells_the_first_five_places():
    attempts = [{"is_correct": True, "time_spent_ms": -1} for _ in range(7)]
    read = read_document({"username": "sam", "problems_attempted": attempts})
    [warning] = read.notes.warnings()
    assert warning.code == "bad_number"
    assert warning.detail.endswith("attempt 5, time_spent_ms: “-1” and 2 more.")

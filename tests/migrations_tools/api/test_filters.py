"""What lists are asked for: a filter or a page that cannot be is refused, and not passed over."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from migrations_tools.models import LedgerEntry, Run
from tests.migrations_tools.api.requests import problem
from tests.migrations_tools.rows import make_one_of_each

pytestmark = pytest.mark.django_db

#: List → filters by true and false, and by whole numbers.
FILTERS = {
    "runs/": (["active"], []),
    "runs/{run}/checks/": (["ok"], []),
    "runs/{run}/ledger/": ([], ["step"]),
    "runs/{run}/batches/": ([], ["step"]),
    "reviews/": (["waiting"], ["step"]),
    "cutovers/collaboration/mismatches/": (["explained"], []),
    "agent-sessions/": (["orphan", "parked"], ["user"]),
    "bookings/": ([], ["student"]),
    "cohorts/": ([], ["semester"]),
    "contest-sessions/": ([], ["year"]),
    "projects/": (["is_primary"], []),
    "semesters/": (["is_active"], []),
    "guarantees/": (["is_protected"], ["supplier", "bank", "batch"]),
    "actions/": ([], ["guarantee", "session"]),
    "action-sessions/": (["is_locked"], []),
}
#: Lists in which words are searched.
SEARCHED = (
    "sessions/", "lessons/", "agent-sessions/", "contest-sessions/", "projects/", "semesters/",
    "cohorts/", "guarantees/", "actions/", "import-batches/", "suppliers/", "banks/",
)  # fmt: skip
CURSORS = ("runs/{run}/ledger/", "runs/{run}/problems/", "runs/{run}/changes/")


@pytest.fixture
def run() -> Run:
    run = make_one_of_each(1)
    batch = run.batches.get()
    for key in "ab":
        LedgerEntry.objects.create(run=run, batch=batch, step=0, key=key, outcome="applied")
    return run


@pytest.fixture
def client(run: Run) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("chief"))
    return client


def test_filters_that_cannot_be_are_refused_by_name(client: Client, run: Run) -> None:
    wrong: dict[str, Any] = {}
    for template, (flags, numbers) in FILTERS.items():
        path = template.format(run=run.pk)
        refused = [(name, value) for name in flags for value in ("yes", "2", "None", "on")]
        refused += [(name, value) for name in numbers for value in ("1.5", "-1", "1e2", "9" * 25)]
        for name, value in refused:
            answer = client.get(f"/api/v1/{path}", {name: value})
            told = answer.json().get("error", {}).get("details", {}).get("fields", [{}])
            if answer.status_code != 422 or told[0].get("field") != name:
                wrong[f"{path}?{name}={value}"] = answer.status_code
        taken = [(name, value) for name in flags for value in ("true", "False", "1", "0", "")]
        taken += [(name, value) for name in numbers for value in ("1", "")]
        for name, value in taken:
            answer = client.get(f"/api/v1/{path}", {name: value})
            if answer.status_code != 200:
                wrong[f"{path}?{name}={value}"] = answer.status_code
    assert wrong == {}


def test_searches_have_an_end(client: Client, run: Run) -> None:
    for path in SEARCHED:
        for characters, status in ((200, 200), (201, 422)):
            answer = client.get(
                f"/api/v1/{path}", {"search": "a b " * 50 + "c" * (characters - 200)}
            )
            assert answer.status_code == status, path
        assert answer.json()["error"]["details"]["fields"][0]["field"] == "search"


def test_pages_by_cursor_have_a_size_and_a_place(client: Client, run: Run) -> None:
    empty = b64encode(b"x=1").decode()
    for path in (template.format(run=run.pk) for template in CURSORS):
        for size in ("0", "-1", "1001", "many"):
            answer = client.get(f"/api/v1/{path}", {"page_size": size})
            assert problem(answer) == (422, "validation_failed"), (path, size)
        for cursor in ("%", "{}", "'\"", empty, b64encode(b"p=abc").decode()):
            answer = client.get(f"/api/v1/{path}", {"cursor": cursor})
            assert problem(answer) == (404, "not_found"), (path, cursor)
        assert client.get(f"/api/v1/{path}", {"cursor": "", "page_size": ""}).status_code == 200
    keys, address = [], f"/api/v1/runs/{run.pk}/ledger/?page_size=1"
    while address:
        page = client.get(address).json()
        keys += [entry["key"] for entry in page["results"]]
        address = page["next"]
    assert len(keys) == len(set(keys)) == 3

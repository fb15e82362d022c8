"""One record in both systems."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User

from sessions_app.models import ContestResult, LegacyContestSession
from tests.migrations_tools.api.requests import Caller, problem
from tests.sessions_app import contest_files as contests

pytestmark = pytest.mark.django_db(transaction=True)

PATH = f"data-migrations/{contests.NAME}/compare/"
RIGHTS = ("view_legacycontestsession", "view_contestsession", "view_contestresult", "view_session")


def reader(*rights: str) -> Caller:
    user = User.objects.create_user(f"reader-{len(rights)}")
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return Caller(user)


def test_a_record_is_told_in_both_systems_to_those_who_may_see_all_of_it(tmp_path: Path) -> None:
    contests.import_sessions(tmp_path, contests.session("1"))
    key = LegacyContestSession.objects.get().key
    auditor = reader(*RIGHTS)
    before = auditor.get(PATH, key=key).json()
    assert (before["new"], before["differing"], before["outcome"]) == ([], 0, None)
    contests.carry()
    ContestResult.objects.update(contest="AMC 12")
    told = auditor.get(PATH, key=key, step=0).json()
    [staged] = told["legacy"]
    assert (staged["model"], staged["id"]) == (
        "sessions_app.legacycontestsession",
        str(LegacyContestSession.objects.get().pk),
    )
    [changed] = [field for field in told["fields"] if field["differs"]]
    assert (changed["name"], changed["new"], told["differing"]) == ("contest", "AMC 12", 1)
    assert told["outcome"] == "applied"
    hidden = reader(RIGHTS[0]).get(PATH, key=key)
    assert problem(hidden) == (404, "not_found")
    for query, status in (({"key": "unknown"}, 404), ({}, 422), ({"key": key, "step": -1}, 422)):
        assert auditor.get(PATH, **query).status_code == status
    assert auditor.get("data-migrations/nothing/compare/", key=key).status_code == 404

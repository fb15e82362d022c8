"""Requests as an integrator sends them."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.models import User
from rest_framework.test import APIClient

from migrations_tools.services.requests import work_on_request
from migrations_tools.services.runs import work_run
from tests.migrations_tools.people import person

ROOT = "/api/v1/"
#: Rights to do everything with runs.
RIGHTS = ("run", "approve", "review", "rollback", "waive", "cutover", "import", "purge")


class Caller:
    """Somebody who calls the API; answers of a path below ``/api/v1/``."""

    def __init__(self, user: User | None) -> None:
        self.user: Any = user
        self.client: Any = APIClient()
        if user is not None:
            self.client.force_authenticate(user)

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(_address(path), query)

    def post(self, path: str, data: Any = None, key: str = "", **headers: str) -> Any:
        if key:
            headers["Idempotency-Key"] = key
        body = json.dumps({} if data is None else data)  # lone surrogates as \\u escapes
        return self.client.post(
            _address(path), body, content_type="application/json", headers=headers
        )

    def patch(self, path: str, data: Any, **headers: str) -> Any:
        return self.client.patch(_address(path), data, format="json", headers=headers)


def operator(*more: str) -> Caller:
    return Caller(person("operator", *RIGHTS, *more))


def _address(path: str) -> str:
    return path if path.startswith(("/", "http")) else ROOT + path


def problem(answer: Any) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["error"]["code"]


def made(answer: Any) -> str:
    """The id of the run that an answer tells of, after a worker made it and worked on it."""
    assert answer.status_code == 202, answer.content
    run = work_on_request()
    assert run is not None
    run.refresh_from_db()
    assert answer["Location"].endswith(f"/api/v1/runs/{run.pk}/")
    if run.state == "queued":
        work_run(run)
    return str(run.pk)

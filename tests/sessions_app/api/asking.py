"""Somebody who asks the API, and what they are answered."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

API = "/api/v1"


class Caller:
    """A logged-in person; bodies are JSON, addresses begin behind ``/api/v1``."""

    def __init__(self, user: User | None) -> None:
        self.client = Client(raise_request_exception=False)
        if user is not None:
            self.client.force_login(user)

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(API + path, query)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self._send("POST", path, body, headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        return self._send("PATCH", path, body, headers)

    def put(self, path: str, body: Any, **headers: str) -> Any:
        return self._send("PUT", path, body, headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self._send("DELETE", path, None, headers)

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        """``headers`` are written with underscores; a text is sent as it is."""
        data = "" if body is None else body if isinstance(body, (str, bytes)) else json.dumps(body)
        return self.client.generic(
            method,
            API + path,
            data=data,
            content_type="application/json",
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    def statements(self, path: str, **query: Any) -> int:
        """What a GET takes, authentication apart."""
        with CaptureQueriesContext(connection) as captured:
            assert self.get(path, **query).status_code == 200
        told = [each["sql"] for each in captured.captured_queries]
        login = ("django_session", 'FROM "auth_user" WHERE "auth_user"."id"')
        return sum(not any(word in sql for word in login) for sql in told)


def refusal(answer: Any) -> tuple[int, str]:
    """Status and code; the envelope is as it has to be."""
    error = answer.json()["error"]
    assert set(error) <= {"code", "message", "request_id", "details"}
    assert error["message"]
    assert error["request_id"] == answer["X-Request-ID"]
    return answer.status_code, error["code"]


def faults(answer: Any) -> list[str]:
    """The fields that a 422 names."""
    assert answer.status_code == 422, answer.content
    return [fault["field"] for fault in answer.json()["error"]["details"]["fields"]]

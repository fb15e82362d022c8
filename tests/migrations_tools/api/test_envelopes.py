"""Requests that no view of the API could read are told so in its envelope."""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.handlers.asgi import ASGIRequest
from django.test import AsyncClient, Client, RequestFactory

from migrations_tools.api.charsets import CarefulASGIHandler, CarefulWSGIHandler
from tests.migrations_tools.api.requests import problem

STOP = "/api/v1/governor/stop/"
FORM = b'--x\r\nContent-Disposition: form-data; name="reason"\r\n\r\nwhy\r\n--x--\r\n'


@pytest.mark.parametrize(
    ("path", "status", "address"),
    [
        ("/api/v1/nothing", 404, ""),
        ("/api/v1/nothing/", 404, ""),
        ("/api/v2/sessions", 404, ""),
        ("/api", 404, ""),
        ("/api/v1/sessions?page=2", 308, "/api/v1/sessions/?page=2"),
        ("/api/v1/runs/last/rollback", 308, "/api/v1/runs/last/rollback/"),
        ("/api/v1//evil.example", 404, ""),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_address_without_its_slash_keeps_method_and_body_or_is_nobodys(
    path: str, status: int, address: str, method: str
) -> None:
    answer = Client().generic(method, path)
    assert answer.status_code == status
    assert answer.get("Location", "") == address
    if status == 404:
        assert problem(answer) == (404, "not_found")


def test_pages_of_errors_are_told_in_the_envelope_below_the_root_of_the_api() -> None:
    answer = Client(headers={"Host": "evil.example"}).get("/api/v1/sessions/")
    assert problem(answer) == (400, "bad_request")
    assert answer.json()["error"]["request_id"] == answer["X-Request-ID"]
    page = Client(headers={"Host": "evil.example"}).get("/admin/")
    assert page["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/api/docs/", 405, "method_not_allowed"),
        ("DELETE", "/api/schema/", 405, "method_not_allowed"),
        ("GET", "/api/schema/?format=xml", 404, "not_found"),
        ("GET", "/api/docs/?format=xml", 404, "not_found"),
    ],
)
def test_errors_of_other_kinds_of_answers_are_json_too(
    method: str, path: str, status: int, code: str
) -> None:
    answer = Client().generic(method, path)
    assert answer["Content-Type"].startswith("application/json")
    assert problem(answer) == (status, code)
    assert "GET" in answer["Allow"]


def test_asynchronous_servers_answer_the_same() -> None:
    asked = AsyncClient().get("/api/v1/sessions/", headers={"Transfer-Encoding": "chunked"})
    assert problem(asyncio.run(asked)) == (411, "length_required")


@pytest.mark.django_db
def test_a_body_in_chunks_is_refused_and_not_taken_for_an_empty_one() -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("chief"))
    chunked: Any = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
    answer = client.post(STOP, {"reason": "why"}, content_type="application/json", **chunked)
    assert problem(answer) == (411, "length_required")


@pytest.mark.django_db
@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "1"}])
def test_a_form_is_refused_where_json_is_read_and_not_taken_for_an_empty_body(
    headers: dict[str, str],
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("chief"))
    answer = client.generic(
        "POST", STOP, FORM, content_type="multipart/form-data; boundary=x", headers=headers
    )
    assert problem(answer) == (415, "unsupported_media_type")


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["\xff", "a\x00b", "0" * 64, "0" * 15])
def test_what_is_no_token_is_refused_like_one_that_is_not_known(token: str) -> None:
    answer = Client().get("/api/v1/me/", headers={"Authorization": f"Token {token}"})
    assert problem(answer) == (401, "authentication_failed")


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("utf-8", "é"),
        ("latin-1", "Ã©"),
        *((strange, "é") for strange in ("rot13", "zlib", "idna", "utf-16", "undefined", "no")),
    ],
)
def test_a_charset_that_no_address_is_written_in_is_passed_over(charset: str, name: str) -> None:
    content_type = f"application/json; charset={charset}"
    wire = RequestFactory().get("/").environ | {
        "CONTENT_TYPE": content_type,
        "QUERY_STRING": "name=%C3%A9",
    }
    assert CarefulWSGIHandler.request_class(wire).GET["name"] == name
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": [(b"content-type", content_type.encode())],
    }
    request: ASGIRequest = CarefulASGIHandler.request_class(scope, BytesIO())
    assert request.encoding == (charset if charset in ("utf-8", "latin-1") else None)

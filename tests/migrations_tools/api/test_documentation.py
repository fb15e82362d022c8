"""The description and its page are served from here; errors are in the envelope everywhere."""

from __future__ import annotations

import json
import re

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_throttle() -> None:
    cache.clear()


def test_the_description_is_openapi_3_1_in_both_forms(client):
    text = client.get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi"})
    assert text.status_code == 200
    assert text.content.startswith(b"openapi: 3.1.0")
    described = json.loads(client.get("/api/schema/", {"format": "json"}).content)
    assert described["openapi"] == "3.1.0"
    login = described["paths"]["/api/v1/auth/login/"]["post"]
    assert login["tags"] == ["auth"]
    assert {"200", "401", "422", "429"} <= set(login["responses"])


def test_the_page_has_no_inline_script_or_style_and_loads_nothing_from_elsewhere(client):
    page = client.get("/api/docs/")
    assert page.status_code == 200
    assert "'unsafe-inline'" not in page["Content-Security-Policy"]
    html = page.content.decode()
    assert not re.search(r"<style|style=|<script>|https?://", html)
    sources = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert len(sources) >= 5
    script = client.get(next(source for source in sources if "script" in source.split("?")[-1]))
    assert script["Content-Type"].startswith("application/javascript")
    assert "/api/schema/" in script.content.decode().replace("\\u002D", "-")


@pytest.mark.parametrize(
    ("method", "address", "body", "status", "code"),
    [
        ("get", "/api/v1/nothing/", None, 404, "not_found"),
        ("post", "/api/v1/nothing/", "{}", 404, "not_found"),
        ("delete", "/api/v1/me/", None, 405, "method_not_allowed"),
        ("post", "/api/v1/auth/login/", '{"username":', 400, "parse_error"),
        ("post", "/api/v1/auth/login/", '{"username": "%s"}' % ("x" * 6_000_000), 413, "too_large"),
    ],
)
def test_errors_are_in_the_envelope(method, address, body, status, code):
    client = Client()
    client.force_login(User.objects.create_user("clerk"))
    more = {} if body is None else {"data": body, "content_type": "application/json"}
    answer = getattr(client, method)(address, **more)
    assert answer.status_code == status
    told = answer.json()["error"]
    assert (told["code"], told["request_id"]) == (code, answer["X-Request-ID"])


def test_a_body_of_another_kind_is_415():
    answer = Client().post("/api/v1/auth/login/", "a=b", content_type="text/plain")
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_media_type")

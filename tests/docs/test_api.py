"""docs/api.md: its requests are sent in order, and answered as it says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from rest_framework.test import APIClient

from migrations_tools.api.schema import ERRORS
from migrations_tools.models import QueuedImport, Run
from tests.docs.console import blocks, document, section, table
from tests.sessions_app.contest_files import session

TEXT = document("docs/api.md")
FILES = {
    "contest_sessions.jsonl": "\n".join(
        [json.dumps(session("s1")), "no JSON", json.dumps(session("s2"))]
    )
}


class Reader:
    """Sends what the document says, with the ids and the token of earlier answers."""

    def __init__(self) -> None:
        self.client: Any = APIClient()

    def send(self, block: str) -> None:
        request, _, told = block.strip().partition("\n\n")
        line, *rest = request.splitlines()
        method, address = line.split()
        answer = getattr(self.client, method.lower())(self.known(address), **self.content(rest))
        status, _, body = told.partition("\n")
        assert answer.status_code == int(status.split()[0]), f"{line}\n{answer.content}"
        if answer.streaming:
            assert b"event: end" in b"".join(answer.streaming_content)
        elif body:
            assert holds(answer.json(), json.loads(body)), f"{line}\n{answer.content}"
        if address.endswith("/login/"):
            self.client.credentials(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")
        if answer.status_code == 202:
            call_command("worker", "--once")

    def content(self, lines: list[str]) -> dict[str, Any]:
        """Headers, and the body: JSON, or a form with a file."""
        headers = dict(line.split(": ", 1) for line in lines if re.match(r"[A-Z][\w-]+: ", line))
        form = dict(line.split("=", 1) for line in lines if re.match(r"\w+=", line))
        if form:
            file = SimpleUploadedFile(form["file"], FILES[form["file"]].encode())
            return {"data": {**form, "file": file}, "format": "multipart", "headers": headers}
        body = next((line for line in lines if line.startswith("{")), None)
        data = None if body is None else json.loads(body)
        return {"headers": headers, **({"data": data, "format": "json"} if data else {})}

    def known(self, address: str) -> str:
        newest = {
            "PLAN": lambda: Run.objects.filter(kind="plan").latest("created_at").pk,
            "RUN": lambda: Run.objects.filter(kind="apply").latest("created_at").pk,
            "UPLOAD": lambda: QueuedImport.objects.latest("id").pk,
        }
        return re.sub("|".join(newest), lambda word: str(newest[word[0]]()), address)


def holds(found: Any, told: Any) -> bool:
    """Whether an answer has everything that the document shows of it."""
    if isinstance(told, dict):
        return all(name in found and holds(found[name], value) for name, value in told.items())
    return bool(found == told)


@pytest.mark.django_db(transaction=True)
def test_its_requests_are_answered_as_it_says(settings: Any, tmp_path: Path) -> None:
    cache.clear()
    settings.CARRYOVER_HOME = tmp_path
    User.objects.create_superuser("integrator", password="a long password")
    reader = Reader()
    requests = blocks(TEXT, "http")
    assert len(requests) > 20
    for request in requests:
        reader.send(request)


def test_its_statuses_are_those_that_operations_describe() -> None:
    told = {row[0] for row in table(section(TEXT, "Errors"))}
    assert told == set(ERRORS) - {"406", "415"}

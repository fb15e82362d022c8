"""docs/lessons.md: its requests are answered, its program runs, its codes are all there are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from sessions_app.api.lesson_shapes import LessonQuerySerializer
from sessions_app.lesson_errors import LessonError
from tests.docs.console import blocks, document, section, table
from tests.sessions_app import academy

TEXT = document("docs/lessons.md")


def words(cell: str) -> list[str]:
    return [word.strip("`") for word in cell.split(", ")]


@pytest.mark.django_db
def test_its_requests_are_answered(client):
    client.force_login(academy.student())
    (requests,) = blocks(TEXT, "http")
    lines = requests.strip().splitlines()
    assert len(lines) == 3
    for line in lines:
        method, address = line.split()
        assert method == "GET"
        assert client.get(address).status_code == 200, line


def test_its_parameters_are_those_of_the_list():
    names = {name for cell, _ in table(section(TEXT, "The list")) for name in words(cell)}
    assert names == set(LessonQuerySerializer().fields)


@pytest.mark.django_db
def test_its_program_runs():
    student = academy.student()
    academy.lesson(starts_at=timezone.now() + timedelta(days=2))
    (program,) = blocks(TEXT, "python")
    exec(program, {"user": student})  # noqa: S102 - the document's own words
    assert student.lesson_bookings.get().status == "cancelled"


def test_its_codes_are_those_of_the_errors():
    def tree(error: type[LessonError]) -> set[type[LessonError]]:
        return {error}.union(*map(tree, error.__subclasses__()))

    told = {
        (code.strip("`"), int(status))
        for code, status, _ in table(section(TEXT, "What may be refused"))
    }
    assert told == {(error.code, error.http_status) for error in tree(LessonError) - {LessonError}}

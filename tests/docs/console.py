"""Reads the documents, and runs what they tell people to type.

A fenced ``console`` block holds commands and, below each, lines of their answer. A command ends
with ``# exit N`` where its exit code is not 0. In answers ``…`` stands for anything. ``PLAN`` and
``RUN`` in a command are ids that the reader copies: the newest plan, the newest apply run; ``KEY``
is the first key that waits for review.
"""

from __future__ import annotations

import io
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from migrations_tools.models import ReviewItem, Run

_BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_PROMPT = "$ python manage.py "
_EXIT = re.compile(r"\s+# exit (\d)$")


@dataclass(frozen=True)
class Command:
    line: str
    exit_code: int
    answers: tuple[str, ...]


def document(name: str) -> str:
    return (Path(settings.BASE_DIR) / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands below a heading of the second level, up to the next."""
    _, found, rest = text.partition(f"\n## {heading}\n")
    assert found, f"There is no heading “{heading}”."
    return rest.partition("\n## ")[0]


def headings(text: str) -> list[str]:
    """Headings of the second level with commands below them."""
    return [
        heading
        for heading in re.findall(r"^## (.+)$", text, re.MULTILINE)
        if commands(section(text, heading))
    ]


def blocks(text: str, language: str) -> list[str]:
    return [body for found, body in _BLOCK.findall(text) if found == language]


def commands(text: str) -> list[Command]:
    found: list[Command] = []
    for line in map(str.strip, "".join(blocks(text, "console")).splitlines()):
        if line.startswith(_PROMPT):
            exit_code = _EXIT.search(line)
            typed = _EXIT.sub("", line).removeprefix(_PROMPT)
            found.append(Command(typed, int(exit_code[1]) if exit_code else 0, ()))
        elif line:
            last = found.pop()
            found.append(Command(last.line, last.exit_code, (*last.answers, line)))
    return found


def table(text: str) -> list[list[str]]:
    """The cells of the first table, without its two head lines."""
    rows = re.search(r"^\|.*\n\|[-| :]+\|\n((?:\|.*\n?)+)", text, re.MULTILINE)
    assert rows, "There is no table."
    return [
        [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        for line in rows[1].splitlines()
    ]


def run_all(text: str) -> None:
    """Run the commands of a text in order; each must end and answer as written."""
    for command in commands(text):
        run(command)


def run(command: Command) -> None:
    words = [_copied(word) for word in shlex.split(command.line)]
    if words == ["worker"]:
        words.append("--once")  # it would wait for more
    out, code = io.StringIO(), 0
    try:
        call_command(*words, stdout=out, stderr=out)
    except SystemExit as ended:
        code = int(ended.code or 0)
    answer = out.getvalue()
    assert code == command.exit_code, f"{command.line}\n{answer}"
    lines = [line.strip() for line in answer.splitlines()]
    for expected in command.answers:
        pattern = ".*".join(re.escape(part) for part in expected.split("…"))
        assert any(re.fullmatch(pattern, line) for line in lines), f"{command.line}\n{answer}"


def _copied(word: str) -> str:
    """The id that a reader would have copied."""
    if word == "PLAN":
        return str(Run.objects.filter(kind="plan").latest("created_at").pk)
    if word == "RUN":
        return str(Run.objects.filter(kind="apply").latest("created_at").pk)
    if word == "KEY":
        return str(ReviewItem.objects.waiting().values_list("key", flat=True)[0])
    return word

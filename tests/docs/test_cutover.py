"""docs/cutover.md: its tables are those of the program, its example registers."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
from django.core.management import call_command

from migrations_tools.cutover import believed, comparing, keys
from migrations_tools.cutover.stages import RULES, Stage
from migrations_tools.models import Cutover
from tests.docs.console import blocks, document, section, table

TEXT = document("docs/cutover.md")


def test_the_stages_are_those_of_the_program() -> None:
    rows = table(section(TEXT, "The stages"))
    assert [row[0].strip("`") for row in rows] == Stage.values
    for stage, writes, reads in rows:
        rules = RULES[stage.strip("`")]
        assert writes.split(", ") == [side.value for side in rules.writes]
        assert reads.startswith(rules.reads.value)
        assert ("compared" in reads, "share" in reads) == (rules.compares, rules.by_percentage)


def test_numbers_are_those_of_the_program() -> None:
    flat = TEXT.replace("\n", " ")
    fresh = Cutover()
    assert f"({fresh.mismatch_budget:.0%})".replace("%", " %") in flat
    assert f"({fresh.latency_budget_ms:.0f} ms)" in flat
    assert f"at most {comparing.MOST_MISMATCHES:,} of them" in flat
    assert believed.BELIEVED_SECONDS == 5
    assert "after five seconds at most" in flat


def test_its_example_registers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_keys", {})
    (code,) = blocks(TEXT, "python")
    found: dict[str, Any] = {}
    exec(code, found)  # noqa: S102 - our own
    assert keys.get_cutover("shop") == found["SHOP"].key


@pytest.mark.django_db
def test_its_commands_are_those_of_the_cutover_of_collaboration_sessions() -> None:
    begin, live, _waive = re.findall(r"^    python manage\.py (.+)$", TEXT, re.MULTILINE)
    call_command(*shlex.split(begin))
    assert Cutover.objects.get(key="collaboration").stage == Stage.DUAL_WRITE
    with pytest.raises(SystemExit, match="1"):  # not before the old rows are carried over
        call_command(*shlex.split(live))
    Cutover.objects.update(stage=Stage.LIVE)
    call_command(*shlex.split(live))
    assert Cutover.objects.get(key="collaboration").read_percentage == 10

"""What pages call states, actions and settings."""

from __future__ import annotations

import re
from pathlib import Path

import migrations_tools
from migrations_tools.cutover.stages import Stage
from migrations_tools.services.runs import TUNABLE
from migrations_tools.states import Outcome, RunState
from migrations_tools.words import ACTIONS, SETTINGS, action_words, setting_words, state_words

_ACTION = re.compile(r"""\baction(?::\ str\ )?=\s*"([a-z_]+)\"""", re.VERBOSE)


def test_every_action_that_the_engine_records_has_words() -> None:
    package = Path(migrations_tools.__file__).parent
    recorded = {
        action
        for path in package.rglob("*.py")
        if "management" not in path.parts
        for action in _ACTION.findall(path.read_text())
    }
    assert len(recorded) > 20
    assert recorded <= ACTIONS.keys()


def test_codes_are_told_in_words() -> None:
    assert state_words(RunState.PARTIALLY_ROLLED_BACK) == "partially rolled back"
    assert state_words(Stage.DUAL_WRITE) == "dual write"
    assert state_words(Outcome.QUARANTINED) == "quarantined"
    assert action_words("explain_mismatch") == "difference explained"
    assert setting_words("batch_size") == "rows of a batch"
    assert set(TUNABLE) <= SETTINGS.keys()


def test_what_nobody_knows_is_at_least_readable() -> None:
    assert state_words("not_yet_known") == "not yet known"
    assert (state_words(""), action_words("")) == ("", "")

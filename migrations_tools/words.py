"""What pages call codes: states and outcomes by their labels, actions by the table here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from migrations_tools.cutover.stages import Stage
from migrations_tools.states import BatchState, Outcome, RunState, VerificationState

#: Actions of transitions, as the history tells them; past tense, whoever did it.
ACTIONS: Final[dict[str, Any]] = {
    "accept_drift": _("drift accepted"),
    "approve": _("approved"),
    "ask_approval": _("approval asked for"),
    "backup": _("journal backed up"),
    "break_off": _("broken off"),
    "cancel": _("cancelled"),
    "complete": _("came to its end"),
    "cutover": _("stage changed"),
    "cutover_rules": _("rules changed"),
    "drop_upload": _("uploaded file deleted"),
    "erase": _("personal data erased"),
    "explain_mismatch": _("difference explained"),
    "import": _("file imported"),
    "import_workbook": _("workbook imported"),
    "let_go": _("runs let go on"),
    "pause": _("pause asked for"),
    "purge": _("journal purged"),
    "queue": _("queued"),
    "queue_import": _("import queued"),
    "refuse": _("could not be done"),
    "refused": _("refused: no permission"),
    "request": _("asked for"),
    "request_verification": _("verification asked for"),
    "resume": _("resumed"),
    "retry": _("quarantined keys driven again"),
    "review": _("reviews decided"),
    "rolled_back": _("rolled back"),
    "schedule": _("scheduled"),
    "start": _("begun"),
    "step_back": _("stepped back by itself"),
    "stop": _("stopped by itself"),
    "stop_all": _("all runs stopped"),
    "take_up": _("taken up by a worker"),
    "throttle": _("slowed down"),
    "tune": _("settings changed"),
    "unschedule": _("schedule ended"),
    "upload_import": _("file uploaded"),
    "verify": _("verified"),
    "waive": _("key waived"),
}

#: Settings of a run.
SETTINGS: Final[dict[str, Any]] = {
    "batch_size": _("rows of a batch"),
    "force": _("takes conflicts back too"),
    "forgiven": _("quarantined before it was resumed"),
    "keys": _("only these keys"),
    "limit": _("at most so many keys"),
    "target_seconds": _("seconds of a batch"),
    "workers": _("workers"),
}

_STATES: Final[dict[str, Any]] = {
    value: label
    for choices in (BatchState, VerificationState, Outcome, Stage, RunState)
    for value, label in choices.choices
}


def state_words(code: str) -> str:
    """A state, an outcome or a stage in words."""
    return _in_words(_STATES, code)


def action_words(code: str) -> str:
    """What was done, in words."""
    return _in_words(ACTIONS, code)


def setting_words(name: str) -> str:
    """A setting of a run in words."""
    return _in_words(SETTINGS, name)


def _in_words(table: Mapping[str, Any], code: str) -> str:
    return str(table[code]) if code in table else str(code).replace("_", " ")

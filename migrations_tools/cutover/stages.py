"""Stages of a cutover: what each reads and writes, and the one table of ways between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _


class Side(Enum):
    LEGACY = "legacy"
    NEW = "new"


class Stage(models.TextChoices):
    OFF = "off", _("off")  # the old system alone
    DUAL_WRITE = "dual_write", _("dual write")  # both are written, the old one is read
    SHADOW = "shadow", _("shadow")  # both are read and compared, the old one answers
    LIVE = "live", _("live")  # the new one leads and answers, the old one is kept current
    RAMP_DOWN = "ramp_down", _("ramp down")  # the new one answers everybody
    COMPLETE = "complete", _("complete")  # the new system alone


@dataclass(frozen=True)
class Rules:
    """What holds in a stage. ``writes`` are in order: the first side is the authoritative one."""

    writes: tuple[Side, ...]
    reads: Side
    by_percentage: bool = False  # only a share of the readers gets the new side
    compares: bool = False


_BOTH_OLD_FIRST = (Side.LEGACY, Side.NEW)
_BOTH_NEW_FIRST = (Side.NEW, Side.LEGACY)

RULES: Final[Mapping[str, Rules]] = {
    Stage.OFF: Rules((Side.LEGACY,), Side.LEGACY),
    Stage.DUAL_WRITE: Rules(_BOTH_OLD_FIRST, Side.LEGACY),
    Stage.SHADOW: Rules(_BOTH_OLD_FIRST, Side.LEGACY, compares=True),
    Stage.LIVE: Rules(_BOTH_NEW_FIRST, Side.NEW, by_percentage=True),
    Stage.RAMP_DOWN: Rules(_BOTH_NEW_FIRST, Side.NEW),
    Stage.COMPLETE: Rules((Side.NEW,), Side.NEW),
}

#: Allowed changes of stage. Nothing else changes one.
STAGE_TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {
    Stage.OFF: frozenset({Stage.DUAL_WRITE}),
    Stage.DUAL_WRITE: frozenset(
        {
            Stage.SHADOW,  # the old rows are carried over and verified
            Stage.OFF,  # thought better of; what only the new side has is left behind
        }
    ),
    Stage.SHADOW: frozenset(
        {
            Stage.LIVE,  # both sides answer alike
            Stage.DUAL_WRITE,  # they do not: also by itself, over a budget
        }
    ),
    Stage.LIVE: frozenset(
        {
            Stage.RAMP_DOWN,  # everybody reads the new side
            Stage.SHADOW,  # back: the old side has every write
        }
    ),
    Stage.RAMP_DOWN: frozenset(
        {
            Stage.COMPLETE,  # the old side is no longer written
            Stage.LIVE,
            Stage.SHADOW,  # one step back to the old side, which has every write
        }
    ),
    Stage.COMPLETE: frozenset(),  # the old side is behind: there is no way back
}

#: What a stage means and what comes next, one sentence each.
STAGE_SENTENCES: Final[Mapping[str, str]] = {
    Stage.OFF: "The old system alone is read and written; dual write can begin.",
    Stage.DUAL_WRITE: "Every write goes to both systems; carry the old rows over, then shadow.",
    Stage.SHADOW: "Every read asks both systems and compares; the old one answers.",
    Stage.LIVE: "The new system leads; the old one is kept current, so the way back is open.",
    Stage.RAMP_DOWN: "The new system answers everybody; the old one is still kept current.",
    Stage.COMPLETE: "The new system alone is read and written.",
}


def share_of_new(stage: str, read_percentage: int) -> int:
    """How many of a hundred readers the new side answers."""
    rules = RULES[stage]
    if rules.reads is Side.LEGACY:
        return 0
    return read_percentage if rules.by_percentage else 100

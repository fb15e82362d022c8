"""How far the verification of a run came: interrupted, it goes on there (SPEC §2.6).

What was found is kept with the run after every portion of its batches. It counts only while the
run, its batches and the code are what they were, and for an hour: then the data is looked at anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from migrations_tools.definitions.registry import get_definition
from migrations_tools.engine.clock import database_time
from migrations_tools.engine.fingerprint import code_fingerprint
from migrations_tools.models import Batch, Run
from migrations_tools.verification.ranges import portions

#: What was found longer ago is not built upon.
LONGEST_BREAK = timedelta(hours=1)


class Progress:
    """The stages of one run's verification, each with the portions done and what they found.

    Two processes may verify a run at once: each keeps the whole of its own findings, so
    whichever is kept last can be gone on from.
    """

    def __init__(self, run: Run, batches: Sequence[Batch]) -> None:
        self.run = run
        self.stamp = _stamp(run, batches)
        kept = Run.objects.values_list("verifying", flat=True).get(pk=run.pk) or {}
        fresh = kept.get("stamp") == self.stamp and (
            database_time() - datetime.fromisoformat(kept["at"]) < LONGEST_BREAK
        )
        self.stages: dict[str, dict[str, Any]] = kept["stages"] if fresh else {}

    def found(self, stage: str) -> Any:
        """What the portions done so far have found, as it was kept; None at the beginning."""
        return self.stages.get(stage, {}).get("found")

    def portions(
        self, stage: str, batches: Iterable[Batch], findings: Callable[[], Any]
    ) -> Iterator[list[Batch]]:
        """The portions still to be looked at. ``findings`` tells, as JSON, what all have found."""
        done = self.stages.get(stage, {}).get("done", 0)
        for number, portion in enumerate(portions(batches), start=1):
            if number <= done:
                continue
            yield portion
            self.stages[stage] = {"done": number, "found": findings()}
            now = database_time().isoformat()
            kept = {"stamp": self.stamp, "at": now, "stages": self.stages}
            Run.objects.filter(pk=self.run.pk).update(verifying=kept)


def forget_progress(run: Run) -> None:
    """The verification came to its end: the next one begins anew."""
    Run.objects.filter(pk=run.pk).update(verifying=None)


def _stamp(run: Run, batches: Sequence[Batch]) -> str:
    """Changes with anything that what was found depends on, but for the data itself."""
    related = Run.objects.filter(Q(pk=run.pk) | Q(parent=run) | Q(children=run)).order_by("pk")
    seen = [
        code_fingerprint(get_definition(run.definition)),
        [
            [str(pk), state, bytes(seal or b"").hex()]
            for pk, state, seal in related.values_list("pk", "state", "seal")
        ],
        [
            [batch.pk, batch.state, batch.size, bytes(batch.digest or b"").hex()]
            for batch in batches
        ],
    ]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()

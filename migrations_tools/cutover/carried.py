"""Keys of a data migration that the application itself carries over, by writing both sides.

A dual write changes the old rows of a key, so that a run would look at the key again; but there is
nothing to carry over. Remembering the content that was written to both sides tells the two apart:
such keys do not wait for a run (`waiting_keys`). A run looks at them all the same, and finds them
unchanged.
"""

from __future__ import annotations

from migrations_tools.definitions.registry import get_definition
from migrations_tools.definitions.sources import KeyRange
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.selection import Selection
from migrations_tools.models import Run
from migrations_tools.models.cutover import DualWritten
from migrations_tools.selectors.completion import waiting_keys

_STEP = 0  # keys are those of the first step


def is_carried(definition: str, key: str) -> bool:
    """Whether nothing of the key waits for a run: also where there are no rows of it yet."""
    return waiting_keys(get_definition(definition), key=key) == 0


def remember_carried(definition: str, key: str) -> None:
    """The rows of the key as they are now were written to both sides."""
    unsaved = Run(definition=definition)
    source = RunContext.of(unsaved).steps[_STEP].source
    rows = source.within(source.keys(Selection(_STEP)), KeyRange(keys=[key]), "k")
    found = rows.first()  # "k", and "d" where the source has a digest
    if found is None:
        return
    written = DualWritten(definition=definition, step=_STEP, key=key, source_digest=found.get("d"))
    DualWritten.objects.bulk_create(
        [written],
        update_conflicts=True,
        unique_fields=["definition", "step", "key"],
        update_fields=["source_digest", "written_at"],
    )

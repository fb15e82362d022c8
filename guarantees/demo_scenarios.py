"""What ``manage.py demo`` shows of the guarantee department."""

from __future__ import annotations

from django.contrib.auth.models import User

from guarantees.models import Guarantee
from migrations_tools.demo import SampleFile, Scenario, register_scenario
from migrations_tools.signing import save

_EDITS = 3


def edit_guarantees(person: User) -> int:
    """Notes on the first guarantees that are not protected; how many."""
    chosen = Guarantee.objects.filter(is_protected=False).order_by("pk")[:_EDITS]
    for guarantee in chosen:
        guarantee.comment = f"{guarantee.comment} – checked by telephone".removeprefix(" – ")
        save(guarantee, acting_user=person, reason="demonstration")
    return len(chosen)


register_scenario(
    Scenario(
        migration="split_imported_records",
        files=[SampleFile("guarantees", "demo-guarantees.sqlite3", rows=5_000)],
        edit=edit_guarantees,
    )
)

"""A run's batches in portions that one statement can take without growing large."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from migrations_tools.models import Batch, Run

#: Source keys that one statement looks at.
MOST_KEYS = 200_000


def batches_of(run: Run) -> list[Batch]:
    """All batches in range order, without their errors and owners."""
    return list(
        Batch.objects.filter(run=run)
        .only(
            "run_id", "step", "number", "sweep", "after_key", "last_key", "keys", "undoes_id",
            "state", "size", "digest", "counts",
        )
        .order_by("step", "number")
    )  # fmt: skip


def portions(batches: Iterable[Batch]) -> Iterator[list[Batch]]:
    """Neighbouring batches of one step, together about ``MOST_KEYS`` keys."""
    portion: list[Batch] = []
    size = 0
    for batch in batches:
        if portion and (size + batch.size > MOST_KEYS or batch.step != portion[0].step):
            yield portion
            portion, size = [], 0
        portion.append(batch)
        size += batch.size
    if portion:
        yield portion


def place_of(batch: Batch) -> str:
    """The batch in words: its step, number and key range."""
    if batch.keys is not None:
        keys = ", ".join(str(key) for key in batch.keys[:3])
        more = ", …" if len(batch.keys) > 3 else ""
        where = f"keys {keys}{more}"
    elif batch.last_key is None:
        where = "no keys"
    elif batch.after_key is None:
        where = f"keys up to {batch.last_key}"
    else:
        where = f"keys after {batch.after_key} up to {batch.last_key}"
    return f"step {batch.step}, batch {batch.number}, {where}"

"""Generates an export of ``sessionmanagements`` (collaboration.md "Legacy shape")."""

from __future__ import annotations

import json
from pathlib import Path

from migrations_tools.generators import register_generator
from sessions_app.legacy_generators.collaboration_platform import Platform


@register_generator("collaboration")
def generate_collaboration(path: Path, *, rows: int, seed: int, defects: float) -> dict[str, int]:
    """A file of JSON lines as ``mongoexport`` writes them, in several forms of Extended JSON."""
    count = 0
    with path.open("w", encoding="utf-8") as out:
        for document in Platform(rows=rows, seed=seed, defects=defects).documents():
            out.write(json.dumps(document, ensure_ascii=False) + "\n")
            count += 1
    return {"sessionmanagements": count}

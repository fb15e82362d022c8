"""Generators of legacy files: what an old system could have exported, of any size.

Apps register theirs in a module ``legacy_generators``, which is found like admin modules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from migrations_tools.exceptions import CarryoverError


class GenerationRefused(CarryoverError):
    """The file cannot be written; nothing was."""

    code = "generation_refused"


class Generate(Protocol):
    """Writes a new file at ``path`` and answers with the rows per table.

    The same arguments give the same content. ``defects`` is the share (0–1) of rows that carry
    one of the faults that the migration has rules for; at 0 every row is clean. Memory does not
    grow with ``rows``.
    """

    def __call__(self, path: Path, *, rows: int, seed: int, defects: float) -> dict[str, int]: ...


_generators: dict[str, Generate] = {}


def register_generator(kind: str) -> Callable[[Generate], Generate]:
    """Register a generator for ``generate_legacy KIND``."""

    def decorate(generate: Generate) -> Generate:
        _generators[kind] = generate
        return generate

    return decorate


def generator_kinds() -> list[str]:
    return sorted(_generators)


def generate_file(
    kind: str, path: Path, *, rows: int, seed: int, defects: float, force: bool = False
) -> dict[str, int]:
    """Generate a file of a registered kind; the rows per table. All or nothing."""
    with _new_file(path, force=force) as unfinished:
        return _generators[kind](unfinished, rows=rows, seed=seed, defects=defects)


@contextmanager
def _new_file(path: Path, *, force: bool) -> Iterator[Path]:
    """A path beside ``path`` that becomes ``path`` at the end; gone after an error."""
    if path.is_dir() or not path.parent.is_dir():
        raise GenerationRefused(f"{path} is no file in an existing folder.", code="bad_path")
    if path.exists() and not force:
        raise GenerationRefused(f"{path} exists; --force replaces it.", code="file_exists")
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        yield unfinished
        unfinished.replace(path)
    except OSError as error:
        raise GenerationRefused(f"{path} cannot be written: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)

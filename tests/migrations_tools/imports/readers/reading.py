"""Helpers that read a file or a text through the real readers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from migrations_tools.imports.readers import open_source
from migrations_tools.imports.readers.base import Item, Record, Rejection


def read(path: Path) -> list[Item]:
    """All items of a file's tables."""
    with closing(open_source(path)) as source:
        return [item for table in source.tables() for item in table]


def values(items: Sequence[Item]) -> list[dict[str, Any]]:
    return [item.values for item in items if isinstance(item, Record)]


def rejections(items: Sequence[Item]) -> list[tuple[int, str]]:
    return [(item.line, item.code) for item in items if isinstance(item, Rejection)]


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path

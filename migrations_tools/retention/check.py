"""The restore test: reading a backup to its end and recomputing everything it vouches for."""

from __future__ import annotations

import gzip
import hashlib
import json
import uuid
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from migrations_tools.retention.format import (
    CHANGE_COLUMNS,
    FORMAT,
    LEDGER_COLUMNS,
    PERSONAL,
    VERSION,
    batch_digest,
    entry_digest,
    seal_link,
)

#: Longer lines are no entries of a journal, but an attack on the reader's memory. Bytes.
MOST_LINE_BYTES = 256 * 1024 * 1024
#: Faults that are told; all of them are counted.
MOST_FAULTS = 20

_KINDS = ("batch", "ledger", "change", "transition")
_COLUMNS = {"ledger": LEDGER_COLUMNS, "change": CHANGE_COLUMNS}


class _Unreadable(Exception):
    """The file cannot be read any further."""


class BackupReader:
    """Reads a backup once, in flat memory: one batch's digests at a time."""

    def __init__(self) -> None:
        self.header: dict[str, Any] = {}
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self.failures = 0
        self.sha256 = hashlib.sha256()
        self.seal = b""
        self.batch: dict[str, Any] | None = None
        self.previous = (-1, -1)
        self.digests: list[str] = []
        self.keys = 0

    def read(self, path: Path) -> None:
        """Read it all; what is wrong is told in ``faults``."""
        number = 0
        ended = False
        try:
            for number, data in _lines(path):
                if ended:
                    raise _Unreadable("there are lines after the end")
                line = _object(data)
                ended = line.get("kind") == "end"
                if number == 1:
                    self._begin(line)
                elif ended:
                    self._end(line)
                else:
                    self._take(number, line)
                if not ended:
                    self.sha256.update(data)
        except (EOFError, OSError, zlib.error, ValueError, KeyError, TypeError) as error:
            self._fault(f"Line {number + 1} cannot be read: {_reason(error)}.")
        except _Unreadable as error:
            self._fault(f"Line {number}: {error}.")
        else:
            if not ended:
                self._fault(f"The file is cut off after line {number}.")

    def _begin(self, line: dict[str, Any]) -> None:
        if line.get("format") != FORMAT:
            raise _Unreadable("this is no backup of a journal")
        if line["version"] != VERSION:
            raise _Unreadable(f"version {line['version']} of the format is not known")
        self.header = line
        self.seal = hashlib.sha256(uuid.UUID(line["run"]).bytes).digest()

    def _take(self, number: int, line: dict[str, Any]) -> None:
        kind = line["kind"]
        if kind not in _KINDS:
            raise _Unreadable(f"“{kind}” is no kind of line")
        self.counts[kind] += 1
        if kind in _COLUMNS:
            self._entry(number, kind, line)
            return
        self._finish_batch()
        if kind == "batch":
            place = (line["step"], line["number"])
            if place <= self.previous:
                self._fault(f"Line {number}: batch {line['number']} is out of order.")
            self.previous = place
            self.batch = line
            self.seal = seal_link(self.seal, line)

    def _entry(self, number: int, kind: str, line: dict[str, Any]) -> None:
        if self.batch is None:
            raise _Unreadable("an entry stands outside of any batch")
        self.digests.append(line["digest"])
        self.keys += kind == "ledger"
        values = line["values"]
        erased = self.header["erased"] and all(values[name] is None for name in PERSONAL[kind])
        if not erased and entry_digest(values, _COLUMNS[kind]) != line["digest"]:
            name = f"key {values['key']}" if kind == "ledger" else _change_name(values)
            self._fault(f"Line {number}: {name} was changed ({_batch_name(self.batch)}).")

    def _finish_batch(self) -> None:
        batch, digests, keys = self.batch, self.digests, self.keys
        self.batch, self.digests, self.keys = None, [], 0
        if batch is None or batch["state"] != "done":
            return
        if keys != batch["size"]:
            self._fault(f"{_batch_name(batch)} had {batch['size']} keys, {keys} are left.")
        elif batch["digest"] is not None and batch_digest(digests) != batch["digest"]:
            self._fault(f"{_batch_name(batch)}: entries are missing, added or changed.")

    def _end(self, line: dict[str, Any]) -> None:
        self._finish_batch()
        for kind in _KINDS:
            if line[kind] != self.counts[kind]:
                self._fault(
                    f"The file should hold {line[kind]} lines of kind {kind}, not "
                    f"{self.counts[kind]}."
                )
        if line["sha256"] != self.sha256.hexdigest():
            self._fault("The SHA-256 of the lines is not the one at the end.")
        if self.header["seal"] is not None and self.seal.hex() != self.header["seal"]:
            self._fault("The seal of the run does not fit its batches.")

    def _fault(self, sentence: str) -> None:
        self.failures += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(sentence[:1].upper() + sentence[1:])


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with gzip.open(path, "rb") as file:
        number = 0
        while data := file.readline(MOST_LINE_BYTES):
            number += 1
            if not data.endswith(b"\n"):
                raise _Unreadable("the line is cut off")
            yield number, data


def _object(data: bytes) -> dict[str, Any]:
    line = json.loads(data)
    if not isinstance(line, dict):
        raise _Unreadable("the line is no object")
    return line


def _reason(error: Exception) -> str:
    if isinstance(error, gzip.BadGzipFile):
        return "the file is not compressed as a backup is"
    if isinstance(error, EOFError):
        return "the file is cut off"
    return "it is damaged"


def _change_name(values: dict[str, Any]) -> str:
    return f"{values['operation']} of {values['model']} {values['pk_text']}"


def _batch_name(batch: dict[str, Any]) -> str:
    return f"step {batch['step']}, batch {batch['number']}"
